//! Counts for operators, in which nobody can be recognised.

use jiff::ToSpan as _;
use jiff::civil::Date;
use spots_booking::EventType;
use spots_store::Store;
use spots_store::StoreError;
use spots_store::rights::{COUNT_DAYS_MAX, DayCount};

/// The fewest people behind a count that is shown. Below it a count could be somebody.
pub const COUNTED_PEOPLE_MIN: u64 = 10;

/// Bookings of one event type on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The type.
    pub event_type: EventType,
    /// The day in UTC.
    pub day: Date,
    /// Bookings that stand; `None` where fewer than [`COUNTED_PEOPLE_MIN`] people made them.
    pub bookings: Option<u64>,
}

/// Counts bookings by event type and day.
pub async fn bookings_by_day(
    store: &dyn Store,
    from: Date,
    days: u32,
) -> Result<Vec<Count>, StoreError> {
    let epoch = jiff::civil::date(1970, 1, 1);
    let since = from
        .since(epoch)
        .map_or(0, |span| i64::from(span.get_days()));
    let days = days.min(COUNT_DAYS_MAX);
    let counts = store.count_bookings(since, days).await?;
    Ok(counts
        .iter()
        .filter_map(|count| Some(suppressed(count, epoch.checked_add(count.day.days()).ok()?)))
        .collect())
}

fn suppressed(count: &DayCount, day: Date) -> Count {
    Count {
        event_type: count.event_type,
        day,
        bookings: (count.people >= COUNTED_PEOPLE_MIN).then_some(count.bookings),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_of_few_people_is_not_shown() {
        let count = |people| DayCount {
            event_type: EventType::Reservation,
            day: 0,
            bookings: 40,
            people,
        };
        let day = jiff::civil::date(2026, 12, 1);
        assert_eq!(suppressed(&count(9), day).bookings, None);
        assert_eq!(suppressed(&count(10), day).bookings, Some(40));
    }
}
