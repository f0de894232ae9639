//! Exceptions of a series: entries with a RECURRENCE-ID, and dates that are taken out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::entry::{Entry, Length, Moment};
use super::moment::{seconds_between, shift};
use super::series::{Instance, Instances, quoted};
use super::skipped::Log;

/// Dates as EXDATE and RECURRENCE-ID name them.
#[derive(Debug, Default)]
pub(super) struct Dates {
    instants: BTreeSet<Timestamp>,
    days: BTreeSet<Date>,
}

impl Dates {
    /// What EXDATE takes out.
    pub(super) fn taken_out(master: &Entry) -> Self {
        let mut dates = Self::default();
        for moment in &master.without {
            dates.insert(moment, master);
        }
        dates
    }

    /// What the exceptions replace.
    pub(super) fn replaced(master: &Entry, exceptions: &[&Entry]) -> Self {
        let mut dates = Self::default();
        for replaces in exceptions
            .iter()
            .filter_map(|entry| entry.replaces.as_ref())
        {
            if !replaces.and_later {
                dates.insert(&replaces.moment, master);
            }
        }
        dates
    }

    fn insert(&mut self, moment: &Moment, master: &Entry) {
        // Programs mix days and times here; the day is what both say.
        if moment.is_day() || master.start.is_day() {
            self.days.insert(moment.written.date());
        } else {
            self.instants.extend(moment.instant());
        }
    }

    /// Whether a date of the series is named.
    pub(super) fn contain(&self, starts_at: Timestamp, day: Date) -> bool {
        self.instants.contains(&starts_at) || self.days.contains(&day)
    }
}

/// One exception for each date, the newest, in the order of the dates.
pub(super) fn newest<'a>(exceptions: &'a [Entry], log: &mut Log) -> Vec<&'a Entry> {
    let mut newest: BTreeMap<(Option<Timestamp>, bool), &Entry> = BTreeMap::new();
    for entry in exceptions {
        let Some(replaces) = &entry.replaces else {
            continue;
        };
        let key = (replaces.moment.instant(), replaces.and_later);
        let older = match newest.get(&key) {
            Some(known) if known.version > entry.version => Some(entry),
            _ => newest.insert(key, entry),
        };
        if let Some(older) = older {
            let why = "a newer entry replaces the same date";
            log.add(quoted(&older.title), older.line, why);
        }
    }
    newest.into_values().collect()
}

/// Whether an exception still holds; programs leave those behind whose date was taken out later, or
/// that belong to an older version of the series.
pub(super) fn applies(
    entry: &Entry,
    master: &Entry,
    instances: &Instances,
    out: &Dates,
    log: &mut Log,
) -> bool {
    let Some(replaces) = &entry.replaces else {
        return false;
    };
    let Some(starts_at) = replaces.moment.instant() else {
        return false;
    };
    let day = replaces.moment.written.date();
    let name = format!("one date of {}", quoted(&master.title));
    if out.contain(starts_at, day) {
        log.add(name, entry.line, "the event takes this date out (EXDATE)");
        return false;
    }
    // Dates before the first instance that was looked for are not known.
    let looked_for = instances
        .keys()
        .next()
        .is_some_and(|first| starts_at >= *first);
    let mixed = replaces.moment.is_day() != master.start.is_day();
    let known = || {
        let mut days = instances.values().map(|instance| instance.civil.date());
        instances.contains_key(&starts_at) || mixed && days.any(|known| known == day)
    };
    if entry.version.0 < master.version.0 && looked_for && !known() {
        log.add(
            name,
            entry.line,
            "it replaces a date that a newer version of the event has not",
        );
        return false;
    }
    true
}

/// Seconds by which an exception moves all later dates.
pub(super) fn moved_by(exception: &Entry) -> Option<i64> {
    let replaces = exception
        .replaces
        .as_ref()
        .filter(|replaces| replaces.and_later)?;
    let original = exception.start.zone.civil(replaces.moment.instant()?);
    Some(seconds_between(original, exception.start.civil))
}

/// Moves dates as the exceptions say that stand for all later dates (RANGE=THISANDFUTURE).
pub(super) fn move_later(instances: &mut Instances, master: &Entry, exceptions: &[&Entry]) {
    let mut changes = BTreeMap::new();
    for entry in exceptions {
        if let (Some(replaces), Some(by)) = (&entry.replaces, moved_by(entry)) {
            changes.extend(replaces.moment.instant().map(|from| (from, (by, *entry))));
        }
    }
    if changes.is_empty() {
        return;
    }
    for (starts_at, instance) in std::mem::take(instances) {
        let moved = match changes.range(..=starts_at).next_back() {
            None => Some((instance.civil, instance.length)),
            Some((_, (_, entry))) if entry.cancelled || entry.private => None,
            Some((_, (by, entry))) => {
                let length = match entry.length {
                    Length::Unknown => instance.length,
                    known => known,
                };
                shift(instance.civil, *by).map(|civil| (civil, length))
            }
        };
        if let Some((civil, length)) = moved
            && let Some(starts_at) = master.start.zone.instant(civil)
        {
            instances.insert(starts_at, Instance { civil, length });
        }
    }
}
