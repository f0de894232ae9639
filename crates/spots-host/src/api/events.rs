//! A host's events.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use spots_booking::{EventId, HostId};

use crate::desk::{AtDesk, EventsWanted};
use crate::error::ServiceError;
use crate::extract::{Body, Params, Segments, Word};
use crate::problem::Problem;
use crate::wire::{CalledOffBody, EventBody, EventListItem, List, NewEventBody, PageParams};

/// Adds an event.
#[utoipa::path(
    post, path = "/hosts/{hostId}/events", tag = "hosts",
    params(("hostId" = String, Path, description = "The host.")),
    request_body = NewEventBody,
    responses((status = 201, description = "The event, at the address in `Location`.", body = EventBody)),
    security(("session" = [])),
)]
pub(super) async fn create_host_event(
    AtDesk(desk): AtDesk,
    Body(body): Body<NewEventBody>,
) -> Result<impl IntoResponse, Problem> {
    let added = desk.add_events(vec![(body.offer()?, None)]).await?;
    let (event, _) = added
        .first()
        .ok_or_else(|| ServiceError::failed("add an event", "the store named no event"))?;
    let card = desk.event(*event).await?;
    let location = [(header::LOCATION, format!("/api/v1/events/{event}"))];
    Ok((StatusCode::CREATED, location, Json(EventBody::from(&card))))
}

/// Lists the host's events, also those called off or over.
#[utoipa::path(
    get, path = "/hosts/{hostId}/events", tag = "hosts",
    params(("hostId" = String, Path, description = "The host."), PageParams),
    responses((status = 200, description = "Events by their next time.", body = List<EventListItem>)),
    security(("session" = [])),
)]
pub(super) async fn list_host_events(
    AtDesk(desk): AtDesk,
    Params(page): Params<PageParams>,
) -> Result<Json<List<EventListItem>>, Problem> {
    let events = desk.events(EventsWanted::default(), page.part()?).await?;
    Ok(Json(page.list(events, |card| (&card).into())))
}

/// Calls an event off: its bookings are cancelled, everyone who booked is told, and what they
/// shared for it ends. Doing it again does nothing.
#[utoipa::path(
    delete, path = "/hosts/{hostId}/events/{eventId}", tag = "hosts",
    params(
        ("hostId" = String, Path, description = "The host."),
        ("eventId" = String, Path, description = "One of its events."),
    ),
    responses((status = 200, description = "What ended.", body = CalledOffBody)),
    security(("session" = [])),
)]
pub(super) async fn call_off_event(
    AtDesk(desk): AtDesk,
    segments: Segments<(Word<HostId>, Word<EventId>)>,
) -> Result<Json<CalledOffBody>, Problem> {
    let Segments((_, Word(event))) = segments;
    Ok(Json(desk.call_off(event).await?.into()))
}
