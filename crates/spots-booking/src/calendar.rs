//! Reading iCalendar files (RFC 5545): the calendar a host has becomes events to book.
//!
//! [`read`] takes the bytes of a file and gives one [`NewEvent`] for each UID, with all its dates in a
//! range. What is not imported is told, with its line and the reason. No I/O and no clock: the range
//! comes from the caller. `docs/calendar-import.md` lists what is supported.

mod component;
mod entry;
mod exception;
mod expand;
mod line;
mod moment;
mod rule;
mod series;
mod skipped;
mod text;
mod windows;
mod zone;

use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

use self::component::Component;
use self::entry::{Entry, EntryReader};
use self::expand::Steps;
use self::series::Assembly;
use self::skipped::Log;
pub use self::skipped::Skipped;
use self::zone::{Zone, Zones};
use crate::event::{NewEvent, Occurrence, Schedule};
use crate::event_type::EventType;
use crate::refusal::Refusal;

/// The largest file, in bytes.
pub const FILE_BYTES_MAX: usize = 5 * 1024 * 1024;
/// The longest property once its folds are undone, in bytes.
pub const LINE_BYTES_MAX: usize = 64 * 1024;
/// The most VEVENTs of one file.
pub const ENTRIES_MAX: usize = 20_000;
/// The most entries of a report; what is beyond is counted.
pub const SKIPPED_MAX: usize = 5_000;
/// The most dates of all events of a file together.
pub const DATES_MAX: usize = 100_000;
/// The most steps (days and times looked at) of one recurrence rule.
pub const RULE_STEPS_MAX: u64 = 100_000;
/// The most steps of all recurrence rules of a file.
pub const FILE_STEPS_MAX: u64 = 5_000_000;

/// What a calendar file leaves open.
#[derive(Clone, Debug)]
pub struct Options {
    /// What kind of events to make.
    pub event_type: EventType,
    /// IANA name of the zone of times without one, for example `Europe/Berlin`; a zone that the
    /// calendar names as its own (`X-WR-TIMEZONE`) goes before.
    pub time_zone: String,
    /// Dates that begin from here on.
    pub from: Timestamp,
    /// Dates that begin before this.
    pub until: Timestamp,
    /// Minutes that an event lasts which does not say so; `None` skips it.
    pub minutes_default: Option<u16>,
    /// Places per date; `None` is unlimited.
    pub capacity: Option<u32>,
    /// The largest party of one booking.
    pub party_max: u32,
}

/// What was read from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The events, in the order of the file.
    pub events: Vec<ImportedEvent>,
    /// Everything that was not imported, by line.
    pub skipped: Vec<Skipped>,
}

/// One event of a file with all its dates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedEvent {
    /// How the calendar names it, the same at every export; `None` where the file gives it no
    /// name or gives several events one.
    pub uid: Option<String>,
    /// Where it begins in the file, from 1.
    pub line: u32,
    /// What to offer; checked.
    pub offer: NewEvent,
}

impl ImportedEvent {
    fn dates(&self) -> usize {
        match &self.offer.schedule {
            Schedule::Occurrences(occurrences) => occurrences.len(),
            Schedule::Tables(_) => 0,
        }
    }
}

/// Why a file is not read at all, with the next step.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CalendarError {
    /// It has more than [`FILE_BYTES_MAX`] bytes.
    #[error(
        "the file has {bytes} bytes; export a shorter range, of at most {FILE_BYTES_MAX} bytes"
    )]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// It has more than [`ENTRIES_MAX`] entries.
    #[error(
        "the file has {entries} events; export a shorter range, of at most {ENTRIES_MAX} events"
    )]
    TooManyEntries {
        /// How many it has.
        entries: usize,
    },
    /// It is text of another encoding than UTF-8.
    #[error("the file is UTF-16 text; save it as UTF-8")]
    NotUtf8,
    /// It holds no calendar.
    #[error(
        "this is no iCalendar file: it has no line BEGIN:VCALENDAR; export the calendar as .ics"
    )]
    NotACalendar,
    /// It holds a calendar of the version before iCalendar.
    #[error("this is a vCalendar 1.0 file (.vcs); export the calendar as iCalendar 2.0 (.ics)")]
    VCalendar,
    /// The range is empty.
    #[error("the range to import ends before it begins; choose a later end")]
    EmptyRange,
    /// The options are no basis for an event.
    #[error("the options of the import need attention: {0}")]
    Options(Refusal),
}

/// Reads a file.
pub fn read(bytes: &[u8], options: &Options) -> Result<Import, CalendarError> {
    let floating = check(options)?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(CalendarError::TooLarge { bytes: bytes.len() });
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(CalendarError::NotUtf8);
    }
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut log = Log::default();
    let calendars = component::calendars(line::lines(bytes), &mut log);
    if calendars.is_empty() {
        return Err(CalendarError::NotACalendar);
    }
    if calendars
        .iter()
        .any(|calendar| calendar.says("VERSION", "1.0"))
    {
        return Err(CalendarError::VCalendar);
    }
    let entries = calendars.iter().flat_map(|calendar| &calendar.children);
    let entries = entries.filter(|child| child.name == "VEVENT").count();
    if entries > ENTRIES_MAX {
        return Err(CalendarError::TooManyEntries { entries });
    }

    let mut steps = Steps::new();
    let mut entries = Vec::new();
    for calendar in &calendars {
        let mut zones = Zones::new(calendar, Arc::clone(&floating), options.until);
        zones.floating = own_zone(calendar, &mut zones, &mut steps, &mut log);
        entries.extend(read_entries(calendar, &mut zones, &mut steps, &mut log));
    }
    let series = series::by_uid(entries, &mut log);
    let mut assembly = Assembly {
        options,
        steps: &mut steps,
        log: &mut log,
        more: false,
    };
    let mut events: Vec<ImportedEvent> = Vec::new();
    let mut dates = 0;
    for series in &series {
        let Some(event) = assembly.assemble(series) else {
            continue;
        };
        if dates + event.dates() <= DATES_MAX {
            dates += event.dates();
            events.push(event);
        } else {
            let why = format!("the file has more than {DATES_MAX} dates; import a shorter range");
            let title = series::quoted(&event.offer.title);
            assembly.log.add(title, event.line, why);
        }
    }
    Ok(Import {
        events,
        skipped: log.finish(),
    })
}

/// Refuses options with which no event could be made; the zone of floating times.
fn check(options: &Options) -> Result<Arc<Zone>, CalendarError> {
    if options.until <= options.from {
        return Err(CalendarError::EmptyRange);
    }
    let sample = NewEvent {
        event_type: options.event_type,
        title: "Sample".to_owned(),
        description: String::new(),
        place: String::new(),
        time_zone: options.time_zone.clone(),
        schedule: Schedule::Occurrences(vec![Occurrence {
            starts_at: Timestamp::UNIX_EPOCH,
            ends_at: Timestamp::from_second(60).expect("a minute after the epoch is a time"),
        }]),
        capacity: options.capacity,
        party_max: options.party_max,
    };
    let sample = sample.check().map_err(CalendarError::Options)?;
    Ok(Arc::new(Zone::Known {
        rules: sample.zone(),
        name: sample.time_zone,
    }))
}

/// The zone that the calendar names as its own.
fn own_zone(
    calendar: &Component,
    zones: &mut Zones<'_>,
    steps: &mut Steps,
    log: &mut Log,
) -> Arc<Zone> {
    let fallback = Arc::clone(&zones.floating);
    let Some(line) = calendar.property("X-WR-TIMEZONE") else {
        return fallback;
    };
    // Only a zone with a name can be shown to people later.
    let named = zones
        .named(&line.value, steps)
        .filter(|zone| zone.name().is_some());
    named.unwrap_or_else(|| {
        let why = "this time zone is not known; the zone of the import stands in for it";
        log.add(format!("X-WR-TIMEZONE {}", line.value), line.number, why);
        fallback
    })
}

/// The VEVENTs of a calendar; what else stands there is logged by name.
fn read_entries(
    calendar: &Component,
    zones: &mut Zones<'_>,
    steps: &mut Steps,
    log: &mut Log,
) -> Vec<Entry> {
    if !calendar.closed {
        let why = "the file ends before END:VCALENDAR; it may be incomplete";
        log.add("the end of the calendar", calendar.line, why);
    }
    if let Some(line) = calendar.property("CALSCALE")
        && !line.value.trim().eq_ignore_ascii_case("GREGORIAN")
    {
        let why = "dates are read by the Gregorian calendar";
        log.add(format!("CALSCALE {}", line.value), line.number, why);
    }
    let mut reader = EntryReader {
        cancels: calendar.says("METHOD", "CANCEL"),
        zones,
        steps,
        log,
    };
    let mut entries = Vec::new();
    for child in &calendar.children {
        match child.name.as_str() {
            "VEVENT" => entries.extend(reader.read(child)),
            "VTIMEZONE" => {}
            name => {
                let title = child
                    .property("SUMMARY")
                    .map(|line| series::quoted(&text::plain(&line.value)));
                let what = format!("{name} {}", title.unwrap_or_default());
                reader
                    .log
                    .add(what.trim(), child.line, "only events (VEVENT) are imported");
            }
        }
    }
    entries
}
