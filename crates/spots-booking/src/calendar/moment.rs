//! Dates, times and durations as calendars write them (RFC 5545, section 3.3).

use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, ToSpan as _};

/// The longest duration that is read, in units of its own; more is not an event.
const DURATION_DIGITS_MAX: usize = 8;

/// A DATE or DATE-TIME before its zone is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// A day.
    Date(Date),
    /// A time of the zone that the property names, or of nobody's.
    Local(DateTime),
    /// A time of UTC.
    Utc(DateTime),
}

impl Written {
    /// Reads `20260131`, `20260131T180000` or `20260131T180000Z`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let Some((date, time)) = text.split_once(['T', 't']) else {
            return parse_date(text).map(Self::Date);
        };
        let date = parse_date(date)?;
        match time.strip_suffix(['Z', 'z']) {
            Some(time) => parse_time(time).map(|time| Self::Utc(date.to_datetime(time))),
            None => parse_time(time).map(|time| Self::Local(date.to_datetime(time))),
        }
    }

    /// The day as it is written.
    pub(super) fn date(self) -> Date {
        match self {
            Self::Date(date) => date,
            Self::Local(civil) | Self::Utc(civil) => civil.date(),
        }
    }
}

fn parse_date(text: &str) -> Option<Date> {
    let year = number(text.get(0..4)?)?;
    let month = number(text.get(4..6)?)?;
    let day = number(text.get(6..)?).filter(|_| text.len() == 8)?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn parse_time(text: &str) -> Option<Time> {
    let part = |from: usize| i8::try_from(number(text.get(from..from + 2)?)?).ok();
    let second = match text.len() {
        // Some programs leave the seconds out.
        4 => 0,
        // A leap second is read as the second before it.
        6 => part(4)?.min(59),
        _ => return None,
    };
    Time::new(part(0)?, part(2)?, second, 0).ok()
}

fn number(text: &str) -> Option<i16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// A duration: days follow the calendar of the zone, seconds the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Duration {
    pub(super) days: i64,
    pub(super) seconds: i64,
}

impl Duration {
    /// Reads `P1D`, `PT1H30M`, `P1W` and the like; none is negative.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        let text = text.strip_prefix('+').unwrap_or(&text).strip_prefix('P')?;
        let (date, time) = text.split_once('T').unwrap_or((text, ""));
        let days = parts(date, &[('W', 7), ('D', 1)])?;
        let seconds = parts(time, &[('H', 3600), ('M', 60), ('S', 1)])?;
        let given = !date.is_empty() || !time.is_empty();
        given.then_some(Self { days, seconds })
    }

    /// The days as a span.
    pub(super) fn day_span(self) -> Option<Span> {
        Span::new().try_days(self.days).ok()
    }
}

/// The sum of numbers with units, for example `1H30M`.
fn parts(text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut sum = 0_i64;
    let mut rest = text;
    while !rest.is_empty() {
        let at = rest.find(|c: char| !c.is_ascii_digit())?;
        let (digits, after) = rest.split_at(at);
        let mut after = after.chars();
        let unit = after.next()?;
        let (_, worth) = units.iter().find(|(name, _)| *name == unit)?;
        let count: i64 = digits
            .parse()
            .ok()
            .filter(|_| digits.len() <= DURATION_DIGITS_MAX)?;
        sum += count * worth;
        rest = after.as_str();
    }
    Some(sum)
}

/// An offset from UTC in seconds: `+0100`, `-033000`, and without a sign as some write it.
pub(super) fn parse_offset(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let part = |from: usize| number(digits.get(from..from + 2)?).map(i64::from);
    let seconds = match digits.len() {
        4 => 0,
        6 => part(4)?,
        _ => return None,
    };
    let (hours, minutes) = (part(0)?, part(2)?);
    let sane = hours < 24 && minutes < 60 && seconds < 60;
    sane.then(|| sign * (hours * 3600 + minutes * 60 + seconds))
}

/// Moves a civil time by seconds.
pub(super) fn shift(civil: DateTime, seconds: i64) -> Option<DateTime> {
    civil
        .checked_add(Span::new().try_seconds(seconds).ok()?)
        .ok()
}

/// The seconds from one civil time to another.
pub(super) fn seconds_between(from: DateTime, to: DateTime) -> i64 {
    to.duration_since(from).as_secs()
}

/// The day after.
pub(super) fn next_day(date: Date) -> Option<Date> {
    date.checked_add(1.day()).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, datetime};

    use super::*;

    #[test]
    fn dates_and_times_are_read_as_written() {
        let six = datetime(2026, 1, 31, 18, 0, 0, 0);
        let read = [
            ("20260131", Written::Date(date(2026, 1, 31))),
            ("20260131T180000", Written::Local(six)),
            (" 20260131t1800z", Written::Utc(six)),
            (
                "20261231T235960Z",
                Written::Utc(datetime(2026, 12, 31, 23, 59, 59, 0)),
            ),
        ];
        for (text, expected) in read {
            assert_eq!(Written::parse(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "2026",
            "20260230",
            "202601311",
            "20260131T",
            "20260131T250000",
            "20260131T18",
            "+2260131",
            "2026013\u{e9}",
            "2026-01-31",
        ] {
            assert_eq!(Written::parse(text), None, "{text}");
        }
    }

    #[test]
    fn durations_keep_days_and_hours_apart() {
        let read = [
            ("P1W", 7, 0),
            ("P1DT2H", 1, 7200),
            ("+PT1H30M5S", 0, 5405),
            ("PT0S", 0, 0),
        ];
        for (text, days, seconds) in read {
            assert_eq!(
                Duration::parse(text),
                Some(Duration { days, seconds }),
                "{text}"
            );
        }
        for text in ["", "P", "PT", "-PT1H", "P1H", "PT1", "P999999999D", "1D"] {
            assert_eq!(Duration::parse(text), None, "{text}");
        }
    }

    #[test]
    fn offsets_are_read_with_and_without_a_sign() {
        let read = [
            ("+0100", 3600),
            ("-0330", -12600),
            ("0200", 7200),
            ("+005328", 3208),
        ];
        for (text, seconds) in read {
            assert_eq!(parse_offset(text), Some(seconds), "{text}");
        }
        for text in ["", "+1", "+2500", "+0160", "++100"] {
            assert_eq!(parse_offset(text), None, "{text}");
        }
    }
}
