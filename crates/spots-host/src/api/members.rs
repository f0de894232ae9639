//! The host's own list of members, which vouches for people.

use axum::Json;

use crate::desk::AtDesk;
use crate::extract::Body;
use crate::problem::Problem;
use crate::wire::{MemberListBody, SetMemberListBody};

/// Counts your own list of members. Whom it names is kept as hashes alone: nobody can read it back.
#[utoipa::path(
    get, path = "/hosts/{hostId}/members", tag = "hosts",
    params(("hostId" = String, Path, description = "The host.")),
    responses((status = 200, description = "How many there are.", body = MemberListBody)),
    security(("session" = [])),
)]
pub(super) async fn find_member_list(
    AtDesk(desk): AtDesk,
) -> Result<Json<MemberListBody>, Problem> {
    let entries = desk.members().await?;
    Ok(Json(MemberListBody { entries }))
}

/// Replaces your own list of members. A question of yours with `vouchedBy` `host_list` is answered by
/// it, when somebody shares that answer with you; until then you do not learn who was looked for.
#[utoipa::path(
    put, path = "/hosts/{hostId}/members", tag = "hosts",
    params(("hostId" = String, Path, description = "The host.")),
    request_body = SetMemberListBody,
    responses((status = 200, description = "How many there are now.", body = MemberListBody)),
    security(("session" = [])),
)]
pub(super) async fn update_member_list(
    AtDesk(desk): AtDesk,
    Body(body): Body<SetMemberListBody>,
) -> Result<Json<MemberListBody>, Problem> {
    let entries = desk.set_members(body.entries).await?;
    Ok(Json(MemberListBody { entries }))
}
