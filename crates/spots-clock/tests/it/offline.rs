//! What was stamped offline keeps its stamp and gets an interval.

use proptest::prelude::*;
use spots_clock::offline::{Correction, OfflineQueue, QueueFull};
use spots_clock::sync::Interval;

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;

#[test]
fn the_queue_is_bounded_ordered_and_idempotent() {
    let mut queue = OfflineQueue::new(2);
    assert_eq!(queue.push(10, None, "book"), Ok(1));
    assert_eq!(queue.push(20, None, "cancel"), Ok(2));
    assert_eq!(queue.push(30, None, "book"), Err(QueueFull { limit: 2 }));
    queue.acknowledge(1);
    queue.acknowledge(1);
    let waiting: Vec<u64> = queue.waiting().map(|entry| entry.sequence).collect();
    assert_eq!(waiting, [2]);
    assert_eq!(queue.push(40, None, "book"), Ok(3));
}

proptest! {
    /// A device drifts at one rate within its cap while offline for up to two days.
    #[test]
    fn the_true_time_is_in_the_corrected_interval(
        rate in -500_000_i64..=500_000,
        offset in -10_000_000_000_i64..10_000_000_000,
        errors in (0..100_000_000_u64, 0..100_000_000_u64),
        lasted in 0..2 * DAY,
        part in 0..=1_000_u64,
        synced_before in any::<bool>(),
    ) {
        let start = DAY * 20_000;
        let offset_at = |device: u64| {
            let drift = i128::from(device - start) * i128::from(rate) / 1_000_000_000;
            offset + i64::try_from(drift).expect("two days")
        };
        let (stamped, end) = (start + lasted / 1_000 * part, start + lasted);
        let correction = Correction {
            before: synced_before.then(|| (start, Interval::around(offset_at(start), errors.0))),
            after: (end, Interval::around(offset_at(end), errors.1)),
            drift_ppb: 500_000,
        };
        let (earliest, latest) = correction.place(stamped).expect("nothing contradicts");
        let truth = stamped.saturating_add_signed(offset_at(stamped));
        prop_assert!((earliest..=latest).contains(&truth), "{earliest} {truth} {latest}");
        prop_assert_eq!(correction.place(end + 1), None);
    }
}

#[test]
fn a_clock_that_was_set_back_while_offline_is_noticed() {
    let correction = Correction {
        before: Some((0, Interval::around(0, SECOND))),
        after: (DAY, Interval::around(3_600_000_000_000, SECOND)),
        drift_ppb: 500_000,
    };
    assert_eq!(correction.place(DAY / 2), None);
}
