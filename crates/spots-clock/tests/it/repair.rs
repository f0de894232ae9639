//! A clock that refuses to start is repaired by name, and the repair leaves a line.

use std::error::Error;
use std::fs;

use spots_clock::{
    AtomicClock, ClockSettings, FileWindow, ManualSource, OpenError, RepairError, SystemSource,
    inspect, repair,
};

type Outcome = Result<(), Box<dyn Error>>;

const START: u64 = 1_795_366_800_000_000_000;
const TEN_YEARS: u64 = 315_576_000_000_000_000;

fn life(source: &ManualSource, directory: &std::path::Path) -> Result<AtomicClock, OpenError> {
    AtomicClock::start(
        Box::new(source.clone()),
        Box::new(FileWindow::open(directory)?),
        ClockSettings::default(),
    )
}

#[test]
fn a_poisoned_mark_takes_somebody_who_vouches_for_the_clock() -> Outcome {
    let directory = tempfile::tempdir()?;
    let directory = directory.path();
    // A first life under a clock that is ten years ahead, then the battery is changed.
    let source = ManualSource::new(START + TEN_YEARS);
    let poisoned = life(&source, directory)?.now()?;
    source.reboot(0);
    source.step_wall(-TEN_YEARS.cast_signed());
    assert!(life(&source, directory).is_err_and(|error| error.is_repairable()));
    assert!(inspect(directory, &source)?.problem.is_some());

    let refused = repair(directory, &source, false);
    assert!(matches!(refused, Err(RepairError::NeedsTrust(_))));
    let repaired = repair(directory, &source, true)?;
    assert_eq!(repaired.problem, "poisoned");
    let clock = life(&source, directory)?;
    let stamp = clock.now()?;
    assert!(stamp.nanoseconds() < START + TEN_YEARS);
    assert_ne!(stamp.identity().node(), poisoned.identity().node());
    drop(clock);

    let audit = fs::read_to_string(directory.join("clock.audit"))?;
    let line: serde_json::Value = serde_json::from_str(audit.trim_end())?;
    assert_eq!(line["problem"], "poisoned");
    assert_eq!(line["trustedSystemClock"], true);
    assert_eq!(line["before"]["node"], poisoned.identity().node());
    assert!(matches!(
        repair(directory, &source, true),
        Err(RepairError::NothingToRepair)
    ));
    Ok(())
}

#[test]
fn a_copy_gets_another_node_and_stays_above_the_old_mark() -> Outcome {
    let directory = tempfile::tempdir()?;
    let original = AtomicClock::open(directory.path())?.now()?;
    let copy = tempfile::tempdir()?;
    for name in ["clock.window", "clock.life"] {
        fs::copy(directory.path().join(name), copy.path().join(name))?;
    }
    let repaired = repair(copy.path(), &SystemSource::new(), false)?;
    assert_eq!(repaired.problem, "copied");
    let stamp = AtomicClock::open(copy.path())?.now()?;
    assert!(stamp > original);
    assert_ne!(stamp.identity().node(), original.identity().node());
    Ok(())
}

#[test]
fn a_clock_in_use_is_not_repaired() -> Outcome {
    let directory = tempfile::tempdir()?;
    let _clock = AtomicClock::open(directory.path())?;
    let refused = repair(directory.path(), &SystemSource::new(), true);
    assert!(matches!(refused, Err(RepairError::Window(_))));
    assert!(inspect(directory.path(), &SystemSource::new())?.in_use);
    Ok(())
}

#[test]
fn looking_creates_nothing() -> Outcome {
    let directory = tempfile::tempdir()?;
    let missing = directory.path().join("none");
    assert_eq!(inspect(&missing, &SystemSource::new())?.record, None);
    assert!(!missing.exists());
    Ok(())
}
