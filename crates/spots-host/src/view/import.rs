//! `GET|POST /hosts/{hostId}/import`: a host brings the calendar it has.

use askama::Template;
use spots_booking::EventType;

use super::{
    Choice, EventTime, FormErrors, HostHead, HostTab, Moment, Page, Reader, Sample, Samples,
    Section,
};

/// The import of an iCalendar file: choose it, see what will happen, confirm.
///
/// The first step is `multipart/form-data` with `action=preview`, `calendar` (the file),
/// `eventType`, `timeZone` and `capacity`; the second sends `action=create`, `carried` and the same
/// three.
#[derive(Debug, Clone, Template)]
#[template(path = "host/import.html")]
pub struct ImportPage {
    /// The head of the page.
    pub page: Page,
    /// The host.
    pub host: HostHead,
    /// The types that the imported events may have, one chosen.
    pub types: Vec<Choice>,
    /// `timeZone`: IANA name of the zone of times for which the file names none.
    pub zones: Vec<Choice>,
    /// Places at each time, as typed; empty for no limit.
    pub capacity: String,
    /// The largest file that is read, in words, for example `1 MB`.
    pub size_max: String,
    /// What the chosen file would create.
    pub preview: Option<ImportPreview>,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// What a calendar file would create.
#[derive(Debug, Clone)]
pub struct ImportPreview {
    /// The file's name.
    pub file_name: String,
    /// The file that was read, as base64url: what the confirming form sends back.
    pub carried: String,
    /// `eventType` as chosen.
    pub event_type: EventType,
    /// `timeZone` as chosen.
    pub time_zone: String,
    /// How many events would be created in all.
    pub create_total: u32,
    /// The first of them.
    pub create: Vec<ImportedEvent>,
    /// How many entries of the file would be left out in all.
    pub skipped_total: u32,
    /// The first of them.
    pub skipped: Vec<SkippedEntry>,
}

/// One event that would be created.
#[derive(Debug, Clone)]
pub struct ImportedEvent {
    /// The event's name.
    pub title: String,
    /// Its first time.
    pub when: EventTime,
    /// How many times it takes place.
    pub times: u32,
    /// Where, if the file says.
    pub place: Option<String>,
    /// What was understood with a doubt, for example a zone that had to be guessed.
    pub note: Option<String>,
}

/// One entry of the file that would be left out.
#[derive(Debug, Clone)]
pub struct SkippedEntry {
    /// What it is, in the file's words.
    pub what: String,
    /// Why it is left out and what to do about it.
    pub why: String,
}

impl ImportPreview {
    fn sample() -> Self {
        let when = |datetime: &str, text: &str| EventTime {
            start: Moment::new(datetime, text),
            zone: "Berlin time".to_owned(),
            there: None,
        };
        Self {
            file_name: "summer-programme.ics".to_owned(),
            carried: "imp_5Jw0".to_owned(),
            event_type: EventType::BusinessEvent,
            time_zone: "Europe/Berlin".to_owned(),
            create_total: 14,
            create: vec![
                ImportedEvent {
                    title: "Open kitchen".to_owned(),
                    when: when(
                        "2026-12-01T18:00:00+01:00",
                        "Tue 1 December, 18:00 to 20:00",
                    ),
                    times: 12,
                    place: Some("Café Mira, Torstraße 1".to_owned()),
                    note: None,
                },
                ImportedEvent {
                    title: "Concert: Trio Lindenhof".to_owned(),
                    when: when(
                        "2026-12-05T20:00:00+01:00",
                        "Sat 5 December, 20:00 to 22:00",
                    ),
                    times: 1,
                    place: None,
                    note: Some(
                        "The file names no time zone; read as the host's, Berlin.".to_owned(),
                    ),
                },
            ],
            skipped_total: 2,
            skipped: vec![
                SkippedEntry {
                    what: "Summer party, 4 July 2026".to_owned(),
                    why: "It is over.".to_owned(),
                },
                SkippedEntry {
                    what: "Entry on line 214, without a name".to_owned(),
                    why:
                        "It has no start time (DTSTART). Add one in your calendar and export again."
                            .to_owned(),
                },
            ],
        }
    }
}

impl Samples for ImportPage {
    fn samples() -> Vec<Sample<Self>> {
        let types = [EventType::Reservation, EventType::BusinessEvent];
        let empty = Self {
            page: Page::new("Import a calendar", Reader::Person, Section::Hosting),
            host: HostHead::sample(HostTab::Import),
            types: Choice::list(types.map(|t| (t.as_str(), t.label())), "business_event"),
            zones: Choice::list(
                [("Europe/Berlin", "Europe/Berlin"), ("UTC", "UTC")],
                "Europe/Berlin",
            ),
            capacity: String::new(),
            size_max: "1 MB".to_owned(),
            preview: None,
            errors: FormErrors::none(),
        };
        let preview = Self {
            preview: Some(ImportPreview::sample()),
            ..empty.clone()
        };
        let mut nothing = ImportPreview::sample();
        nothing.create_total = 0;
        nothing.create.clear();
        let nothing = Self {
            preview: Some(nothing),
            ..empty.clone()
        };
        let errors = Self {
            errors: FormErrors::none().with(
                "calendar",
                "This file is not an iCalendar file. Export it as .ics and try again.",
            ),
            ..empty.clone()
        };
        vec![
            Sample::new("empty", empty),
            Sample::new("preview", preview),
            Sample::new("nothing_to_create", nothing),
            Sample::new("errors", errors),
        ]
    }
}
