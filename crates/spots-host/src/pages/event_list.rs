//! `GET /hosts/{hostId}/events`: what a host offers.

use axum::response::Response;

use super::event_row::row;
use super::visit::{Visit, trouble};
use crate::browser::{Query, Trouble, encode, page_number, pager, show};
use crate::desk::{EventsWanted, PartRequest};
use crate::view::{HostEventsPage, HostTab, Period};

/// Events of one page.
const ROWS: u32 = 20;

pub(super) async fn list(visit: Visit, query: Query) -> Result<Response, Trouble> {
    let period = match query.get("period") {
        "past" => Period::Past,
        _ => Period::Upcoming,
    };
    let wanted = EventsWanted {
        text: query.given("q").map(str::to_owned),
        over: Some(!period.is_upcoming()),
    };
    let number = page_number(&query);
    let part = PartRequest {
        offset: (number - 1) * ROWS,
        limit: ROWS,
    };
    let found = visit.desk.events(wanted, part).await.map_err(trouble)?;
    let address = format!(
        "{}/events?q={}&period={}",
        visit.address(),
        encode(query.get("q")),
        if period.is_upcoming() {
            "upcoming"
        } else {
            "past"
        },
    );
    Ok(show(&HostEventsPage {
        page: visit.page(format!("Events of {}", visit.desk.host().name)),
        host: visit.head(HostTab::Events),
        q: query.get("q").to_owned(),
        period,
        events: found.items.iter().map(|card| row(&visit, card)).collect(),
        pager: pager(number, found.more, &address),
    }))
}
