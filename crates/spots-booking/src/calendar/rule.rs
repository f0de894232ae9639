//! Recurrence rules (RFC 5545, section 3.3.10): what a rule says.

use jiff::civil::Weekday;

use super::moment::Written;

/// How often a rule repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Frequency {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
    Minutely,
    Secondly,
}

/// A recurrence rule. Lists are sorted, each value once; an empty list says nothing.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) frequency: Frequency,
    pub(super) interval: i64,
    pub(super) count: Option<u32>,
    pub(super) until: Option<Written>,
    pub(super) week_start: Weekday,
    pub(super) seconds: Vec<i16>,
    pub(super) minutes: Vec<i16>,
    pub(super) hours: Vec<i16>,
    /// With which one of its month or year: 2 is the second, -1 the last, 0 every one.
    pub(super) days: Vec<(i16, Weekday)>,
    pub(super) month_days: Vec<i16>,
    pub(super) year_days: Vec<i16>,
    pub(super) weeks: Vec<i16>,
    pub(super) months: Vec<i16>,
    pub(super) positions: Vec<i16>,
}

impl Rule {
    /// Reads a rule, or says in words for the host what of it is not understood.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rule = Self::bare(Frequency::Yearly);
        let mut frequency = None;
        for part in text.split(';').filter(|part| !part.trim().is_empty()) {
            let unread = || format!("“{}” is not understood", part.trim());
            let (key, value) = part.split_once('=').ok_or_else(unread)?;
            let value = value.trim().to_ascii_uppercase();
            let key = key.trim().to_ascii_uppercase();
            if key == "FREQ" {
                frequency = Some(parse_frequency(&value).ok_or_else(unread)?);
            } else {
                rule.take(&key, &value).ok_or_else(unread)?;
            }
        }
        rule.frequency = frequency.ok_or("FREQ is missing")?;
        rule.check()?;
        Ok(rule)
    }

    fn bare(frequency: Frequency) -> Self {
        Self {
            frequency,
            interval: 1,
            count: None,
            until: None,
            week_start: Weekday::Monday,
            seconds: Vec::new(),
            minutes: Vec::new(),
            hours: Vec::new(),
            days: Vec::new(),
            month_days: Vec::new(),
            year_days: Vec::new(),
            weeks: Vec::new(),
            months: Vec::new(),
            positions: Vec::new(),
        }
    }

    fn take(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            // No event repeats less often than once in a thousand years.
            "INTERVAL" => {
                self.interval = value.parse().ok()?;
                (1..=1_000_000_000).contains(&self.interval).then_some(())?;
            }
            "COUNT" => self.count = Some(value.parse().ok()?),
            "UNTIL" => self.until = Some(Written::parse(value)?),
            "WKST" => self.week_start = parse_weekday(value)?,
            "BYSECOND" => {
                self.seconds = numbers(value, 0, 60)?;
                self.seconds
                    .iter_mut()
                    .for_each(|second| *second = (*second).min(59));
                self.seconds.dedup();
            }
            "BYMINUTE" => self.minutes = numbers(value, 0, 59)?,
            "BYHOUR" => self.hours = numbers(value, 0, 23)?,
            "BYDAY" => self.days = parse_days(value)?,
            "BYMONTHDAY" => self.month_days = signed_numbers(value, 31)?,
            "BYYEARDAY" => self.year_days = signed_numbers(value, 366)?,
            "BYWEEKNO" => self.weeks = signed_numbers(value, 53)?,
            "BYMONTH" => self.months = numbers(value, 1, 12)?,
            "BYSETPOS" => self.positions = signed_numbers(value, 366)?,
            "RSCALE" => (value == "GREGORIAN").then_some(())?,
            "SKIP" => (value == "OMIT").then_some(())?,
            // Programs add their own.
            _ if key.starts_with("X-") => {}
            _ => return None,
        }
        Some(())
    }

    /// Refuses what the standard gives no meaning.
    fn check(&self) -> Result<(), String> {
        let refuse = |bad: bool, why: &str| if bad { Err(why.to_owned()) } else { Ok(()) };
        let frequency = self.frequency;
        let days_or_more = matches!(
            frequency,
            Frequency::Monthly | Frequency::Weekly | Frequency::Daily
        );
        refuse(
            !self.weeks.is_empty() && frequency != Frequency::Yearly,
            "BYWEEKNO needs FREQ=YEARLY",
        )?;
        refuse(
            !self.year_days.is_empty() && days_or_more,
            "BYYEARDAY does not go with this FREQ",
        )?;
        refuse(
            !self.month_days.is_empty() && frequency == Frequency::Weekly,
            "BYMONTHDAY does not go with FREQ=WEEKLY",
        )
    }
}

fn parse_frequency(text: &str) -> Option<Frequency> {
    Some(match text {
        "YEARLY" => Frequency::Yearly,
        "MONTHLY" => Frequency::Monthly,
        "WEEKLY" => Frequency::Weekly,
        "DAILY" => Frequency::Daily,
        "HOURLY" => Frequency::Hourly,
        "MINUTELY" => Frequency::Minutely,
        "SECONDLY" => Frequency::Secondly,
        _ => return None,
    })
}

fn parse_weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    })
}

fn parse_days(text: &str) -> Option<Vec<(i16, Weekday)>> {
    let mut days = Vec::new();
    for item in text.split(',').map(str::trim) {
        let at = item.find(|c: char| c.is_ascii_alphabetic())?;
        let (nth, day) = item.split_at(at);
        let nth = if nth.is_empty() {
            0
        } else {
            nth.parse()
                .ok()
                .filter(|nth| *nth != 0 && within(*nth, 53))?
        };
        let day = (nth, parse_weekday(day)?);
        if !days.contains(&day) {
            days.push(day);
        }
    }
    Some(days)
}

fn numbers(text: &str, least: i16, most: i16) -> Option<Vec<i16>> {
    let mut numbers = text
        .split(',')
        .map(|item| {
            item.trim()
                .parse()
                .ok()
                .filter(|number| (least..=most).contains(number))
        })
        .collect::<Option<Vec<i16>>>()?;
    numbers.sort_unstable();
    numbers.dedup();
    Some(numbers)
}

fn signed_numbers(text: &str, most: i16) -> Option<Vec<i16>> {
    numbers(text, -most, most).filter(|numbers| !numbers.contains(&0))
}

fn within(number: i16, most: i16) -> bool {
    (-most..=most).contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_in_any_order_and_case() {
        let rule =
            Rule::parse("byday=-1SU,+2MO,FR;FREQ=monthly;INTERVAL=2;COUNT=5;WKST=SU;").unwrap();
        assert_eq!(rule.frequency, Frequency::Monthly);
        assert_eq!((rule.interval, rule.count), (2, Some(5)));
        let days = [
            (-1, Weekday::Sunday),
            (2, Weekday::Monday),
            (0, Weekday::Friday),
        ];
        assert_eq!(rule.days, days);
        assert_eq!(rule.week_start, Weekday::Sunday);
    }

    #[test]
    fn what_a_rule_does_not_say_clearly_is_refused_by_name() {
        for (text, why) in [
            ("", "FREQ is missing"),
            ("FREQ=FORTNIGHTLY", "“FREQ=FORTNIGHTLY” is not understood"),
            ("FREQ=DAILY;INTERVAL=0", "“INTERVAL=0” is not understood"),
            ("FREQ=DAILY;BYHOUR=24", "“BYHOUR=24” is not understood"),
            ("FREQ=YEARLY;BYEASTER=0", "“BYEASTER=0” is not understood"),
            (
                "FREQ=MONTHLY;BYMONTHDAY=0",
                "“BYMONTHDAY=0” is not understood",
            ),
            (
                "FREQ=DAILY;UNTIL=tomorrow",
                "“UNTIL=tomorrow” is not understood",
            ),
            ("FREQ=DAILY;COUNT", "“COUNT” is not understood"),
            (
                "FREQ=WEEKLY;BYMONTHDAY=1",
                "BYMONTHDAY does not go with FREQ=WEEKLY",
            ),
            ("FREQ=DAILY;BYWEEKNO=1", "BYWEEKNO needs FREQ=YEARLY"),
        ] {
            assert_eq!(Rule::parse(text).unwrap_err(), why, "{text}");
        }
    }
}
