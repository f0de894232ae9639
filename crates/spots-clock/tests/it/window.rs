//! The window on disk: what was lost, copied or restored is noticed.

use std::error::Error;
use std::fs;
use std::path::Path;

use spots_clock::{AtomicClock, FileWindow, FileWindowError, OpenError};

type Outcome = Result<(), Box<dyn Error>>;

fn refusal(directory: &Path) -> Result<FileWindowError, Box<dyn Error>> {
    match AtomicClock::open(directory) {
        Err(OpenError::Window(error)) => Ok(error),
        Err(error) => Err(error.into()),
        Ok(_) => Err("the clock opened".into()),
    }
}

#[test]
fn lives_follow_each_other() -> Outcome {
    let directory = tempfile::tempdir()?;
    let mut last = None;
    for _ in 0..5 {
        let clock = AtomicClock::open(directory.path())?;
        let stamp = clock.now()?;
        if let Some(last) = last {
            assert!(stamp > last);
            assert_eq!(stamp.identity().node(), last.identity().node());
            assert_eq!(
                stamp.identity().incarnation(),
                last.identity().incarnation() + 1
            );
        }
        last = Some(stamp);
    }
    let record = FileWindow::peek(directory.path())?.ok_or("no record")?;
    assert_eq!(Some(record.mark), last.map(|last| last.nanoseconds()));
    Ok(())
}

#[test]
fn one_process_at_a_time() -> Outcome {
    let directory = tempfile::tempdir()?;
    let _clock = AtomicClock::open(directory.path())?;
    assert!(matches!(refusal(directory.path())?, FileWindowError::Busy));
    Ok(())
}

#[test]
fn a_copy_is_noticed() -> Outcome {
    let directory = tempfile::tempdir()?;
    drop(AtomicClock::open(directory.path())?);
    let copy = tempfile::tempdir()?;
    for name in ["clock.window", "clock.life"] {
        fs::copy(directory.path().join(name), copy.path().join(name))?;
    }
    assert!(matches!(refusal(copy.path())?, FileWindowError::Copied));
    drop(AtomicClock::open(directory.path())?);
    Ok(())
}

#[test]
fn a_lost_or_restored_file_is_noticed() -> Outcome {
    let directory = tempfile::tempdir()?;
    let window = directory.path().join("clock.window");
    drop(AtomicClock::open(directory.path())?);
    let backup = fs::read(&window)?;
    drop(AtomicClock::open(directory.path())?);
    drop(AtomicClock::open(directory.path())?);
    // Written over the file in place, as a careless restore does: the inode stays.
    fs::write(&window, &backup)?;
    assert!(matches!(
        refusal(directory.path())?,
        FileWindowError::RolledBack
    ));
    fs::remove_file(&window)?;
    assert!(matches!(refusal(directory.path())?, FileWindowError::Lost));
    Ok(())
}
