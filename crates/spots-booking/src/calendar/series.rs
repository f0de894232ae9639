//! The entries of one UID put together: all its dates, without the exceptions, as one offer.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use jiff::{Span, Timestamp, ToSpan as _};

use super::entry::{Entry, Length, Moment};
use super::exception::{self, Dates};
use super::expand::{Range, Steps, expand};
use super::moment::{Written, shift};
use super::rule::{Frequency, Rule};
use super::skipped::Log;
use super::{ImportedEvent, Options, text};
use crate::event::{
    DESCRIPTION_CHARS_MAX, NewEvent, OCCURRENCE_DAYS_MAX, OCCURRENCES_MAX, Occurrence, Schedule,
    TITLE_CHARS_MAX,
};
use crate::refusal::Refusal;
use crate::value::LINE_CHARS_MAX;

/// What one UID stands for.
#[derive(Debug, Default)]
pub(super) struct Series {
    uid: Option<String>,
    /// The entry that the others are exceptions of; a file may hold exceptions alone.
    master: Option<Entry>,
    exceptions: Vec<Entry>,
}

/// Puts entries together by UID, in the order of the file.
pub(super) fn by_uid(entries: Vec<Entry>, log: &mut Log) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        let place = entry.uid.as_ref().and_then(|uid| places.get(uid).copied());
        if let Some(series) = place.and_then(|at| all.get_mut(at)) {
            let apart = series.take(entry, log);
            all.extend(apart);
        } else {
            places.extend(entry.uid.clone().map(|uid| (uid, all.len())));
            let mut series = Series {
                uid: entry.uid.clone(),
                ..Series::default()
            };
            series.take(entry, log);
            all.push(series);
        }
    }
    all
}

impl Series {
    /// Adds an entry; returns it as an event of its own where it only shares the UID.
    fn take(&mut self, entry: Entry, log: &mut Log) -> Option<Self> {
        if entry.replaces.is_some() {
            self.exceptions.push(entry);
            return None;
        }
        let Some(known) = &mut self.master else {
            self.master = Some(entry);
            return None;
        };
        let same = known.title == entry.title && known.start.instant() == entry.start.instant();
        if known.version.0 == entry.version.0 && !same {
            // Programs that give all events one UID mean all of them.
            return Some(Self {
                uid: None,
                master: Some(entry),
                exceptions: Vec::new(),
            });
        }
        let (older, newer) = if entry.version >= known.version {
            (std::mem::replace(known, entry), known.line)
        } else {
            (entry, known.line)
        };
        let why = format!("it has the UID of the event of line {newer}, which is newer");
        log.add(quoted(&older.title), older.line, why);
        None
    }
}

/// The title of an entry in the words of a report.
pub(super) fn quoted(title: &str) -> String {
    let title = title.lines().next().unwrap_or_default();
    format!("“{}”", if title.is_empty() { "no title" } else { title })
}

/// Makes offers of series.
pub(super) struct Assembly<'a> {
    pub(super) options: &'a Options,
    pub(super) steps: &'a mut Steps,
    pub(super) log: &'a mut Log,
    /// Whether the series at hand has more dates than an event may have.
    pub(super) more: bool,
}

/// A date of a series: its civil beginning, and how long it lasts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instance {
    pub(super) civil: DateTime,
    pub(super) length: Length,
}

/// The dates of a series by their beginning.
pub(super) type Instances = BTreeMap<Timestamp, Instance>;

impl Assembly<'_> {
    /// The offer of a series, or nothing, with the reason in the log.
    pub(super) fn assemble(&mut self, series: &Series) -> Option<ImportedEvent> {
        let base = series.master.as_ref().or_else(|| {
            let mut exceptions = series.exceptions.iter();
            exceptions.find(|entry| !entry.cancelled && !entry.private)
        });
        let base = base.or(series.exceptions.first())?;
        let name = quoted(&base.title);
        let shut = [
            (base.cancelled, "it is cancelled"),
            (
                base.private,
                "it is marked as private or confidential; take the mark off to import it",
            ),
            (base.title.is_empty(), "it has no title (SUMMARY)"),
        ];
        if let Some((_, why)) = shut.iter().find(|(shut, _)| *shut) {
            self.log.add(name, base.line, why);
            return None;
        }
        let occurrences = self.occurrences(series, base);
        if occurrences.is_empty() {
            let (from, until) = (
                base.home.civil(self.options.from),
                base.home.civil(self.options.until),
            );
            let why = format!(
                "it has no date to import from {} until {}",
                from.date(),
                until.date()
            );
            self.log.add(name, base.line, why);
            return None;
        }
        let offer = self.offer(base, occurrences).check();
        match offer {
            Ok(offer) => Some(ImportedEvent {
                uid: series.uid.clone(),
                line: base.line,
                offer,
            }),
            Err(refusal) => {
                self.log.add(name, base.line, in_words(&refusal));
                None
            }
        }
    }

    fn offer(&mut self, base: &Entry, occurrences: Vec<Occurrence>) -> NewEvent {
        let (title, long_title) = text::line(&base.title, TITLE_CHARS_MAX);
        let (description, long) = text::clip(&base.description, DESCRIPTION_CHARS_MAX);
        let (place, long_place) = text::line(&base.place, LINE_CHARS_MAX);
        for (part, cut, most) in [
            ("title", long_title, TITLE_CHARS_MAX),
            ("description", long, DESCRIPTION_CHARS_MAX),
            ("place", long_place, LINE_CHARS_MAX),
        ] {
            if cut {
                let what = format!("the end of the {part} of {}", quoted(&base.title));
                self.log.add(
                    what,
                    base.line,
                    format!("a {part} has at most {most} characters"),
                );
            }
        }
        // A time of UTC is how a program writes it, not where the host thinks.
        let own = match base.start.written {
            Written::Utc(_) => None,
            _ => base.start.zone.name(),
        };
        NewEvent {
            event_type: self.options.event_type,
            title,
            description,
            place,
            time_zone: own.or(base.home.name()).unwrap_or("UTC").to_owned(),
            schedule: Schedule::Occurrences(occurrences),
            capacity: self.options.capacity,
            party_max: self.options.party_max,
        }
    }

    /// All dates of a series in the range asked for.
    fn occurrences(&mut self, series: &Series, base: &Entry) -> Vec<Occurrence> {
        self.more = false;
        let mut exceptions = exception::newest(&series.exceptions, self.log);
        let mut instances = BTreeMap::new();
        if let Some(master) = &series.master {
            instances = self.instances(master, &exceptions);
            let out = Dates::taken_out(master);
            exceptions
                .retain(|entry| exception::applies(entry, master, &instances, &out, self.log));
            let replaced = Dates::replaced(master, &exceptions);
            instances.retain(|starts_at, instance| {
                let day = instance.civil.date();
                !out.contain(*starts_at, day) && !replaced.contain(*starts_at, day)
            });
            exception::move_later(&mut instances, master, &exceptions);
        }
        let mut occurrences: Vec<_> = instances
            .values()
            .filter_map(|instance| {
                self.occurrence(base, &base.start, instance.civil, instance.length)
            })
            .collect();
        for entry in &exceptions {
            let later = entry
                .replaces
                .as_ref()
                .is_some_and(|replaces| replaces.and_later);
            if later && series.master.is_some() {
                self.log_texts(base, entry);
            } else {
                occurrences.extend(self.exception(base, entry));
            }
        }
        occurrences.sort_unstable();
        occurrences.dedup_by_key(|occurrence| occurrence.starts_at);
        if self.more || occurrences.len() > OCCURRENCES_MAX {
            occurrences.truncate(OCCURRENCES_MAX);
            let what = format!("later dates of {}", quoted(&base.title));
            let why =
                format!("an event has at most {OCCURRENCES_MAX} dates; import a shorter range");
            self.log.add(what, base.line, why);
        }
        occurrences
    }

    /// The dates that the master gives, also those that are taken out or replaced.
    fn instances(&mut self, master: &Entry, exceptions: &[&Entry]) -> Instances {
        let mut instances = Instances::new();
        let mut add = |civil: DateTime, length: Length| {
            if let Some(starts_at) = master.start.zone.instant(civil) {
                instances
                    .entry(starts_at)
                    .or_insert(Instance { civil, length });
            }
        };
        for extra in &master.extra {
            // An additional date in another zone is a date of the event's own.
            if let Some(starts_at) = extra.start.instant() {
                let civil = match extra.start.written {
                    Written::Date(date) => date.to_datetime(master.start.civil.time()),
                    _ => master.start.zone.civil(starts_at),
                };
                add(civil, extra.length.unwrap_or(master.length));
            }
        }
        // Programs end a series before its start to say that nothing is left of it.
        let over =
            |rule: &Rule| last_of(rule, master).is_some_and(|last| last < master.start.civil);
        if master.rules.is_empty() || !master.rules.iter().all(over) {
            add(master.start.civil, master.length);
        }
        let slack = exceptions
            .iter()
            .filter_map(|entry| exception::moved_by(entry));
        let slack = slack.map(i64::abs).max().unwrap_or(0);
        let most = OCCURRENCES_MAX + master.without.len() + exceptions.len() + 2;
        for rule in &master.rules {
            for civil in self.expand(master, rule, slack, most) {
                add(civil, master.length);
            }
        }
        for rule in &master.exception_rules {
            for civil in self.expand(master, rule, slack, usize::MAX) {
                if let Some(starts_at) = master.start.zone.instant(civil) {
                    instances.remove(&starts_at);
                }
            }
        }
        instances
    }

    fn expand(&mut self, master: &Entry, rule: &Rule, slack: i64, most: usize) -> Vec<DateTime> {
        let start = &master.start;
        // Around a change of the clocks a civil time may lie on the other side of the border.
        let hours = if rule.frequency <= Frequency::Daily {
            24
        } else {
            0
        };
        let slack = slack + hours * 3600;
        let (from, until) = (
            start.zone.civil(self.options.from),
            start.zone.civil(self.options.until),
        );
        let range = Range {
            from: shift(from, -slack).unwrap_or(from),
            counted_from: from,
            until: shift(until, slack.max(1)).unwrap_or(until),
            most,
        };
        let found = expand(rule, start.civil, last_of(rule, master), range, self.steps);
        if found.out_of_steps {
            let what = format!("dates of {}", quoted(&master.title));
            let why = "its RRULE repeats too finely or never; give its dates one by one (RDATE)";
            self.log.add(what, master.line, why);
        }
        self.more |= found.more;
        found.times
    }

    /// The date of an exception.
    fn exception(&mut self, base: &Entry, exception: &Entry) -> Option<Occurrence> {
        if exception.cancelled {
            return None;
        }
        if exception.private {
            let why = "it is marked as private or confidential; take the mark off to import it";
            self.log.add(
                format!("one date of {}", quoted(&base.title)),
                exception.line,
                why,
            );
            return None;
        }
        self.log_texts(base, exception);
        let length = match exception.length {
            Length::Unknown => base.length,
            known => known,
        };
        self.occurrence(exception, &exception.start, exception.start.civil, length)
    }

    fn log_texts(&mut self, base: &Entry, exception: &Entry) {
        for (part, own, shared) in [
            ("title", &exception.title, &base.title),
            ("description", &exception.description, &base.description),
            ("place", &exception.place, &base.place),
        ] {
            if own != shared && !own.is_empty() {
                let what = format!("the {part} of one date of {}", quoted(&base.title));
                let why = format!("all dates of an event share one {part}");
                self.log.add(what, exception.line, why);
            }
        }
    }

    /// A date with its end; nothing outside of the range, or where the length does not do.
    fn occurrence(
        &mut self,
        entry: &Entry,
        start: &Moment,
        civil: DateTime,
        length: Length,
    ) -> Option<Occurrence> {
        let starts_at = start.zone.instant(civil)?;
        if !(self.options.from..self.options.until).contains(&starts_at) {
            return None;
        }
        let what = || format!("a date of {}", quoted(&entry.title));
        let length = match (length, self.options.minutes_default) {
            (Length::Exact(seconds), _) => Some((civil, seconds)),
            (Length::Nominal(duration), _) => {
                let later = duration
                    .day_span()
                    .and_then(|days| civil.checked_add(days).ok());
                later.map(|later| (later, duration.seconds))
            }
            (Length::Unknown, Some(minutes)) => Some((civil, i64::from(minutes) * 60)),
            (Length::Unknown, None) => {
                let why = "it does not say how long it lasts; say how long such events last";
                self.log.add(what(), entry.line, why);
                return None;
            }
        };
        let ends_at = length.and_then(|(civil, seconds)| {
            let seconds = Span::new().try_seconds(seconds).ok()?;
            start.zone.instant(civil)?.checked_add(seconds).ok()
        });
        let fits = |ends_at: &Timestamp| {
            let longest = OCCURRENCE_DAYS_MAX * 24 * 3600;
            (1..=longest).contains(&(ends_at.as_second() - starts_at.as_second()))
        };
        let Some(ends_at) = ends_at.filter(fits) else {
            let why =
                format!("a date lasts at least a second and at most {OCCURRENCE_DAYS_MAX} days");
            self.log.add(what(), entry.line, why);
            return None;
        };
        Some(Occurrence { starts_at, ends_at })
    }
}

/// The last civil time that a rule may give. A day means all of that day.
fn last_of(rule: &Rule, master: &Entry) -> Option<DateTime> {
    let start = &master.start;
    rule.until.map(|until| match until {
        Written::Date(date) => date.at(23, 59, 59, 0),
        _ if start.is_day() => until.date().at(23, 59, 59, 0),
        Written::Local(civil) => civil,
        Written::Utc(civil) => in_zone(start, civil),
    })
}

/// A time of UTC in the zone of a start.
fn in_zone(start: &Moment, utc: DateTime) -> DateTime {
    match jiff::tz::TimeZone::UTC.to_timestamp(utc) {
        Ok(instant) => start.zone.civil(instant),
        Err(_) => utc.checked_add(1.day()).unwrap_or(utc),
    }
}

fn in_words(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Fields(problems) => {
            let words: Vec<_> = problems
                .iter()
                .map(|problem| format!("{}: {}", problem.field, problem.message))
                .collect();
            words.join(" ")
        }
        other => other.to_string(),
    }
}
