//! Recurrence rules: the times they give.
//!
//! All arithmetic is on civil times; the zone comes later. Whoever publishes a calendar can write a
//! rule that never meets a day (30 February) or meets every second: each day and time looked at is a
//! step, and both a rule and a file have a limit of steps.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::{Span, ToSpan as _};

use super::moment::{next_day, seconds_between, shift};
use super::rule::{Frequency, Rule};
use super::{FILE_STEPS_MAX, RULE_STEPS_MAX};

/// What is left of the steps of a file.
#[derive(Debug)]
pub(super) struct Steps {
    file: u64,
    rule: u64,
}

impl Steps {
    pub(super) fn new() -> Self {
        Self {
            file: FILE_STEPS_MAX,
            rule: RULE_STEPS_MAX,
        }
    }

    /// Takes steps; false where none are left.
    fn take(&mut self, count: usize) -> bool {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let enough = count <= self.file.min(self.rule);
        self.file = self.file.saturating_sub(count);
        self.rule = self.rule.saturating_sub(count);
        enough
    }
}

/// Which times of a rule are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    /// From this civil time.
    pub(super) from: DateTime,
    /// Counted from this civil time.
    pub(super) counted_from: DateTime,
    /// Before this one.
    pub(super) until: DateTime,
    /// At most so many.
    pub(super) most: usize,
}

/// The times that were found, in order.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) times: Vec<DateTime>,
    /// Whether there were more than the range wants.
    pub(super) more: bool,
    /// Whether the steps ran out before the range did.
    pub(super) out_of_steps: bool,
}

/// The times of a rule that begins at `start` and ends with `last`, within a range.
pub(super) fn expand(
    rule: &Rule,
    start: DateTime,
    last: Option<DateTime>,
    range: Range,
    steps: &mut Steps,
) -> Found {
    steps.rule = RULE_STEPS_MAX;
    let mut expansion = Expansion {
        rule: completed(rule, start),
        start,
        last,
        range,
        counted: 0,
        wanted: range.most,
        found: Found::default(),
    };
    if rule.frequency <= Frequency::Daily {
        expansion.by_days(steps);
    } else {
        expansion.by_seconds(steps);
    }
    expansion.found
}

/// What a rule leaves open comes from its start.
fn completed(rule: &Rule, start: DateTime) -> Rule {
    let mut rule = rule.clone();
    let frequency = rule.frequency;
    if rule.year_days.is_empty() && rule.month_days.is_empty() && rule.days.is_empty() {
        let weekday = (0, start.weekday());
        match frequency {
            Frequency::Yearly if !rule.weeks.is_empty() => rule.days.push(weekday),
            Frequency::Yearly => {
                if rule.months.is_empty() {
                    rule.months.push(i16::from(start.month()));
                }
                rule.month_days.push(i16::from(start.day()));
            }
            Frequency::Monthly => rule.month_days.push(i16::from(start.day())),
            Frequency::Weekly => rule.days.push(weekday),
            _ => {}
        }
    }
    if rule.hours.is_empty() && frequency <= Frequency::Daily {
        rule.hours.push(i16::from(start.hour()));
    }
    if rule.minutes.is_empty() && frequency <= Frequency::Hourly {
        rule.minutes.push(i16::from(start.minute()));
    }
    if rule.seconds.is_empty() && frequency <= Frequency::Minutely {
        rule.seconds.push(i16::from(start.second()));
    }
    rule
}

struct Expansion {
    rule: Rule,
    start: DateTime,
    last: Option<DateTime>,
    range: Range,
    counted: u32,
    wanted: usize,
    found: Found,
}

impl Expansion {
    /// Period by period: years, months, weeks or days.
    fn by_days(&mut self, steps: &mut Steps) {
        let end = self
            .range
            .until
            .min(self.last.unwrap_or(self.range.until))
            .date();
        let mut index = self.first_index();
        while let Some((first, last)) = self.period(index) {
            if first > end || !self.take_period(first, last, steps) {
                return;
            }
            index += 1;
        }
    }

    /// Takes the times of one period; false where that was all.
    fn take_period(&mut self, first: Date, last: Date, steps: &mut Steps) -> bool {
        let Some(days) = self.days(first, last, steps) else {
            self.found.out_of_steps = true;
            return false;
        };
        let each = self.rule.hours.len() * self.rule.minutes.len() * self.rule.seconds.len();
        if !steps.take(days.len() * each) {
            self.found.out_of_steps = true;
            return false;
        }
        let mut times = Vec::with_capacity(days.len() * each);
        for day in days {
            for hour in &self.rule.hours {
                for minute in &self.rule.minutes {
                    for second in &self.rule.seconds {
                        times.extend(at(day, *hour, *minute, *second));
                    }
                }
            }
        }
        self.take_times(&times)
    }

    /// Hours, minutes or seconds from the start, on the days that fit.
    fn by_seconds(&mut self, steps: &mut Steps) {
        let step = self.unit_seconds().saturating_mul(self.rule.interval);
        let mut index = self.first_index();
        loop {
            let moved = index.checked_mul(step).and_then(|by| shift(self.start, by));
            let Some(now) = moved.filter(|now| *now < self.range.until) else {
                return;
            };
            if self
                .last
                .is_some_and(|last| truncated(now, self.rule.frequency) > last)
            {
                return;
            }
            if !self.fits(now.date()) {
                // On to the first step of the next day, instead of through all of this one.
                let Some(midnight) = next_day(now.date()).map(|day| day.at(0, 0, 0, 0)) else {
                    return;
                };
                let missing = seconds_between(now, midnight);
                index += (missing + step - 1) / step;
                if !steps.take(1) {
                    self.found.out_of_steps = true;
                    return;
                }
                continue;
            }
            let times = self.times_within(now);
            if !steps.take(1 + times.len()) {
                self.found.out_of_steps = true;
                return;
            }
            if !self.take_times(&times) {
                return;
            }
            index += 1;
        }
    }

    /// The times within an hour, a minute or a second of a day that fits.
    fn times_within(&self, now: DateTime) -> Vec<DateTime> {
        let rule = &self.rule;
        let listed = |list: &[i16], value: i8| list.is_empty() || list.contains(&i16::from(value));
        let minutes = match rule.frequency {
            Frequency::Hourly => rule.minutes.clone(),
            _ if listed(&rule.minutes, now.minute()) => vec![i16::from(now.minute())],
            _ => Vec::new(),
        };
        let seconds = match rule.frequency {
            Frequency::Hourly | Frequency::Minutely => rule.seconds.clone(),
            _ if listed(&rule.seconds, now.second()) => vec![i16::from(now.second())],
            _ => Vec::new(),
        };
        let mut times = Vec::new();
        if listed(&rule.hours, now.hour()) {
            for minute in &minutes {
                for second in &seconds {
                    times.extend(at(now.date(), i16::from(now.hour()), *minute, *second));
                }
            }
        }
        times
    }

    /// Takes the times of one period that are wanted; false where no more are.
    fn take_times(&mut self, times: &[DateTime]) -> bool {
        for time in self.positioned(times) {
            if time < self.start {
                continue;
            }
            let over = self.last.is_some_and(|last| time > last) || time >= self.range.until;
            if over || self.rule.count.is_some_and(|count| self.counted >= count) {
                return false;
            }
            self.counted = self.counted.saturating_add(1);
            if time >= self.range.from {
                if self.wanted == 0 {
                    self.found.more = true;
                    return false;
                }
                if time >= self.range.counted_from {
                    self.wanted -= 1;
                }
                self.found.times.push(time);
            }
        }
        true
    }

    /// The times that BYSETPOS leaves.
    fn positioned(&self, times: &[DateTime]) -> Vec<DateTime> {
        if self.rule.positions.is_empty() {
            return times.to_vec();
        }
        let mut chosen: Vec<DateTime> = self
            .rule
            .positions
            .iter()
            .filter_map(|position| {
                let ahead = usize::from(position.unsigned_abs()) - 1;
                if *position > 0 {
                    times.get(ahead).copied()
                } else {
                    times.iter().rev().nth(ahead).copied()
                }
            })
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// Where to begin: without a count, shortly before the range.
    fn first_index(&self) -> i64 {
        if self.rule.count.is_some() {
            return 0;
        }
        let (start, from) = (self.start, self.range.from);
        let years = i64::from(from.year()) - i64::from(start.year());
        let ahead = match self.rule.frequency {
            Frequency::Yearly => years,
            Frequency::Monthly => years * 12 + i64::from(from.month()) - i64::from(start.month()),
            _ => seconds_between(start, from) / self.unit_seconds(),
        };
        (ahead / self.rule.interval - 1).max(0)
    }

    fn unit_seconds(&self) -> i64 {
        match self.rule.frequency {
            Frequency::Weekly => 7 * 24 * 3600,
            Frequency::Hourly => 3600,
            Frequency::Minutely => 60,
            Frequency::Secondly => 1,
            _ => 24 * 3600,
        }
    }

    /// The first and the last day of a period; none beyond the year 9999.
    fn period(&self, index: i64) -> Option<(Date, Date)> {
        let moved = index.checked_mul(self.rule.interval)?;
        let start = self.start.date();
        match self.rule.frequency {
            Frequency::Yearly => {
                let first = start
                    .first_of_year()
                    .checked_add(Span::new().try_years(moved).ok()?);
                first.ok().map(|first| (first, first.last_of_year()))
            }
            Frequency::Monthly => {
                let first = start
                    .first_of_month()
                    .checked_add(Span::new().try_months(moved).ok()?);
                first.ok().map(|first| (first, first.last_of_month()))
            }
            Frequency::Weekly => {
                let back = i64::from(start.weekday().since(self.rule.week_start));
                let days = moved.checked_mul(7)?.checked_sub(back)?;
                let first = start.checked_add(Span::new().try_days(days).ok()?).ok()?;
                Some((first, first.checked_add(6.days()).ok()?))
            }
            _ => {
                let day = start.checked_add(Span::new().try_days(moved).ok()?).ok()?;
                Some((day, day))
            }
        }
    }

    /// The days of a period that fit; nothing where the steps run out.
    fn days(&self, first: Date, last: Date, steps: &mut Steps) -> Option<Vec<Date>> {
        let mut days = Vec::new();
        let mut day = first;
        while day <= last {
            steps.take(1).then_some(())?;
            let other_month = !self.rule.months.is_empty() && !self.in_months(day);
            if !other_month && self.fits(day) {
                days.push(day);
            }
            let before = if other_month {
                day.last_of_month()
            } else {
                day
            };
            match next_day(before) {
                Some(next) => day = next,
                None => break,
            }
        }
        Some(days)
    }

    fn in_months(&self, day: Date) -> bool {
        self.rule.months.contains(&i16::from(day.month()))
    }

    /// Whether every part of the rule that speaks of days takes this one.
    fn fits(&self, day: Date) -> bool {
        let rule = &self.rule;
        let month_days = (i16::from(day.day()), i16::from(day.days_in_month()));
        (rule.months.is_empty() || self.in_months(day))
            && (rule.weeks.is_empty() || self.in_weeks(day))
            && counted(&rule.month_days, month_days)
            && counted(&rule.year_days, (day.day_of_year(), day.days_in_year()))
            && (rule.days.is_empty() || rule.days.iter().any(|nth| self.is_nth(day, *nth)))
    }

    fn is_nth(&self, day: Date, (nth, weekday): (i16, Weekday)) -> bool {
        if day.weekday() != weekday {
            return false;
        }
        let (number, length) = match self.rule.frequency {
            Frequency::Yearly if self.rule.months.is_empty() => {
                (day.day_of_year(), day.days_in_year())
            }
            Frequency::Yearly | Frequency::Monthly => {
                (i16::from(day.day()), i16::from(day.days_in_month()))
            }
            _ => return true,
        };
        match nth {
            0 => true,
            1.. => (number - 1) / 7 + 1 == nth,
            _ => (length - number) / 7 + 1 == -nth,
        }
    }

    /// Whether the day lies in one of the weeks, counted from 1 and from the end.
    fn in_weeks(&self, day: Date) -> bool {
        let Some((year, week)) = self.week(day) else {
            return false;
        };
        // 28 December always lies in the last week of its year.
        let last = Date::new(year, 12, 28).ok().and_then(|day| self.week(day));
        counted(&self.rule.weeks, (week, last.map_or(52, |(_, week)| week)))
    }

    /// The year to which the week of a day belongs, and its number there: the year that has at
    /// least four of its days (ISO 8601, with the rule's first day of the week).
    fn week(&self, day: Date) -> Option<(i16, i16)> {
        let back = i64::from(day.weekday().since(self.rule.week_start));
        let middle = day.checked_add((3 - back).days()).ok()?;
        Some((middle.year(), (middle.day_of_year() - 1) / 7 + 1))
    }
}

/// Whether a list takes a number, counted from 1 or from the end of so many.
fn counted(list: &[i16], (number, length): (i16, i16)) -> bool {
    list.is_empty() || list.contains(&number) || list.contains(&(number - length - 1))
}

fn at(day: Date, hour: i16, minute: i16, second: i16) -> Option<DateTime> {
    let part = |value: i16| i8::try_from(value).ok();
    Some(day.at(part(hour)?, part(minute)?, part(second)?, 0))
}

/// The beginning of the hour, minute or second.
fn truncated(time: DateTime, frequency: Frequency) -> DateTime {
    let minute = if frequency == Frequency::Hourly {
        0
    } else {
        time.minute()
    };
    let second = if frequency == Frequency::Secondly {
        time.second()
    } else {
        0
    };
    time.date().at(time.hour(), minute, second, 0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    fn found(rule: &str, steps: &mut Steps) -> Found {
        let start = datetime(2026, 1, 1, 12, 0, 0, 0);
        let range = Range {
            from: start,
            counted_from: start,
            until: datetime(2027, 1, 1, 0, 0, 0, 0),
            most: 3,
        };
        expand(&Rule::parse(rule).unwrap(), start, None, range, steps)
    }

    #[test]
    fn a_rule_ends_with_its_steps_and_all_rules_with_the_files() {
        let mut steps = Steps {
            file: RULE_STEPS_MAX + 10,
            rule: 0,
        };
        // Every second is looked at, until the one of the year that fits.
        let late = "FREQ=SECONDLY;BYHOUR=0;BYMINUTE=0;BYSECOND=0;BYMONTH=1";
        assert!(found(late, &mut steps).out_of_steps, "the rule's own");
        assert!(
            found("FREQ=DAILY;BYDAY=MO", &mut steps).out_of_steps,
            "the file's"
        );
        assert!(!found("FREQ=DAILY;BYDAY=MO", &mut Steps::new()).out_of_steps);
    }

    #[test]
    fn more_than_wanted_is_said() {
        let daily = found("FREQ=DAILY", &mut Steps::new());
        assert_eq!((daily.times.len(), daily.more), (3, true));
        let three = found("FREQ=DAILY;COUNT=3", &mut Steps::new());
        assert_eq!((three.times.len(), three.more), (3, false));
    }
}
