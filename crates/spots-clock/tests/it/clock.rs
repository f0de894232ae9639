//! Order, uniqueness, merging.

use std::collections::BTreeSet;
use std::error::Error;

use spots_clock::{
    AtomicClock, ClockError, ClockSettings, Disruption, KernelClock, ManualSource, MemoryWindow,
    MergeError, OpenError, Precision, Remote, StartRefusal, TimestampId,
};

const START: u64 = 1_795_366_800_000_000_000;
const SECOND: u64 = 1_000_000_000;

fn life(source: &ManualSource, window: &MemoryWindow) -> Result<AtomicClock, OpenError> {
    AtomicClock::start(
        Box::new(source.clone()),
        Box::new(window.clone()),
        ClockSettings::default(),
    )
}

#[test]
fn a_standing_counter_still_gives_increasing_timestamps() -> Result<(), Box<dyn Error>> {
    let (clock, time) = AtomicClock::simulated(START);
    let first = clock.now()?;
    let second = clock.now()?;
    assert_eq!(first.nanoseconds(), START);
    assert_eq!(second.nanoseconds(), START + 1);
    assert_eq!((first.lead(), second.lead()), (0, 1));
    assert_eq!(second.server_time_nanos(), START);
    time.advance(50);
    assert_eq!(clock.now()?.nanoseconds(), START + 50);
    Ok(())
}

#[test]
fn a_timestamp_has_the_fields_of_the_family() -> Result<(), Box<dyn Error>> {
    let source = ManualSource::new(START);
    source.set_kernel(KernelClock::Synchronized { max_error: 1_000 });
    let clock = life(&source, &MemoryWindow::new())?;
    source.advance(SECOND);
    let stamp = clock.now()?;
    assert!(stamp.is_synchronized());
    assert_eq!(stamp.precision(), Precision::Nanosecond);
    let bound = stamp.error_bound().ok_or("no bound")?;
    // The kernel's 1 µs, 200 ppm of one second, 1 ns of resolution, rounding.
    assert!((201_001..=201_010).contains(&bound), "{bound}");
    assert_eq!(stamp.id().nanoseconds(), stamp.nanoseconds());
    assert_eq!(stamp.id().to_string().parse::<TimestampId>()?, stamp.id());
    assert!(
        stamp
            .to_json()
            .contains("\"serverTime\":\"2026-11-22T17:00:01.000000000Z\"")
    );
    Ok(())
}

#[test]
fn threads_share_one_order() -> Result<(), Box<dyn Error>> {
    let (clock, _) = AtomicClock::simulated(START);
    let all = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    (0..5_000)
                        .map(|_| clock.now().map(|stamp| stamp.nanoseconds()))
                        .collect::<Result<Vec<_>, _>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("the thread did not panic"))
            .collect::<Result<Vec<_>, ClockError>>()
    })?;
    assert!(all.iter().all(|stamps| stamps.is_sorted()));
    let distinct: BTreeSet<u64> = all.iter().flatten().copied().collect();
    assert_eq!(distinct.len(), 20_000);
    Ok(())
}

#[test]
fn a_reservation_is_a_run_that_nobody_else_gets() -> Result<(), Box<dyn Error>> {
    let (clock, _) = AtomicClock::simulated(START);
    let run: Vec<u64> = clock
        .reserve(64)?
        .map(|stamp| stamp.nanoseconds())
        .collect();
    assert_eq!(run, (START..START + 64).collect::<Vec<_>>());
    assert_eq!(clock.now()?.nanoseconds(), START + 64);
    for bad in [0, AtomicClock::RESERVE_MAX + 1] {
        assert!(matches!(clock.reserve(bad), Err(ClockError::BadCount { asked }) if asked == bad));
    }
    Ok(())
}

#[test]
fn reserving_without_end_stops_at_the_poison_cap() {
    let (clock, _) = AtomicClock::simulated(START);
    let stopped = (0..70_000).find_map(|_| clock.reserve(AtomicClock::RESERVE_MAX).err());
    assert!(matches!(stopped, Some(ClockError::TooFarAhead { lead }) if lead > 60 * SECOND));
}

#[test]
fn a_peer_is_believed_within_reason() -> Result<(), Box<dyn Error>> {
    let (clock, _) = AtomicClock::simulated(START);
    clock.merge(Remote::from_nanoseconds(START + 1_000))?;
    assert_eq!(clock.now()?.nanoseconds(), START + 1_001);
    let wild = Remote::from_nanoseconds(START + 10 * SECOND);
    assert_eq!(
        clock.merge(wild),
        Err(MergeError::AboveAcceptWindow { ahead: 10 * SECOND })
    );
    assert_eq!(clock.now()?.nanoseconds(), START + 1_002);
    assert_eq!(clock.status().merges_refused, 1);
    Ok(())
}

#[test]
fn steps_of_the_system_clock_change_the_status_and_not_the_time() -> Result<(), Box<dyn Error>> {
    const TEN_YEARS: i64 = 315_576_000_000_000_000;
    let (clock, time) = AtomicClock::simulated(START);
    for by in [TEN_YEARS, -TEN_YEARS, -TEN_YEARS] {
        time.advance(10);
        let before = clock.now()?;
        time.step_wall(by);
        assert_eq!(clock.check(), Some(Disruption::WallStepped { by }));
        assert_eq!(clock.check(), None);
        time.advance(10);
        assert_eq!(clock.now()?.nanoseconds(), before.nanoseconds() + 10);
    }
    assert_eq!(clock.status().disruptions.len(), 3);
    Ok(())
}

#[test]
fn a_crash_is_followed_by_later_timestamps() -> Result<(), Box<dyn Error>> {
    let source = ManualSource::new(START);
    let window = MemoryWindow::new();
    let mut last = 0;
    for round in 0..100 {
        let writes = window.writes();
        let clock = life(&source, &window)?;
        assert_eq!(window.writes(), writes + 1, "one write, no waiting");
        for _ in 0..10 {
            let stamp = clock.now()?.nanoseconds();
            assert!(stamp > last);
            last = stamp;
        }
        assert!(last < START + 4 * SECOND, "restarts must not run away");
        if round % 2 == 0 {
            drop(clock);
        } else {
            // A crash: what the clock would still write is lost.
            window.fail(true);
            drop(clock);
            window.fail(false);
        }
    }
    Ok(())
}

#[test]
fn a_clean_stop_records_the_exact_last_timestamp() -> Result<(), Box<dyn Error>> {
    let source = ManualSource::new(START);
    let window = MemoryWindow::new();
    let clock = life(&source, &window)?;
    let last = clock.now()?.nanoseconds();
    drop(clock);
    assert_eq!(window.record().map(|record| record.mark), Some(last));
    Ok(())
}

#[test]
fn issuing_stops_where_the_window_cannot_be_made_durable() -> Result<(), Box<dyn Error>> {
    let source = ManualSource::new(START);
    let window = MemoryWindow::new();
    let clock = life(&source, &window)?;
    window.fail(true);
    source.advance(3 * SECOND);
    clock.now()?;
    source.advance(1);
    assert!(matches!(clock.now(), Err(ClockError::NotDurable(_))));
    assert_eq!(clock.status().window.failures, 1);
    window.fail(false);
    assert_eq!(clock.now()?.nanoseconds(), START + 3 * SECOND + 1);
    Ok(())
}

#[test]
fn a_wrong_mark_or_a_wrong_clock_is_refused() -> Result<(), Box<dyn Error>> {
    const YEAR: u64 = 31_557_600_000_000_000;
    let window = MemoryWindow::new();
    drop(life(&ManualSource::new(START), &window)?);
    let later = ManualSource::new(START);
    later.reboot(YEAR);
    assert!(matches!(
        life(&later, &window),
        Err(OpenError::Refused(StartRefusal::ForwardJump { .. }))
    ));
    later.set_kernel(KernelClock::Synchronized { max_error: 1 });
    drop(life(&later, &window)?);
    let before = ManualSource::new(START);
    before.reboot(0);
    before.reboot(0); // another boot than `later`'s
    assert!(matches!(
        life(&before, &window),
        Err(OpenError::Refused(StartRefusal::Poisoned { .. }))
    ));
    Ok(())
}

#[test]
fn a_clock_beyond_the_last_timestamp_is_refused() {
    let source = ManualSource::new(TimestampId::NANOSECONDS_MAX);
    assert!(matches!(
        life(&source, &MemoryWindow::new()),
        Err(OpenError::Refused(StartRefusal::BeyondRange { .. }))
    ));
}

#[test]
fn a_step_between_two_lives_of_one_boot_does_not_count() -> Result<(), Box<dyn Error>> {
    let source = ManualSource::new(START);
    let window = MemoryWindow::new();
    drop(life(&source, &window)?);
    source.advance(SECOND);
    source.step_wall(-5_000_000_000);
    let clock = life(&source, &window)?;
    assert_eq!(clock.now()?.nanoseconds(), START + SECOND);
    assert_eq!(clock.status().disruptions.len(), 1);
    Ok(())
}

/// The counter keeps pace with the system's: after a quarter of a second they differ by less than
/// the drift that the clock assumes.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn the_processors_counter_keeps_pace() {
    use spots_clock::{ClockSource as _, CounterSource, SystemSource};

    let Some(counter) = CounterSource::new() else {
        return; // not a steady one
    };
    let system = SystemSource::new();
    let read = || {
        // The tightest of several pairs: nothing came between the two readings.
        let pairs = (0..1_000).map(|_| {
            let before = system.counter();
            let ours = counter.counter();
            (system.counter() - before, ours, before)
        });
        pairs.min().expect("a thousand pairs")
    };
    let (_, ours, began) = read();
    while system.counter() - began < 250_000_000 {
        std::hint::spin_loop();
    }
    let (slack, ours_later, ended) = read();
    let lasted = ended - began;
    let difference = (ours_later - ours).abs_diff(lasted);
    assert!(
        difference <= lasted / 5_000 + slack,
        "{difference} ns of {lasted} ns"
    );
}
