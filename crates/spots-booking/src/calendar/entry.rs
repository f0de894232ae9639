//! One VEVENT of a calendar, read but not yet put together with its exceptions.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::component::Component;
use super::expand::Steps;
use super::line::Line;
use super::moment::{Duration, Written, next_day};
use super::rule::Rule;
use super::skipped::Log;
use super::text;
use super::zone::{Zone, Zones};

/// Properties that are read, or that only programs need.
const READ: &str = " BEGIN END UID SUMMARY DESCRIPTION X-ALT-DESC LOCATION DTSTART DTEND DURATION \
    RRULE EXRULE RDATE EXDATE RECURRENCE-ID STATUS CLASS SEQUENCE DTSTAMP CREATED LAST-MODIFIED \
    TRANSP X-MICROSOFT-CDO-BUSYSTATUS X-MICROSOFT-CDO-ALLDAYEVENT X-MOZ-GENERATION ";
/// Properties about people.
const PEOPLE: &str = " ATTENDEE ORGANIZER CONTACT PARTICIPANT ";

/// A time of an event with its zone.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) written: Written,
    pub(super) civil: DateTime,
    pub(super) zone: Arc<Zone>,
}

impl Moment {
    fn new(written: Written, zone: Arc<Zone>) -> Self {
        let civil = match written {
            Written::Date(date) => date.at(0, 0, 0, 0),
            Written::Local(civil) | Written::Utc(civil) => civil,
        };
        Self {
            written,
            civil,
            zone,
        }
    }

    /// Whether it is a day without a time.
    pub(super) fn is_day(&self) -> bool {
        matches!(self.written, Written::Date(_))
    }

    /// When it is.
    pub(super) fn instant(&self) -> Option<Timestamp> {
        self.zone.instant(self.civil)
    }
}

/// How long an event lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many seconds of the clock.
    Exact(i64),
    /// To the same time so many days later, and so many seconds of the clock.
    Nominal(Duration),
    /// The calendar does not say.
    Unknown,
}

/// An additional date of an event.
#[derive(Clone, Debug)]
pub(super) struct Extra {
    pub(super) start: Moment,
    /// Its own length, if it has one.
    pub(super) length: Option<Length>,
}

/// Which date an exception replaces.
#[derive(Clone, Debug)]
pub(super) struct Replaces {
    pub(super) moment: Moment,
    /// Whether it stands for all later dates too.
    pub(super) and_later: bool,
}

/// A VEVENT.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) line: u32,
    pub(super) uid: Option<String>,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) place: String,
    pub(super) start: Moment,
    /// The calendar's own zone.
    pub(super) home: Arc<Zone>,
    pub(super) length: Length,
    pub(super) rules: Vec<Rule>,
    pub(super) exception_rules: Vec<Rule>,
    pub(super) extra: Vec<Extra>,
    pub(super) without: Vec<Moment>,
    pub(super) replaces: Option<Replaces>,
    /// The version: the sequence number, then when it was last changed.
    pub(super) version: (i64, String),
    pub(super) cancelled: bool,
    pub(super) private: bool,
}

/// Reads the entries of one calendar.
pub(super) struct EntryReader<'a, 'b> {
    pub(super) zones: &'a mut Zones<'b>,
    pub(super) steps: &'a mut Steps,
    pub(super) log: &'a mut Log,
    /// Whether the whole calendar is a cancellation (iTIP).
    pub(super) cancels: bool,
}

impl EntryReader<'_, '_> {
    /// Reads a VEVENT; logs what of it cannot be read.
    pub(super) fn read(&mut self, event: &Component) -> Option<Entry> {
        let title = text_of(event, "SUMMARY");
        let name = title.lines().next().unwrap_or_default().trim();
        let name = format!("“{}”", if name.is_empty() { "no title" } else { name });
        if !event.closed {
            self.log.add(
                &name,
                event.line,
                "the file ends or goes on before END:VEVENT",
            );
            return None;
        }
        let start = match self.start(event) {
            Ok(start) => start,
            Err(why) => {
                self.log.add(&name, event.line, why);
                return None;
            }
        };
        let length = match self.length(event, &start) {
            Ok(length) => length,
            Err((line, why)) => {
                self.log.add(&name, line, why);
                return None;
            }
        };
        let replaces = match self.replaces(event) {
            Ok(replaces) => replaces,
            Err((line, why)) => {
                self.log.add(&name, line, why);
                return None;
            }
        };
        self.log_unread(event);
        let uid = event
            .property("UID")
            .map(|line| line.value.trim().to_owned());
        let description = match text_of(event, "DESCRIPTION") {
            plain if plain.is_empty() => text_of(event, "X-ALT-DESC"),
            plain => plain,
        };
        Some(Entry {
            line: event.line,
            uid: uid.filter(|uid| !uid.is_empty()),
            rules: self.rules(event, "RRULE", &name),
            exception_rules: self.rules(event, "EXRULE", &name),
            extra: self.extra(event, &name),
            without: self.without(event, &name),
            replaces,
            version: version(event),
            cancelled: self.cancels || event.says("STATUS", "CANCELLED"),
            private: event.says("CLASS", "PRIVATE") || event.says("CLASS", "CONFIDENTIAL"),
            place: text_of(event, "LOCATION"),
            home: Arc::clone(&self.zones.floating),
            title,
            description,
            start,
            length,
        })
    }

    fn start(&mut self, event: &Component) -> Result<Moment, String> {
        let line = event.property("DTSTART").ok_or("it has no DTSTART")?;
        self.moment(line, &line.value)
    }

    fn length(&mut self, event: &Component, start: &Moment) -> Result<Length, (u32, String)> {
        if let Some(line) = event.property("DTEND") {
            let end = self
                .moment(line, &line.value)
                .map_err(|why| (line.number, why))?;
            length_until(start, &end).map_err(|why| (line.number, why))
        } else if let Some(line) = event.property("DURATION") {
            Duration::parse(&line.value)
                .map(Length::Nominal)
                .ok_or_else(|| (line.number, "its DURATION cannot be read".to_owned()))
        } else if start.is_day() {
            Ok(Length::Nominal(Duration {
                days: 1,
                seconds: 0,
            }))
        } else {
            Ok(Length::Unknown)
        }
    }

    fn replaces(&mut self, event: &Component) -> Result<Option<Replaces>, (u32, String)> {
        let Some(line) = event.property("RECURRENCE-ID") else {
            return Ok(None);
        };
        let moment = self
            .moment(line, &line.value)
            .map_err(|why| (line.number, why))?;
        let and_later = line.says("RANGE", "THISANDFUTURE");
        Ok(Some(Replaces { moment, and_later }))
    }

    fn moment(&mut self, line: &Line, text: &str) -> Result<Moment, String> {
        let name = &line.name;
        let mut written =
            Written::parse(text).ok_or_else(|| format!("its {name} cannot be read"))?;
        if line.says("VALUE", "DATE") {
            written = Written::Date(written.date());
        }
        let zone = self.zones.of(line, written, self.steps).map_err(|zone| {
            format!("its {name} is in the time zone “{zone}”, which neither is known nor defined in the file")
        })?;
        Ok(Moment::new(written, zone))
    }

    fn rules(&mut self, event: &Component, property: &str, name: &str) -> Vec<Rule> {
        let mut rules = Vec::new();
        for line in event.all(property) {
            match Rule::parse(&line.value) {
                Ok(rule) => rules.push(rule),
                Err(why) => {
                    let what = format!("the {property} of {name}");
                    self.log.add(
                        what,
                        line.number,
                        format!("{why}; dates of this rule are not imported"),
                    );
                }
            }
        }
        rules
    }

    fn extra(&mut self, event: &Component, name: &str) -> Vec<Extra> {
        let mut extra = Vec::new();
        for (line, text) in values(event, "RDATE") {
            let (start, end) = text
                .split_once('/')
                .map_or((text, None), |(a, b)| (a, Some(b)));
            let read = self.moment(line, start).and_then(|start| {
                let length = match end {
                    None => None,
                    Some(text) => Some(self.period_end(line, &start, text)?),
                };
                Ok(Extra { start, length })
            });
            match read {
                Ok(date) => extra.push(date),
                Err(why) => self
                    .log
                    .add(format!("an RDATE of {name}"), line.number, why),
            }
        }
        extra
    }

    fn period_end(&mut self, line: &Line, start: &Moment, text: &str) -> Result<Length, String> {
        if let Some(duration) = Duration::parse(text) {
            return Ok(Length::Nominal(duration));
        }
        let end = self.moment(line, text)?;
        length_until(start, &end)
    }

    fn without(&mut self, event: &Component, name: &str) -> Vec<Moment> {
        let mut without = Vec::new();
        for (line, text) in values(event, "EXDATE") {
            match self.moment(line, text) {
                Ok(moment) => without.push(moment),
                Err(why) => self
                    .log
                    .add(format!("an EXDATE of {name}"), line.number, why),
            }
        }
        without
    }

    /// Names what a VEVENT has beyond what is read.
    fn log_unread(&mut self, event: &Component) {
        for line in &event.properties {
            let name = line.name.as_str();
            if PEOPLE.contains(&format!(" {name} ")) {
                let why = "people are not imported; they book for themselves";
                self.log.add(name, line.number, why);
            } else if !READ.contains(&format!(" {name} ")) {
                self.log
                    .add(name, line.number, "an event here has no place for it");
            }
        }
        for child in &event.children {
            let why = match child.name.as_str() {
                "VALARM" => "reminders are not imported",
                "PARTICIPANT" => "people are not imported; they book for themselves",
                _ => "an event here has no place for it",
            };
            self.log.add(&child.name, child.line, why);
        }
    }
}

/// The values of a property that may hold several, and come several times.
fn values<'a>(
    event: &'a Component,
    property: &'a str,
) -> impl Iterator<Item = (&'a Line, &'a str)> {
    event.all(property).flat_map(|line| {
        let texts = line.value.split(',').map(str::trim);
        texts
            .filter(|text| !text.is_empty())
            .map(move |text| (line, text))
    })
}

fn version(event: &Component) -> (i64, String) {
    let text = |name| {
        event
            .property(name)
            .map(|line: &Line| line.value.trim().to_owned())
    };
    let sequence = text("SEQUENCE")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let changed = text("LAST-MODIFIED")
        .or_else(|| text("DTSTAMP"))
        .unwrap_or_default();
    (sequence, changed)
}

fn text_of(event: &Component, property: &str) -> String {
    event
        .property(property)
        .map_or_else(String::new, |line| text::plain(&line.value))
}

/// How long it is from a start to an end.
fn length_until(start: &Moment, end: &Moment) -> Result<Length, String> {
    let backwards = || "it ends before it starts".to_owned();
    if let Written::Date(first) = start.written {
        // The end is the day after the last; some programs repeat the day of the start.
        let last = match end.written {
            Written::Date(date) => date.max(next_day(first).unwrap_or(first)),
            _ => next_day(end.civil.date()).unwrap_or(first),
        };
        if end.civil.date() < first {
            return Err(backwards());
        }
        let days = days_between(first, last);
        return Ok(Length::Nominal(Duration { days, seconds: 0 }));
    }
    let beyond = || "its time lies outside of the years that are known".to_owned();
    let from = start.instant().ok_or_else(beyond)?;
    // A day as the end of a time: midnight where the event takes place.
    let until = in_zone_of(start, end).instant().ok_or_else(beyond)?;
    match until.as_second() - from.as_second() {
        seconds @ 1.. => Ok(Length::Exact(seconds)),
        0 => Ok(Length::Unknown),
        _ => Err(backwards()),
    }
}

/// A day that ends a time belongs to the zone of the time.
fn in_zone_of(start: &Moment, end: &Moment) -> Moment {
    let zone = if end.is_day() { &start.zone } else { &end.zone };
    Moment {
        zone: Arc::clone(zone),
        ..end.clone()
    }
}

fn days_between(first: Date, last: Date) -> i64 {
    last.duration_since(first).as_hours() / 24
}
