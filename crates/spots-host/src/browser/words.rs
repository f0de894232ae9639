//! Times, as people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use spots_booking::{Event, Slot};

use crate::view::{DateBadge, EventTime, Moment, Places};

/// Zones to choose from, by IANA name.
pub const ZONES: &[&str] = &[
    "Africa/Lagos",
    "America/Chicago",
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Europe/Athens",
    "Europe/Berlin",
    "Europe/Istanbul",
    "Europe/Lisbon",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Paris",
    "UTC",
];

/// `Sat 12 December, 18:30`, with the year where it is not this one.
pub fn moment(at: Timestamp, zone: &TimeZone, now: Timestamp) -> Moment {
    let local = at.to_zoned(zone.clone());
    let same_year = local.year() == now.to_zoned(zone.clone()).year();
    let form = if same_year {
        "%a %-d %B, %H:%M"
    } else {
        "%a %-d %B %Y, %H:%M"
    };
    Moment::new(
        local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        local.strftime(form).to_string(),
    )
}

/// A day: `Saturday 12 December`.
pub fn day(at: Timestamp, zone: &TimeZone) -> Moment {
    let local = at.to_zoned(zone.clone());
    Moment::new(
        local.strftime("%Y-%m-%d").to_string(),
        local.strftime("%A %-d %B").to_string(),
    )
}

/// A time of a day: `18:30`.
pub fn time(at: Timestamp, zone: &TimeZone) -> Moment {
    let local = at.to_zoned(zone.clone());
    let datetime = local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    Moment::new(datetime, local.strftime("%H:%M").to_string())
}

/// When a slot is, in the reader's zone if they chose one, with the event's beside it where the
/// two differ.
pub fn event_time(
    at: Timestamp,
    event_zone: &TimeZone,
    reader: Option<&TimeZone>,
    now: Timestamp,
) -> EventTime {
    let zone = reader.unwrap_or(event_zone);
    let same = at.to_zoned(zone.clone()).datetime() == at.to_zoned(event_zone.clone()).datetime();
    let there = (!same).then(|| {
        let there = at.to_zoned(event_zone.clone());
        format!("{} {}", there.strftime("%H:%M"), zone_name(event_zone))
    });
    EventTime {
        start: moment(at, zone, now),
        zone: zone_name(zone),
        there,
    }
}

/// `Berlin time`, from `Europe/Berlin`.
pub fn zone_name(zone: &TimeZone) -> String {
    let name = zone.iana_name().unwrap_or("UTC");
    let city = name.rsplit('/').next().unwrap_or(name).replace('_', " ");
    if city == "UTC" {
        city
    } else {
        format!("{city} time")
    }
}

/// The sheet of a calendar.
pub fn badge(at: Timestamp, zone: &TimeZone) -> DateBadge {
    let local = at.to_zoned(zone.clone());
    DateBadge {
        weekday: local.strftime("%a").to_string(),
        day: local.day().unsigned_abs(),
        month: local.strftime("%b").to_string(),
    }
}

/// Places of a slot.
pub fn places(left: Option<u32>, event: &Event) -> Places {
    match (left, event.offer.capacity) {
        (Some(left), Some(total)) => Places::limited(left, total),
        _ => Places {
            left: 0,
            total: None,
        },
    }
}

/// The name of a slot in addresses: its beginning in seconds since the Unix epoch.
pub fn slot_id(slot: &Slot) -> String {
    slot.starts_at.as_second().to_string()
}

/// The moment that a slot's name stands for.
pub fn slot_of(id: &str) -> Option<Timestamp> {
    Timestamp::from_second(id.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_elsewhere_sees_both_times() {
        let at: Timestamp = "2026-12-12T17:30Z".parse().unwrap();
        let now: Timestamp = "2026-11-22T00:00Z".parse().unwrap();
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let here = event_time(at, &berlin, None, now);
        assert_eq!(here.start.text, "Sat 12 December, 18:30");
        assert_eq!((here.zone.as_str(), here.there), ("Berlin time", None));
        let lisbon = TimeZone::get("Europe/Lisbon").unwrap();
        let there = event_time(at, &berlin, Some(&lisbon), now);
        assert_eq!(there.start.text, "Sat 12 December, 17:30");
        assert_eq!(there.there.as_deref(), Some("18:30 Berlin time"));
    }
}
