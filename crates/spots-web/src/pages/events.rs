//! `GET /`: events to book.

use axum::response::Response;
use spots_booking::EventType;
use spots_host::browser::words::{badge, event_time, places};
use spots_host::browser::{Query, Trouble, encode, page_number, pager, show};
use spots_host::view::Section;
use spots_store::PageRequest;

use super::request::Visitor;
use super::view::{EventCard, EventsPage, TypeFilter};
use crate::service::{self, EventQuery, EventSummary};

/// Events of one page.
const ROWS: u32 = 20;

pub(super) async fn list(visitor: Visitor, query: Query) -> Result<Response, Trouble> {
    let event_type: Option<EventType> = query.get("type").parse().ok();
    let asked = EventQuery {
        text: query.given("q").map(str::to_owned),
        event_type,
        host: None,
        over: None,
    };
    let number = page_number(&query);
    let part = PageRequest {
        offset: (number - 1) * ROWS,
        limit: ROWS,
    };
    let found = service::search_events(&visitor.ctx, asked, part)
        .await
        .map_err(|error| visitor.trouble(error))?;
    let shown = u32::try_from(found.items.len()).unwrap_or(ROWS);
    let address = format!(
        "/?q={}&type={}",
        encode(query.get("q")),
        encode(query.get("type"))
    );
    Ok(show(&EventsPage {
        page: visitor.page("Events", Section::Events),
        q: query.get("q").to_owned(),
        types: TypeFilter::all(event_type),
        events: found
            .items
            .iter()
            .map(|event| card(&visitor, event))
            .collect(),
        total: part.offset + shown,
        pager: pager(number, found.more, &address),
    }))
}

fn card(visitor: &Visitor, event: &EventSummary) -> EventCard {
    let offer = &event.record.event.offer;
    let zone = offer.zone();
    let now = visitor.ctx.now();
    let next = event.next.map_or(now, |open| open.slot.starts_at);
    let times = offer.slots_from(now, now, usize::from(u16::MAX)).len();
    EventCard {
        id: event.record.event.id.to_string(),
        title: offer.title.clone(),
        event_type: offer.event_type,
        host_name: event.record.host.name.clone(),
        date: badge(next, visitor.zone.as_ref().unwrap_or(&zone)),
        when: event_time(next, &zone, visitor.zone.as_ref(), now),
        more_times: u32::try_from(times.saturating_sub(1)).unwrap_or(u32::MAX),
        place: offer.place.clone(),
        places: places(event.next.and_then(|open| open.left), &event.record.event),
    }
}
