//! Side by side with uhlc, a well-known hybrid logical clock.

use std::cell::Cell;
use std::error::Error;
use std::num::NonZeroU8;
use std::time::Duration;

use spots_clock::{AtomicClock, ClockSettings, ManualSource, MemoryWindow};
use uhlc::{HLCBuilder, ID, NTP64};

const START: u64 = 1_795_366_800_000_000_000;

thread_local! {
    /// uhlc takes a plain function, so its simulated time has to be a static.
    static UHLC_TIME: Cell<u64> = const { Cell::new(START) };
}

fn uhlc_clock() -> NTP64 {
    NTP64::from(Duration::from_nanos(UHLC_TIME.get()))
}

fn uhlc() -> uhlc::HLC {
    HLCBuilder::new()
        .with_id(ID::from(NonZeroU8::MIN))
        .with_clock(uhlc_clock)
        .build()
}

fn ours(source: &ManualSource, window: &MemoryWindow) -> Result<AtomicClock, Box<dyn Error>> {
    Ok(AtomicClock::start(
        Box::new(source.clone()),
        Box::new(window.clone()),
        ClockSettings::default(),
    )?)
}

#[test]
fn after_a_restart_uhlc_repeats_itself_and_ours_does_not() -> Result<(), Box<dyn Error>> {
    let before = uhlc().new_timestamp();
    let after = uhlc().new_timestamp();
    assert_eq!(
        before, after,
        "if uhlc has learned to remember, rewrite the comparison"
    );

    let (source, window) = (ManualSource::new(START), MemoryWindow::new());
    let before = ours(&source, &window)?.now()?;
    let after = ours(&source, &window)?.now()?;
    assert!(after > before);
    assert_ne!(after.id(), before.id());
    Ok(())
}

#[test]
fn with_a_clock_that_fell_behind_uhlc_goes_back_and_ours_does_not() -> Result<(), Box<dyn Error>> {
    let before = uhlc().new_timestamp();
    UHLC_TIME.set(START - 3_600_000_000_000);
    assert!(uhlc().new_timestamp() < before);

    let (source, window) = (ManualSource::new(START), MemoryWindow::new());
    let before = ours(&source, &window)?.now()?;
    source.step_wall(-3_600_000_000_000);
    assert!(ours(&source, &window)?.now()? > before);
    Ok(())
}

#[test]
fn within_one_life_both_give_the_same_order() -> Result<(), Box<dyn Error>> {
    let theirs = uhlc();
    let (clock, source) = AtomicClock::simulated(START);
    let mut last = (theirs.new_timestamp(), clock.now()?);
    for step in [0, 1, 0, 1_000_000, 7, 0, 30_000_000_000] {
        source.advance(step);
        UHLC_TIME.set(UHLC_TIME.get() + step);
        let next = (theirs.new_timestamp(), clock.now()?);
        assert!(next.0 > last.0 && next.1 > last.1);
        last = next;
    }
    Ok(())
}
