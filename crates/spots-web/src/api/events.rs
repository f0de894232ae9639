//! Finding events.

use axum::Json;
use serde::{Deserialize, Serialize};
use spots_booking::EventId;
use spots_host::Problem;
use spots_host::extract::{Params, Segments, Word};
use spots_host::wire::{
    EventBody, EventListItem, EventTypeWord, Instant, List, PageParams, RequirementsBody,
};
use utoipa::ToSchema;

use crate::front_door::{asked, event_card, page, part};
use crate::service::{self, Ctx, EventQuery};

/// What to look for.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsParams {
    /// In the title, the place or the host's name.
    #[param(max_length = 100)]
    q: Option<String>,
    /// Of this type.
    event_type: Option<EventTypeWord>,
    /// Counts from 1.
    #[param(minimum = 1, maximum = 1000, default = 1)]
    page: Option<u32>,
    /// Items of a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u32>,
}

/// Finds events to come, the soonest first.
#[utoipa::path(
    get, path = "/events", tag = "events",
    params(EventsParams),
    responses((status = 200, description = "Events.", body = List<EventListItem>)),
)]
pub(super) async fn list_events(
    ctx: Ctx,
    Params(params): Params<EventsParams>,
) -> Result<Json<List<EventListItem>>, Problem> {
    let query = EventQuery {
        text: params.q,
        event_type: params.event_type.map(Into::into),
        host: None,
        over: None,
    };
    let params = PageParams {
        page: params.page,
        per_page: params.per_page,
    };
    let found = service::search_events(&ctx, query, page(params.part()?)).await?;
    let found = part(found, |summary| {
        event_card(summary.record, summary.next.into_iter().collect(), false)
    });
    Ok(Json(params.list(found, |card| (&card).into())))
}

/// From when on to list an event's times.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EventParams {
    /// From this moment on; from now on if left out.
    from: Option<Instant>,
}

/// An event and what its host asks for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventOfferBody {
    /// The event.
    #[serde(flatten)]
    event: EventBody,
    /// What the host asks for: which fields, why, for how long.
    requirements: RequirementsBody,
}

/// Looks up an event with its times, the places left, and what its host asks for.
#[utoipa::path(
    get, path = "/events/{eventId}", tag = "events",
    params(("eventId" = String, Path, description = "Which."), EventParams),
    responses((status = 200, description = "The event.", body = EventOfferBody)),
)]
pub(super) async fn find_event(
    ctx: Ctx,
    Segments(Word(event)): Segments<Word<EventId>>,
    Params(params): Params<EventParams>,
) -> Result<Json<EventOfferBody>, Problem> {
    let details = service::event(&ctx, event, params.from.map(|from| from.0)).await?;
    let host = details.record.host.id;
    let event_type = details.record.event.offer.event_type;
    let requirements = asked(service::requirements(&ctx, host, event_type).await?);
    let card = event_card(details.record, details.slots, details.more);
    Ok(Json(EventOfferBody {
        event: (&card).into(),
        requirements: RequirementsBody::new(host, &requirements),
    }))
}
