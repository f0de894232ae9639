//! The guests of an event.

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use spots_booking::{EventId, HostId};

use crate::desk::{AtDesk, GuestsWanted, PartRequest, Through};
use crate::extract::{Params, Segments, Word};
use crate::problem::Problem;
use crate::wire::{GuestBody, GuestTable, List, PageParams};

/// Guests of one copy.
const COPY_ROWS_MAX: u32 = 10_000;
/// Guests read at a time.
const PART_ROWS: u32 = 100;

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

/// Downloads a copy of the guests of an event, as CSV: what they share now, with the grant under
/// which each row was read and the time of the copy. The guest sees that a copy was made; what
/// they take back later does not leave it.
#[utoipa::path(
    get, path = "/hosts/{hostId}/events/{eventId}/guests.csv", tag = "hosts",
    params(
        ("hostId" = String, Path, description = "The host."),
        ("eventId" = String, Path, description = "One of its events."),
    ),
    responses((
        status = 200, description = "Guests by time and code.",
        body = String, content_type = "text/csv",
    )),
    security(("session" = [])),
)]
pub(super) async fn copy_guests(
    AtDesk(desk): AtDesk,
    segments: Segments<(Word<HostId>, Word<EventId>)>,
) -> Result<Response, Problem> {
    let Segments((_, Word(event))) = segments;
    let wanted = GuestsWanted::all(Through::Download);
    let mut guests = Vec::new();
    let mut offset = 0;
    loop {
        let part = PartRequest {
            offset,
            limit: PART_ROWS,
        };
        let found = desk.guests(event, wanted, part).await?;
        guests.extend(found.items);
        offset += PART_ROWS;
        if !found.more || offset >= COPY_ROWS_MAX {
            break;
        }
    }
    let table = GuestTable::new(&guests, desk.now());
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"guests.csv\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, table.into_text()).into_response())
}
