//! One event of a host, as lists and heads show it.

use jiff::Timestamp;
use spots_booking::Schedule;

use super::visit::Visit;
use crate::browser::words::{badge, event_time, places};
use crate::desk::EventCard;
use crate::view::{EventTime, HostEventRow, Places};

pub(super) fn row(visit: &Visit, card: &EventCard) -> HostEventRow {
    let offer = &card.event.offer;
    let zone = offer.zone();
    let shown = shown_time(visit, card);
    HostEventRow {
        id: card.event.id.to_string(),
        title: offer.title.clone(),
        event_type: offer.event_type,
        date: badge(shown, visit.reading.zone.as_ref().unwrap_or(&zone)),
        when: when(visit, card),
        places: next_places(card),
    }
}

/// The event's next time; its last one where none is to come.
pub(super) fn when(visit: &Visit, card: &EventCard) -> EventTime {
    let zone = card.event.offer.zone();
    let shown = shown_time(visit, card);
    event_time(shown, &zone, visit.reading.zone.as_ref(), visit.now())
}

/// Places at the next time.
pub(super) fn next_places(card: &EventCard) -> Option<Places> {
    let next = card.times.first()?;
    Some(places(next.left, &card.event))
}

fn shown_time(visit: &Visit, card: &EventCard) -> Timestamp {
    let last = match &card.event.offer.schedule {
        Schedule::Occurrences(occurrences) => occurrences.last().map(|slot| slot.starts_at),
        Schedule::Tables(_) => None,
    };
    let next = card.times.first().map(|open| open.slot.starts_at);
    next.or(last).unwrap_or(visit.now())
}
