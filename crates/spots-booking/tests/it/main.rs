//! The public interface of the crate, tested from outside.

mod calendar;
mod calendar_limits;
mod calendar_zones;

use jiff::Timestamp;
use spots_booking::calendar::{Import, ImportedEvent, Options, read};
use spots_booking::{EventType, Schedule};

/// An import in Berlin of the years 2026 and 2027.
fn options() -> Options {
    Options {
        event_type: EventType::CommunityEvent,
        time_zone: "Europe/Berlin".to_owned(),
        from: at("2026-01-01T00:00Z"),
        until: at("2028-01-01T00:00Z"),
        minutes_default: None,
        capacity: Some(20),
        party_max: 4,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// A calendar with these lines between its BEGIN and END.
fn calendar(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//test\n{lines}\nEND:VCALENDAR\n")
}

/// An event of this name, with these lines.
fn event(uid: &str, lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:{uid}\nSUMMARY:{uid}\n{lines}\nEND:VEVENT\n")
}

fn import(text: &str) -> Import {
    read(text.as_bytes(), &options()).expect("a calendar")
}

/// The only event of a calendar with this event.
fn only(uid: &str, lines: &str) -> ImportedEvent {
    let mut import = import(&calendar(&event(uid, lines)));
    assert_eq!(import.events.len(), 1, "{:?}", import.skipped);
    import.events.remove(0)
}

/// The dates of an event as `start/end` in UTC, to the minute.
fn dates(event: &ImportedEvent) -> Vec<String> {
    let Schedule::Occurrences(occurrences) = &event.offer.schedule else {
        unreachable!("an import has a list of dates")
    };
    let minute = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M").to_string();
    occurrences
        .iter()
        .map(|date| format!("{}/{}", minute(date.starts_at), minute(date.ends_at)))
        .collect()
}

/// The beginnings of an event in UTC, to the minute.
fn starts(event: &ImportedEvent) -> Vec<String> {
    let dates = dates(event);
    dates.iter().map(|date| date[..16].to_owned()).collect()
}

/// What was skipped, as `what: why`.
fn skipped(import: &Import) -> Vec<String> {
    import
        .skipped
        .iter()
        .map(|skipped| format!("{} {}: {}", skipped.line, skipped.what, skipped.why))
        .collect()
}
