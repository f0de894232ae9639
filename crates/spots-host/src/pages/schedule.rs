//! When an event takes place, from the two parts of its form.

use std::str::FromStr;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use spots_booking::event::{DAYS_AHEAD_MAX, OCCURRENCES_MAX};
use spots_booking::{Occurrence, Schedule, TableHours};

use crate::browser::Form;
use crate::view::FormErrors;

/// The longest span between the first and the last day, in days: as far as tables go.
const SPAN_DAYS_MAX: i32 = DAYS_AHEAD_MAX as i32;

/// A whole number of the form; an error under its name where it is none.
pub(super) fn number<T: FromStr + Default>(
    form: &Form,
    name: &str,
    mend: &str,
    errors: &mut FormErrors,
) -> T {
    form.get(name).trim().parse().unwrap_or_else(|_| {
        errors.add(name, mend);
        T::default()
    })
}

/// The hours in which tables may be booked. Their bounds are checked with the event.
pub(super) fn table_hours(form: &Form, errors: &mut FormErrors) -> Option<Schedule> {
    let mut time = |name: &str| {
        let time = time_of_day(form.get(name));
        if time.is_none() {
            errors.add(
                name,
                "Enter a time as hours and minutes, for example 18:00.",
            );
        }
        time
    };
    let (opens, closes) = (time("tables.opens"), time("tables.closes"));
    let mend = "Enter a whole number of minutes, for example 30.";
    let every_minutes = number(form, "tables.everyMinutes", mend, errors);
    let mend = "Enter a whole number of minutes, for example 120.";
    let stay_minutes = number(form, "tables.stayMinutes", mend, errors);
    let mend = "Enter a whole number of days, for example 60.";
    let days_ahead = number(form, "tables.daysAhead", mend, errors);
    Some(Schedule::Tables(TableHours {
        weekdays: weekdays(form, "tables.weekdays"),
        opens: opens?,
        closes: closes?,
        every_minutes,
        stay_minutes,
        days_ahead,
    }))
}

/// One time for each of `times` on each of the days.
pub(super) fn set_times(form: &Form, now: Timestamp, errors: &mut FormErrors) -> Option<Schedule> {
    let days = days(form, errors);
    let times = times_of_day(form, errors);
    let mend = "Enter how long it lasts as a whole number of minutes, for example 120.";
    let minutes: u32 = number(form, "durationMinutes", mend, errors);
    // An unknown zone is found when the event is checked.
    let zone = TimeZone::get(form.get("timeZone")).unwrap_or(TimeZone::UTC);
    if days.len().saturating_mul(times.len()) > OCCURRENCES_MAX {
        let mend = format!("These are more than {OCCURRENCES_MAX} times; choose fewer days.");
        errors.add("lastDate", mend);
        return None;
    }
    let mut occurrences = Vec::new();
    for day in &days {
        for time in &times {
            let starts_at = day
                .to_datetime(*time)
                .to_zoned(zone.clone())
                .ok()?
                .timestamp();
            let ends_at = starts_at.checked_add(i64::from(minutes).minutes()).ok()?;
            occurrences.push(Occurrence { starts_at, ends_at });
        }
    }
    if errors.is_empty() && occurrences.iter().all(|slot| slot.starts_at <= now) {
        errors.add("firstDate", "Choose a day and a time that are not over.");
    }
    Some(Schedule::Occurrences(occurrences))
}

fn days(form: &Form, errors: &mut FormErrors) -> Vec<Date> {
    let mend = "Enter a day as year-month-day, for example 2026-12-31.";
    let Ok(first) = form.get("firstDate").trim().parse::<Date>() else {
        errors.add("firstDate", mend);
        return Vec::new();
    };
    let last = form
        .given("lastDate")
        .map(|text| text.trim().parse::<Date>());
    let Ok(last) = last.unwrap_or(Ok(first)) else {
        errors.add("lastDate", mend);
        return Vec::new();
    };
    if last < first {
        errors.add(
            "lastDate",
            "Choose a last day that is not before the first.",
        );
        return Vec::new();
    }
    if (last - first).get_days() > SPAN_DAYS_MAX {
        let mend = format!("Choose a last day within {SPAN_DAYS_MAX} days of the first.");
        errors.add("lastDate", mend);
        return Vec::new();
    }
    let wanted = weekdays(form, "weekdays");
    let on = |day: &Date| wanted.is_empty() || wanted.contains(&day.weekday());
    let days = first.series(1.day()).take_while(|day| *day <= last);
    let days: Vec<_> = days.filter(on).collect();
    if days.is_empty() {
        let mend = "None of these weekdays lies between the first and the last day.";
        errors.add("weekdays", mend);
    }
    days
}

fn times_of_day(form: &Form, errors: &mut FormErrors) -> Vec<Time> {
    let parts = form.get("times").split([',', ';', ' ', '\n']);
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    let times: Option<Vec<_>> = parts.map(time_of_day).collect();
    times.filter(|times| !times.is_empty()).unwrap_or_else(|| {
        let mend = "Write each time as hours and minutes, for example 18:00, 20:30.";
        errors.add("times", mend);
        Vec::new()
    })
}

fn time_of_day(text: &str) -> Option<Time> {
    Time::strptime("%H:%M", text.trim()).ok()
}

fn weekdays(form: &Form, name: &str) -> Vec<Weekday> {
    use Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};
    let ticked = form.all(name);
    [
        ("mon", Monday),
        ("tue", Tuesday),
        ("wed", Wednesday),
        ("thu", Thursday),
        ("fri", Friday),
        ("sat", Saturday),
        ("sun", Sunday),
    ]
    .into_iter()
    .filter(|(word, _)| ticked.contains(word))
    .map(|(_, day)| day)
    .collect()
}
