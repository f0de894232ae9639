//! `GET /events/{eventId}`: one event, its times, and what its host asks.

use axum::extract::Path;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use spots_booking::requirement::Ask;
use spots_booking::{Schedule, TableHours};
use spots_host::ServiceError;
use spots_host::browser::words::{day, event_time, moment, places, slot_id, time, zone_name};
use spots_host::browser::{Query, Trouble, show};
use spots_host::view::{Choice, Section};

use super::request::Visitor;
use super::view::{
    AskLine, BookingChoice, EventPage, HostRef, Slot, SlotDay, SlotState, TableForm,
};
use crate::service::{self, EventDetails, Offer, OpenSlot};

pub(super) async fn show_event(
    visitor: Visitor,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Trouble> {
    let id = id
        .parse()
        .or(Err(visitor.trouble(ServiceError::not_found("event"))))?;
    let offer = service::offer(&visitor.ctx, visitor.person.as_ref(), id)
        .await
        .map_err(|error| visitor.trouble(error))?;
    let choice = match &offer.details.record.event.offer.schedule {
        Schedule::Tables(hours) => table(&visitor, &offer.details, hours, &query).await?,
        Schedule::Occurrences(_) => occurrences(&visitor, &offer.details),
    };
    Ok(show(&page(&visitor, &offer, choice)))
}

fn page(visitor: &Visitor, offer: &Offer, choice: BookingChoice) -> EventPage {
    let record = &offer.details.record;
    let event = &record.event.offer;
    let zone = event.zone();
    let read_in = visitor.zone.clone().unwrap_or_else(|| zone.clone());
    EventPage {
        page: visitor.page(event.title.clone(), Section::Events),
        id: record.event.id.to_string(),
        title: event.title.clone(),
        event_type: event.event_type,
        host: HostRef {
            id: record.host.id.to_string(),
            name: record.host.name.clone(),
            kind: record.host.kind,
        },
        description: event.description.lines().map(str::to_owned).collect(),
        when: when(visitor, &offer.details),
        zone: format!("Times are {}.", zone_name(&read_in)),
        place: event.place.clone(),
        asks: offer
            .fields
            .iter()
            .map(|field| AskLine {
                label: field.rule.label.clone(),
                required: field.rule.ask == Ask::Required,
                purpose: field.rule.purpose.clone(),
            })
            .collect(),
        choice,
    }
}

fn when(visitor: &Visitor, details: &EventDetails) -> String {
    let event = &details.record.event.offer;
    let zone = event.zone();
    match (&event.schedule, details.slots.first()) {
        (Schedule::Tables(hours), _) => {
            let hour = |at: jiff::civil::Time| at.strftime("%H:%M").to_string();
            let days = days_of(hours);
            let name = zone_name(&zone);
            format!(
                "{days}, {} to {}, {name}",
                hour(hours.opens),
                hour(hours.closes)
            )
        }
        (_, Some(first)) => {
            let at = first.slot.starts_at;
            let at = event_time(at, &zone, visitor.zone.as_ref(), visitor.ctx.now());
            let there = at
                .there
                .map(|there| format!(" ({there})"))
                .unwrap_or_default();
            format!("{}, {}{there}", at.start.text, at.zone)
        }
        (_, None) => "No time to come".to_owned(),
    }
}

fn days_of(hours: &TableHours) -> String {
    use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    if hours.weekdays.len() == 7 {
        return "Every day".to_owned();
    }
    let week = [
        (Monday, "Monday"),
        (Tuesday, "Tuesday"),
        (Wednesday, "Wednesday"),
        (Thursday, "Thursday"),
        (Friday, "Friday"),
        (Saturday, "Saturday"),
        (Sunday, "Sunday"),
    ];
    let open = week.iter().filter(|(day, _)| hours.weekdays.contains(day));
    open.map(|(_, name)| *name).collect::<Vec<_>>().join(", ")
}

fn occurrences(visitor: &Visitor, details: &EventDetails) -> BookingChoice {
    let event = &details.record.event;
    let zone = visitor.zone.clone().unwrap_or_else(|| event.offer.zone());
    match details.slots.as_slice() {
        [] if event.called_off => BookingChoice::Closed("The host called it off.".to_owned()),
        [] => BookingChoice::Closed("It is over; no time is to come.".to_owned()),
        [only] => {
            BookingChoice::Single(slot(details, only, &zone, Label::Moment(visitor.ctx.now())))
        }
        many => {
            let mut days: Vec<SlotDay> = Vec::new();
            for open in many {
                let on = day(open.slot.starts_at, &zone);
                let slot = slot(details, open, &zone, Label::Time);
                match days.last_mut() {
                    Some(last) if last.day.datetime == on.datetime => last.slots.push(slot),
                    _ => days.push(SlotDay {
                        day: on,
                        slots: vec![slot],
                    }),
                }
            }
            BookingChoice::Times(days)
        }
    }
}

/// How a slot is written: alone with its day, or below it.
#[derive(Clone, Copy)]
enum Label {
    Moment(Timestamp),
    Time,
}

fn slot(details: &EventDetails, open: &OpenSlot, zone: &TimeZone, label: Label) -> Slot {
    Slot {
        id: slot_id(&open.slot),
        time: match label {
            Label::Moment(now) => moment(open.slot.starts_at, zone, now),
            Label::Time => time(open.slot.starts_at, zone),
        },
        places: places(open.left, &details.record.event),
        state: if open.left == Some(0) {
            SlotState::Closed
        } else {
            SlotState::Open
        },
    }
}

async fn table(
    visitor: &Visitor,
    details: &EventDetails,
    hours: &TableHours,
    query: &Query,
) -> Result<BookingChoice, Trouble> {
    let event = &details.record.event.offer;
    let zone = event.zone();
    let today = visitor.ctx.now().to_zoned(zone.clone()).date();
    let last = today.saturating_add(i64::from(hours.days_ahead).days());
    let next = details
        .slots
        .first()
        .map(|open| open.slot.starts_at.to_zoned(zone.clone()).date());
    let wanted: Option<Date> = query.get("date").parse().ok();
    let date = wanted.or(next).unwrap_or(today).clamp(today, last);
    let party: u32 = query
        .get("party")
        .parse()
        .unwrap_or(2)
        .clamp(1, event.party_max);
    let from = date
        .to_zoned(zone.clone())
        .map_or(visitor.ctx.now(), |day| day.timestamp());
    let from_then = service::event(&visitor.ctx, details.record.event.id, Some(from))
        .await
        .map_err(|error| visitor.trouble(error))?;
    let on = |open: &OpenSlot| open.slot.starts_at.to_zoned(zone.clone()).date();
    let fits = |open: &OpenSlot| open.left.is_none_or(|left| left >= party);
    let times: Vec<_> = from_then
        .slots
        .iter()
        .filter(|open| on(open) == date)
        .collect();
    let next_free = from_then
        .slots
        .iter()
        .find(|open| on(open) > date && fits(open))
        .map(|open| {
            let date = on(open);
            let address = format!(
                "/events/{}?date={date}&party={party}",
                details.record.event.id
            );
            (address, day(open.slot.starts_at, &zone).text)
        });
    Ok(BookingChoice::Table(TableForm {
        date: date.to_string(),
        date_min: today.to_string(),
        date_max: last.to_string(),
        parties: parties(event.party_max, party),
        day: day(from, &zone).text,
        times: if times.iter().any(|open| fits(open)) {
            times
                .iter()
                .map(|open| table_slot(details, open, &zone, fits(open)))
                .collect()
        } else {
            Vec::new()
        },
        next_free,
    }))
}

fn table_slot(details: &EventDetails, open: &OpenSlot, zone: &TimeZone, fits: bool) -> Slot {
    let slot = slot(details, open, zone, Label::Time);
    if fits {
        slot
    } else {
        Slot {
            state: SlotState::Closed,
            ..slot
        }
    }
}

/// The sizes of a party, one chosen.
fn parties(most: u32, chosen: u32) -> Vec<Choice> {
    let choice = |count: u32| Choice {
        value: count.to_string(),
        label: people(count),
        chosen: count == chosen,
    };
    (1..=most).map(choice).collect()
}

fn people(count: u32) -> String {
    if count == 1 {
        "1 person".to_owned()
    } else {
        format!("{count} people")
    }
}
