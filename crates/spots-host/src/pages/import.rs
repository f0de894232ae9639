//! `GET|POST /hosts/{hostId}/import`: a host brings the calendar it has.
//!
//! The first step shows what a file would create; the second gets the file back from the form and
//! creates it. Nothing is kept in between.

mod upload;

use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::ToSpan as _;
use spots_booking::calendar::{self, Import, ImportedEvent, Options, Skipped};
use spots_booking::{EventType, Schedule};

pub(super) use self::upload::BODY_BYTES_MAX;
use self::upload::Upload;
use super::visit::{Visit, trouble};
use crate::browser::words::event_time;
use crate::browser::{Trouble, of_form, see_other, show, show_as};
use crate::view::{
    FormErrors, HostTab, ImportPage, ImportPreview, ImportedEvent as ImportedRow, SkippedEntry,
};

/// How far ahead recurrences are expanded, in hours: a year.
const AHEAD_HOURS: i64 = 365 * 24;
/// Minutes that an event lasts which does not say so.
const MINUTES_DEFAULT: u16 = 60;
/// The largest party of one booking of an imported event.
const PARTY_MAX: u32 = 10;
/// Events and left-out entries that the preview shows.
const SHOWN_MAX: usize = 50;

pub(super) async fn begin(visit: Visit) -> Response {
    show(&page(&visit, &Upload::default(), FormErrors::none()))
}

pub(super) async fn import(visit: Visit, upload: Upload) -> Result<Response, Trouble> {
    let (import, event_type) = match read(&visit, &upload) {
        Ok(read) => read,
        Err(errors) => return Ok(refused(&visit, &upload, errors)),
    };
    if upload.get("action") != "create" {
        let mut page = page(&visit, &upload, FormErrors::none());
        page.preview = Some(preview(&visit, &upload, &import, event_type));
        return Ok(show(&page));
    }
    let events = import.events.into_iter();
    let events = events.map(|event| (event.offer, event.uid)).collect();
    match visit.desk.add_events(events).await {
        Ok(_) => {
            let address = format!("{}/events?done=imported", visit.address());
            Ok(see_other(&address))
        }
        Err(error) => match of_form(&error, |_| "calendar".to_owned()) {
            Some(errors) => Ok(refused(&visit, &upload, errors)),
            None => Err(trouble(error)),
        },
    }
}

/// Reads the file with what was chosen beside it.
fn read(visit: &Visit, upload: &Upload) -> Result<(Import, EventType), FormErrors> {
    let mut errors = FormErrors::none();
    if upload.is_cut_off() {
        return Err(errors.with("calendar", upload::too_large()));
    }
    let event_type: EventType = upload.get("eventType").parse().unwrap_or_else(|_| {
        errors.add("eventType", "Choose what the events become.");
        EventType::Reservation
    });
    let capacity = upload.get("capacity").trim();
    let places = capacity.parse::<u32>();
    if !capacity.is_empty() && places.is_err() {
        let mend = "Enter a whole number of places, or leave it empty for no limit.";
        errors.add("capacity", mend);
    }
    let bytes = upload.calendar().unwrap_or_else(|mend| {
        errors.add("calendar", mend);
        Vec::new()
    });
    if !errors.is_empty() {
        return Err(errors);
    }
    let from = visit.now();
    let options = Options {
        event_type,
        time_zone: upload.get("timeZone").to_owned(),
        from,
        until: from.checked_add(AHEAD_HOURS.hours()).unwrap_or(from),
        minutes_default: Some(MINUTES_DEFAULT),
        capacity: places.ok(),
        party_max: PARTY_MAX,
    };
    calendar::read(&bytes, &options)
        .map(|import| (import, event_type))
        .map_err(|error| errors.with("calendar", sentence(&error.to_string())))
}

fn refused(visit: &Visit, upload: &Upload, errors: FormErrors) -> Response {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    show_as(status, &page(visit, upload, errors))
}

fn preview(visit: &Visit, upload: &Upload, import: &Import, event_type: EventType) -> ImportPreview {
    let bytes = upload.calendar().unwrap_or_default();
    let total = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let events = import.events.iter().take(SHOWN_MAX);
    ImportPreview {
        file_name: upload.file_name().to_owned(),
        carried: URL_SAFE_NO_PAD.encode(bytes),
        event_type,
        time_zone: upload.get("timeZone").to_owned(),
        create_total: total(import.events.len()),
        create: events.map(|event| row(visit, event)).collect(),
        skipped_total: total(import.skipped.len()),
        skipped: import
            .skipped
            .iter()
            .take(SHOWN_MAX)
            .map(entry)
            .collect(),
    }
}

fn row(visit: &Visit, event: &ImportedEvent) -> ImportedRow {
    let offer = &event.offer;
    let occurrences = match &offer.schedule {
        Schedule::Occurrences(occurrences) => occurrences.as_slice(),
        Schedule::Tables(_) => &[],
    };
    let now = visit.now();
    let first = occurrences.first().map_or(now, |slot| slot.starts_at);
    let unnamed = "The file gives this event no id of its own: importing it again adds it again.";
    ImportedRow {
        title: offer.title.clone(),
        when: event_time(first, &offer.zone(), visit.reading.zone.as_ref(), now),
        times: u32::try_from(occurrences.len()).unwrap_or(u32::MAX),
        place: Some(offer.place.clone()).filter(|place| !place.is_empty()),
        note: event.uid.is_none().then(|| unnamed.to_owned()),
    }
}

fn entry(skipped: &Skipped) -> SkippedEntry {
    let times = match skipped.times {
        1 => String::new(),
        times => format!(", {times} times"),
    };
    SkippedEntry {
        what: format!("{}, line {}{times}", skipped.what, skipped.line),
        why: sentence(&skipped.why),
    }
}

fn page(visit: &Visit, upload: &Upload, errors: FormErrors) -> ImportPage {
    ImportPage {
        page: visit.page("Import a calendar"),
        host: visit.head(HostTab::Import),
        types: visit.type_choices(upload.get("eventType")),
        zones: visit.zone_choices(upload.get("timeZone")),
        capacity: upload.get("capacity").to_owned(),
        size_max: upload::size_max(),
        preview: None,
        errors,
    }
}

/// Words of the calendar reader as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}
