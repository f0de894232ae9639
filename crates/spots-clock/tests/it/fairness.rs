//! No lie about time or uncertainty improves one's place beyond the granted credit.

use proptest::prelude::*;
use spots_clock::closed::OpenTimestamps;
use spots_clock::fair::{Claim, OfflineClaim, Sale, feasible, queue_key};
use spots_clock::{AtomicClock, ClockError};

const NOON: u64 = 1_795_348_800_000_000_000;
const HOUR: u64 = 3_600_000_000_000;

fn any_offline() -> impl Strategy<Value = OfflineClaim> {
    (NOON - HOUR..NOON + HOUR, 0..HOUR, NOON - HOUR..NOON + HOUR).prop_map(
        |(claimed, error, receipt)| OfflineClaim {
            claimed,
            error,
            receipt,
        },
    )
}

fn any_claim() -> impl Strategy<Value = Claim> {
    (
        NOON..NOON + HOUR,
        0..1_000_000_u64,
        any_offline().prop_map(Some),
    )
        .prop_map(|(arrival, arrival_error, offline)| Claim {
            arrival,
            arrival_error,
            offline,
        })
}

fn any_sale() -> impl Strategy<Value = Sale> {
    (NOON - HOUR..NOON + HOUR, 0..10_000_000_000_u64)
        .prop_map(|(opens, credit)| Sale { opens, credit })
}

fn silent(claim: &Claim) -> Claim {
    Claim {
        offline: None,
        ..*claim
    }
}

proptest! {
    #[test]
    fn no_lie_wins_more_than_the_credit(
        claim in any_claim(),
        lie in any_offline(),
        sale in any_sale(),
        finalized in 0..NOON + HOUR,
    ) {
        let lying = Claim { offline: Some(lie), ..claim };
        let placed = queue_key(&lying, &sale, finalized);
        prop_assert!(placed >= queue_key(&silent(&claim), &sale, finalized).saturating_sub(sale.credit));
        prop_assert!(placed > finalized && placed >= sale.opens);
        let without = Sale { credit: 0, ..sale };
        prop_assert_eq!(
            queue_key(&lying, &without, finalized),
            queue_key(&silent(&claim), &without, finalized),
            "without credit arrival alone decides"
        );
    }

    #[test]
    fn more_uncertainty_never_helps(
        claim in any_claim(),
        more in 0..HOUR,
        sale in any_sale(),
    ) {
        let Some(offline) = claim.offline else { return Ok(()) };
        prop_assume!(feasible(&claim).is_some());
        let inflated = Claim {
            offline: Some(OfflineClaim { error: offline.error + more, ..offline }),
            ..claim
        };
        prop_assert!(queue_key(&inflated, &sale, 0) >= queue_key(&claim, &sale, 0));
    }

    #[test]
    fn speaking_never_hurts_an_honest_client(claim in any_claim(), sale in any_sale()) {
        prop_assert!(queue_key(&claim, &sale, 0) <= queue_key(&silent(&claim), &sale, 0));
    }

    #[test]
    fn what_surely_came_first_is_placed_first(
        first in any_claim(),
        second in any_claim(),
    ) {
        // With credit enough, the key extends the order of the intervals.
        let sale = Sale { opens: 0, credit: u64::MAX };
        if let (Some((_, latest)), Some((earliest, until))) = (feasible(&first), feasible(&second)) {
            prop_assume!(latest < earliest && until <= second.arrival);
            prop_assert!(queue_key(&first, &sale, 0) < queue_key(&second, &sale, 0));
        }
    }
}

#[test]
fn an_open_timestamp_holds_the_closing_back() -> Result<(), ClockError> {
    let (clock, time) = AtomicClock::simulated(NOON);
    let mut open = OpenTimestamps::new();
    let first = open.open(|| clock.now())?;
    time.advance(1_000);
    let second = open.open(|| clock.now())?;
    assert_eq!(open.close(&clock.now()?), first.nanoseconds() - 1);
    open.settle(&first);
    assert_eq!(open.close(&clock.now()?), second.nanoseconds() - 1);
    open.settle(&second);
    time.advance(1_000);
    let idle = clock.now()?;
    assert_eq!(open.close(&idle), idle.nanoseconds() - 1);
    Ok(())
}
