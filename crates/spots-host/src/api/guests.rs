//! The guests of an event.

use axum::Json;
use spots_booking::{EventId, HostId};

use crate::desk::{AtDesk, GuestsWanted, Through};
use crate::extract::{Params, Segments, Word};
use crate::problem::Problem;
use crate::wire::{GuestBody, List, PageParams};

/// Lists the guests of an event with what they share now. Every opening is recorded, and the guest
/// sees it.
#[utoipa::path(
    get, path = "/hosts/{hostId}/events/{eventId}/guests", tag = "hosts",
    params(
        ("hostId" = String, Path, description = "The host."),
        ("eventId" = String, Path, description = "One of its events."),
        PageParams,
    ),
    responses((status = 200, description = "Guests by time and code.", body = List<GuestBody>)),
    security(("session" = [])),
)]
pub(super) async fn list_guests(
    AtDesk(desk): AtDesk,
    segments: Segments<(Word<HostId>, Word<EventId>)>,
    Params(page): Params<PageParams>,
) -> Result<Json<List<GuestBody>>, Problem> {
    let Segments((_, Word(event))) = segments;
    let event_type = desk.event(event).await?.event.offer.event_type;
    let wanted = GuestsWanted::all(Through::Api);
    let guests = desk.guests(event, wanted, page.part()?).await?;
    Ok(Json(
        page.list(guests, |guest| GuestBody::new(guest, event_type)),
    ))
}
