//! A host, for anyone.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use spots_booking::HostId;

use crate::desk::FrontDoor;
use crate::extract::{Segments, Word};
use crate::problem::Problem;
use crate::wire::HostBody;

/// Looks up a host.
#[utoipa::path(
    get, path = "/hosts/{hostId}", tag = "hosts",
    params(("hostId" = String, Path, description = "The host.")),
    responses((status = 200, description = "The host.", body = HostBody)),
)]
pub(super) async fn find_host(
    State(door): State<Arc<dyn FrontDoor>>,
    Segments(Word(host)): Segments<Word<HostId>>,
) -> Result<Json<HostBody>, Problem> {
    Ok(Json((&door.host(host).await?).into()))
}
