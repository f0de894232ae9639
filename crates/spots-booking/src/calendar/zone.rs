//! The zones of a calendar: IANA names, Windows names, and zones that the file defines itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::component::Component;
use super::expand::{Range, Steps, expand};
use super::line::Line;
use super::moment::{Written, parse_offset, shift};
use super::rule::Rule;
use super::windows;

/// The year from which the changes of a zone that a file defines are read.
const CHANGES_YEAR_MIN: i16 = 1970;
/// The most changes of one rule of a zone that a file defines.
const CHANGES_MAX: usize = 1000;

/// How civil times become instants.
#[derive(Debug)]
pub(super) enum Zone {
    /// A zone of the IANA database.
    Known { name: String, rules: TimeZone },
    /// A zone that the file defines: the offset before the first change, and the changes in order.
    Defined { first: i64, changes: Vec<Change> },
}

/// A change of the clocks. Offsets are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    at: i64,
    before: i64,
    after: i64,
}

impl Zone {
    /// The zone with this IANA name.
    pub(super) fn known(name: &str) -> Option<Self> {
        let rules = TimeZone::get(name).ok()?;
        // The name as the database spells it.
        let name = rules.iana_name().unwrap_or(name).to_owned();
        Some(Self::Known { name, rules })
    }

    /// The IANA name.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Known { name, .. } => Some(name),
            Self::Defined { .. } => None,
        }
    }

    /// The instant of a civil time. One that a change of the clocks skips has the offset from before
    /// the change; of one that it repeats the first is meant (RFC 5545, section 3.3.5).
    pub(super) fn instant(&self, civil: DateTime) -> Option<Timestamp> {
        match self {
            Self::Known { rules, .. } => rules
                .to_ambiguous_zoned(civil)
                .compatible()
                .ok()
                .map(|zoned| zoned.timestamp()),
            Self::Defined { first, changes } => {
                let utc = TimeZone::UTC.to_timestamp(civil).ok()?.as_second();
                let offset = offset_after(*first, changes, |change| {
                    change.at + change.before.max(change.after) <= utc
                });
                Timestamp::from_second(utc - offset).ok()
            }
        }
    }

    /// The civil time of an instant.
    pub(super) fn civil(&self, instant: Timestamp) -> DateTime {
        match self {
            Self::Known { rules, .. } => rules.to_datetime(instant),
            Self::Defined { first, changes } => {
                let offset =
                    offset_after(*first, changes, |change| change.at <= instant.as_second());
                let utc = TimeZone::UTC.to_datetime(instant);
                shift(utc, offset).unwrap_or(utc)
            }
        }
    }
}

/// The offset after the last change that has passed.
fn offset_after(first: i64, changes: &[Change], passed: impl Fn(&Change) -> bool) -> i64 {
    let count = changes.partition_point(passed);
    let last = count.checked_sub(1).and_then(|at| changes.get(at));
    last.map_or(first, |change| change.after)
}

/// The zones that a calendar names.
#[derive(Debug)]
pub(super) struct Zones<'a> {
    definitions: BTreeMap<&'a str, &'a Component>,
    resolved: BTreeMap<String, Option<Arc<Zone>>>,
    /// For floating times and days.
    pub(super) floating: Arc<Zone>,
    utc: Arc<Zone>,
    until: DateTime,
}

impl<'a> Zones<'a> {
    /// The zones of a calendar; its own definitions reach to a year after `until`.
    pub(super) fn new(calendar: &'a Component, floating: Arc<Zone>, until: Timestamp) -> Self {
        let definitions = calendar
            .children
            .iter()
            .filter(|child| child.name == "VTIMEZONE")
            .filter_map(|child| Some((child.property("TZID")?.value.trim(), child)))
            .collect();
        let until = TimeZone::UTC.to_datetime(until);
        let utc = Zone::Known {
            name: "UTC".to_owned(),
            rules: TimeZone::UTC,
        };
        Self {
            definitions,
            resolved: BTreeMap::new(),
            floating,
            utc: Arc::new(utc),
            until: until.checked_add(Span::new().years(1)).unwrap_or(until),
        }
    }

    /// The zone in which a property's time is written, or the name that means none.
    pub(super) fn of(
        &mut self,
        line: &Line,
        written: Written,
        steps: &mut Steps,
    ) -> Result<Arc<Zone>, String> {
        if matches!(written, Written::Utc(_)) {
            return Ok(Arc::clone(&self.utc));
        }
        match line
            .parameter("TZID")
            .filter(|_| !matches!(written, Written::Date(_)))
        {
            None => Ok(Arc::clone(&self.floating)),
            Some(name) => self.named(name, steps).ok_or_else(|| name.to_owned()),
        }
    }

    /// The zone with this name, if it means one.
    pub(super) fn named(&mut self, name: &str, steps: &mut Steps) -> Option<Arc<Zone>> {
        if let Some(zone) = self.resolved.get(name) {
            return zone.as_ref().map(Arc::clone);
        }
        let definition = self.definitions.get(name.trim()).copied();
        let zone = by_name(name)
            .or_else(|| {
                // What libical calls the zone that it defines.
                let location = definition?.property("X-LIC-LOCATION")?;
                by_name(&location.value)
            })
            .or_else(|| defined(definition?, self.until, steps))
            .map(Arc::new);
        self.resolved
            .insert(name.to_owned(), zone.as_ref().map(Arc::clone));
        zone
    }
}

/// A zone by its IANA name, also at the end of a path as some programs write it
/// (`/citadel.org/20210210_1/Europe/Berlin`), or by its Windows name.
pub(super) fn by_name(name: &str) -> Option<Zone> {
    let name = name.trim().trim_matches('"');
    let mut rest = name.trim_start_matches('/');
    loop {
        if let Some(zone) = Zone::known(rest) {
            return Some(zone);
        }
        match rest.split_once('/') {
            Some((_, after)) => rest = after,
            None => break,
        }
    }
    windows::iana(name).and_then(Zone::known)
}

/// A zone as the file defines it.
fn defined(definition: &Component, until: DateTime, steps: &mut Steps) -> Option<Zone> {
    let mut changes = Vec::new();
    for observance in &definition.children {
        if matches!(observance.name.as_str(), "STANDARD" | "DAYLIGHT") {
            changes.extend(observance_changes(observance, until, steps)?);
        }
    }
    changes.sort_unstable();
    changes.dedup_by_key(|change| change.at);
    let first = changes.first()?.before;
    Some(Zone::Defined { first, changes })
}

/// The changes of one STANDARD or DAYLIGHT part; nothing where it cannot be read.
fn observance_changes(
    observance: &Component,
    until: DateTime,
    steps: &mut Steps,
) -> Option<Vec<Change>> {
    let offset = |name| parse_offset(&observance.property(name)?.value);
    let (before, after) = (offset("TZOFFSETFROM")?, offset("TZOFFSETTO")?);
    let civil = |text: &str| match Written::parse(text)? {
        Written::Local(civil) => Some(civil),
        // Onsets of a zone are written in its own time; a Z does not belong there but is seen.
        Written::Utc(utc) => shift(utc, before),
        Written::Date(date) => Some(date.at(0, 0, 0, 0)),
    };
    let start = civil(&observance.property("DTSTART")?.value)?;
    let mut onsets = vec![start];
    for line in observance.all("RDATE") {
        for text in line.value.split(',') {
            onsets.push(civil(text)?);
        }
    }
    for line in observance.all("RRULE") {
        let rule = Rule::parse(&line.value).ok()?;
        let last = match rule.until {
            Some(Written::Date(date)) => Some(date.at(23, 59, 59, 0)),
            Some(Written::Local(civil)) => Some(civil),
            Some(Written::Utc(utc)) => Some(shift(utc, before)?),
            None => None,
        };
        let from = jiff::civil::date(CHANGES_YEAR_MIN, 1, 1).at(0, 0, 0, 0);
        let range = Range {
            from,
            counted_from: from,
            until,
            most: CHANGES_MAX,
        };
        onsets.extend(expand(&rule, start, last, range, steps).times);
    }
    let change = |onset: DateTime| {
        let at = TimeZone::UTC.to_timestamp(onset).ok()?.as_second() - before;
        Some(Change { at, before, after })
    };
    onsets.into_iter().map(change).collect()
}
