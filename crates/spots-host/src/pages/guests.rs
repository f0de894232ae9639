//! `GET /hosts/{hostId}/events/{eventId}/guests`: who comes, and what they share now.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use spots_booking::{FieldName, HostId, Schedule};

use super::event_row::{next_places, when};
use super::visit::{Visit, trouble};
use crate::browser::words::{moment, slot_id, slot_of};
use crate::browser::{Form, Query, Trouble, encode, page_number, pager, see_other, show};
use crate::desk::{EventCard, FrontDoor, GuestCard, GuestsWanted, Part, PartRequest, Through};
use crate::error::ServiceError;
use crate::view::{Choice, Field, GuestRow, GuestsPage, HostTab};

/// Guests of one page.
const ROWS: u32 = 20;

pub(super) async fn list(
    State(door): State<Arc<dyn FrontDoor>>,
    visit: Visit,
    Path((_, event)): Path<(String, String)>,
    query: Query,
) -> Result<Response, Trouble> {
    let event = event
        .parse()
        .or(Err(trouble(ServiceError::not_found("event"))))?;
    let card = visit.desk.event(event).await.map_err(trouble)?;
    let number = page_number(&query);
    let guests = read(&visit, &card, &query, number).await.map_err(trouble)?;
    let host = visit.desk.host().id;
    let columns = columns(door.as_ref(), host, &card, &guests.items)
        .await
        .map_err(trouble)?;
    let zone = visit.reading.zone.clone();
    let zone = zone.unwrap_or_else(|| card.event.offer.zone());
    let row = |guest: &GuestCard| row(guest, &columns, &zone, visit.now());
    let mut page = GuestsPage {
        page: visit.page(format!("Guests of {}", card.event.offer.title)),
        host: visit.head(HostTab::Events),
        event_id: card.event.id.to_string(),
        event_title: card.event.offer.title.clone(),
        when: when(&visit, &card),
        places: next_places(&card),
        q: query.get("q").to_owned(),
        called_off: card.event.called_off,
        slots: slots(&card, query.get("slot"), &zone, visit.now()),
        guests: guests.items.iter().map(row).collect(),
        columns: columns.into_iter().map(|(_, field)| field).collect(),
        pager: pager(number, guests.more, ""),
    };
    let (q, slot) = (encode(&page.q), encode(query.get("slot")));
    let address = format!("{}?q={q}&slot={slot}", page.address());
    page.pager = pager(number, guests.more, &address);
    Ok(show(&page))
}

pub(super) async fn call_off(
    visit: Visit,
    Path((_, event)): Path<(String, String)>,
    form: Form,
) -> Result<Response, Trouble> {
    let event = event
        .parse()
        .or(Err(trouble(ServiceError::not_found("event"))))?;
    let address = format!("{}/events/{event}/guests", visit.address());
    if !form.ticked("sure") {
        return Ok(see_other(&address));
    }
    visit.desk.call_off(event).await.map_err(trouble)?;
    Ok(see_other(&format!("{address}?done=called-off")))
}

/// Opens the guests; a search that can be no guest's handle opens nothing.
async fn read(
    visit: &Visit,
    card: &EventCard,
    query: &Query,
    number: u32,
) -> Result<Part<GuestCard>, ServiceError> {
    let code = query.given("q").map(str::parse);
    let starts_at = query.given("slot").map(slot_of);
    if matches!(code, Some(Err(_))) || matches!(starts_at, Some(None)) {
        return Ok(Part {
            items: Vec::new(),
            more: false,
        });
    }
    let wanted = GuestsWanted {
        through: Through::Page,
        starts_at: starts_at.flatten(),
        code: code.and_then(Result::ok),
    };
    let part = PartRequest {
        offset: (number - 1) * ROWS,
        limit: ROWS,
    };
    visit.desk.guests(card.event.id, wanted, part).await
}

/// What the host asks now, and what it asked before where a guest still shares it.
async fn columns(
    door: &dyn FrontDoor,
    host: HostId,
    card: &EventCard,
    guests: &[GuestCard],
) -> Result<Vec<(FieldName, Field)>, ServiceError> {
    let asked = door.asked(host, card.event.offer.event_type).await?;
    let mut columns: Vec<_> = asked
        .requirements
        .rules()
        .iter()
        .map(|rule| (rule.field.clone(), Field::new(&rule.field, &*rule.label)))
        .collect();
    for (name, _) in guests.iter().flat_map(|guest| &guest.fields) {
        if columns.iter().all(|(known, _)| known != name) {
            let label = match name {
                FieldName::Standard(field) => field.label(),
                FieldName::Additional(key) => key,
            };
            columns.push((name.clone(), Field::new(name, label)));
        }
    }
    Ok(columns)
}

fn row(
    guest: &GuestCard,
    columns: &[(FieldName, Field)],
    zone: &TimeZone,
    now: Timestamp,
) -> GuestRow {
    let shared = |name: &FieldName| {
        let mut fields = guest.fields.iter();
        let (_, value) = fields.find(|(field, _)| field == name)?;
        Some(value.clone())
    };
    GuestRow {
        handle: format!("Guest {}", guest.code),
        time: moment(whole_minute(guest.placed.slot.starts_at), zone, now),
        party: guest.placed.party,
        cancelled: guest.cancelled,
        values: columns.iter().map(|(name, _)| shared(name)).collect(),
    }
}

/// Hosts see whole minutes: they cannot link people by when they did something.
fn whole_minute(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(at)
}

/// All times of an event, also those that are over; of tables only those to come.
fn slots(card: &EventCard, chosen: &str, zone: &TimeZone, now: Timestamp) -> Vec<Choice> {
    let times: Vec<_> = match &card.event.offer.schedule {
        Schedule::Occurrences(occurrences) => occurrences.clone(),
        Schedule::Tables(_) => card.times.iter().map(|open| open.slot).collect(),
    };
    let choice = |(value, label): (String, String)| Choice {
        chosen: value == chosen,
        value,
        label,
    };
    let all = (String::new(), "All times".to_owned());
    let each = |slot| (slot_id(slot), moment(slot.starts_at, zone, now).text);
    if times.len() < 2 {
        return Vec::new();
    }
    std::iter::once(all)
        .chain(times.iter().map(each))
        .map(choice)
        .collect()
}
