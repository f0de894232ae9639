//! A clock whose identity and order come from a database that it shares.

use spots_clock::{AtomicClock, ClockError, ClockSettings, NodeIdentity, Remote};

#[test]
fn a_leased_identity_is_adopted_and_the_order_goes_on() -> Result<(), Box<dyn std::error::Error>> {
    let (clock, _time) = AtomicClock::simulated(1_795_366_800_000_000_000);
    let before = clock.now()?;
    let leased = NodeIdentity::new(7, 3).ok_or("3 fits 22 bits")?;
    clock.adopt(leased);
    let after = clock.now()?;
    assert_eq!((clock.identity(), after.identity()), (leased, leased));
    assert_eq!(after.id().identity(), leased);
    assert!(before < after);
    Ok(())
}

#[test]
fn a_shared_order_is_caught_up_with_as_far_as_the_poison_cap() -> Result<(), ClockError> {
    let (clock, _time) = AtomicClock::simulated(1_795_366_800_000_000_000);
    let cap = ClockSettings::default().poison_cap;
    let now = clock.now()?.server_time_nanos();
    let ahead = Remote::from_nanoseconds(now + cap);
    assert!(
        clock.merge(ahead).is_err(),
        "a mere claim is not followed so far"
    );
    assert!(
        clock
            .catch_up(Remote::from_nanoseconds(now + cap - 1_000))
            .is_ok()
    );
    assert_eq!(clock.now()?.nanoseconds(), now + cap - 999);
    assert!(
        clock
            .catch_up(Remote::from_nanoseconds(now + 2 * cap))
            .is_err()
    );
    assert_eq!(clock.now()?.nanoseconds(), now + cap - 998);
    Ok(())
}

#[test]
fn a_clock_stays_small() {
    const { assert!(AtomicClock::SHARED_BYTES <= 512) };
}
