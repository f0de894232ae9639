//! `GET /hosts/{hostId}`: a host at a glance.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use spots_booking::{Ask, EventType};

use super::event_row::row;
use super::visit::{Visit, trouble};
use crate::browser::{Trouble, show};
use crate::desk::{Asked, EventsWanted, FrontDoor, PartRequest};
use crate::view::{AskSummary, HostHomePage, HostTab};

/// Events that the overview shows.
const NEXT: PartRequest = PartRequest {
    offset: 0,
    limit: 5,
};

pub(super) async fn show_host(
    State(door): State<Arc<dyn FrontDoor>>,
    visit: Visit,
) -> Result<Response, Trouble> {
    let wanted = EventsWanted {
        text: None,
        over: Some(false),
    };
    let next = visit.desk.events(wanted, NEXT).await.map_err(trouble)?;
    let host = visit.desk.host();
    let mut asks = Vec::new();
    for event_type in visit.types() {
        let asked = door.asked(host.id, event_type).await.map_err(trouble)?;
        asks.push(summary(event_type, &asked));
    }
    Ok(show(&HostHomePage {
        page: visit.page(host.name.clone()),
        host: visit.head(HostTab::Home),
        next: next.items.iter().map(|card| row(&visit, card)).collect(),
        asks,
    }))
}

fn summary(event_type: EventType, asked: &Asked) -> AskSummary {
    let labels = |ask| {
        let rules = asked.requirements.rules().iter();
        let rules = rules.filter(|rule| rule.ask == ask);
        rules.map(|rule| rule.label.clone()).collect()
    };
    AskSummary {
        event_type,
        required: labels(Ask::Required),
        optional: labels(Ask::Optional),
    }
}
