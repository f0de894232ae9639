//! What a host asks for: for anyone to read, for its members to set.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use spots_booking::{EventType, HostId};

use crate::desk::{AtDesk, FrontDoor};
use crate::extract::{Body, Segments, Word};
use crate::problem::Problem;
use crate::wire::{EventTypeWord, RequirementsBody, SetRequirementsBody};

/// What a host asks for at an event type. Anyone may look before they book.
#[utoipa::path(
    get, path = "/hosts/{hostId}/requirements/{eventType}", tag = "hosts",
    params(
        ("hostId" = String, Path, description = "The host."),
        ("eventType" = EventTypeWord, Path, description = "At which events."),
    ),
    responses((status = 200, description = "What is asked.", body = RequirementsBody)),
)]
pub(super) async fn find_requirements(
    State(door): State<Arc<dyn FrontDoor>>,
    segments: Segments<(Word<HostId>, Word<EventType>)>,
) -> Result<Json<RequirementsBody>, Problem> {
    let Segments((Word(host), Word(event_type))) = segments;
    let asked = door.asked(host, event_type).await?;
    Ok(Json(RequirementsBody::new(host, &asked)))
}

/// Sets what the host asks for at an event type, as the next version. Consents that people gave
/// stay as they are: nobody gives more than they saw.
#[utoipa::path(
    put, path = "/hosts/{hostId}/requirements/{eventType}", tag = "hosts",
    params(
        ("hostId" = String, Path, description = "The host."),
        ("eventType" = EventTypeWord, Path, description = "At which events."),
    ),
    request_body = SetRequirementsBody,
    responses((status = 200, description = "What is asked from now on.", body = RequirementsBody)),
    security(("session" = [])),
)]
pub(super) async fn update_requirements(
    AtDesk(desk): AtDesk,
    segments: Segments<(Word<HostId>, Word<EventType>)>,
    Body(body): Body<SetRequirementsBody>,
) -> Result<Json<RequirementsBody>, Problem> {
    let Segments((Word(host), Word(event_type))) = segments;
    let asked = desk.ask(event_type, body.rules()?).await?;
    Ok(Json(RequirementsBody::new(host, &asked)))
}
