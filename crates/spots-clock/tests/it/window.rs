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

#[test]
fn crashes_between_the_two_writes_of_a_start_are_no_loss() -> Outcome {
    let directory = tempfile::tempdir()?;
    let life = directory.path().join("clock.life");
    drop(AtomicClock::open(directory.path())?);
    let before = fs::read(&life)?;
    let mut last = AtomicClock::open(directory.path())?.now()?;
    for _ in 0..5 {
        // The second write never happened: the file still holds what it held.
        fs::write(&life, &before)?;
        let next = AtomicClock::open(directory.path())?.now()?;
        assert!(next > last);
        assert!(next.identity().incarnation() > last.identity().incarnation());
        last = next;
    }
    Ok(())
}

#[test]
fn a_torn_write_leaves_the_record_before() -> Outcome {
    let directory = tempfile::tempdir()?;
    let window = directory.path().join("clock.window");
    let last = AtomicClock::open(directory.path())?.now()?;
    let whole = fs::read(&window)?;
    let newest = FileWindow::peek(directory.path())?;
    let with_flipped = |place: usize| -> Result<_, Box<dyn Error>> {
        let mut torn = whole.clone();
        let byte = torn.get_mut(place).ok_or("beyond the file")?;
        *byte ^= 0x40;
        fs::write(&window, torn)?;
        Ok(FileWindow::peek(directory.path())?)
    };
    // Two slots, a page apart; the one that matters is the newest.
    let (first, second) = (with_flipped(0)?, with_flipped(4096)?);
    assert_ne!(first, second);
    let start = if first == newest { 4096 } else { 0 };
    let before = if first == newest { second } else { first };
    for place in start..start + 80 {
        assert_eq!(with_flipped(place)?, before, "byte {place}");
    }
    let next = AtomicClock::open(directory.path())?.now()?;
    assert!(next > last);
    Ok(())
}
