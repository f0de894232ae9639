//! A look at a clock's state from outside, without starting it.

use std::path::Path;

use crate::clock::random_node;
use crate::error::OpenError;
use crate::settings::ClockSettings;
use crate::source::{ClockSource, KernelClock};
use crate::start::{Observation, decide};
use crate::window::{FileWindow, FileWindowError, WindowRecord, read_notes};

/// What a directory and the machine say. Times are nanoseconds since the Unix epoch.
#[derive(Debug)]
pub struct Inspection {
    /// The newest record, if a clock ever ran here.
    pub record: Option<WindowRecord>,
    /// Another process has the clock open.
    pub in_use: bool,
    /// What the system clock shows.
    pub system_clock: u64,
    /// What the kernel says about it.
    pub kernel: KernelClock,
    /// Expected time minus system clock, in nanoseconds, if the machine was not started since the
    /// record.
    pub offset: Option<i64>,
    /// The last disruptions of the clock that runs or ran here, oldest first, each with its time.
    pub disruptions: Vec<String>,
    /// Why the clock would not start.
    pub problem: Option<OpenError>,
}

/// Looks at the clock in a directory; it neither starts a life nor creates anything.
pub fn inspect(directory: &Path, source: &dyn ClockSource) -> Result<Inspection, OpenError> {
    let seen = Observation::of(source);
    let mut found = Inspection {
        record: FileWindow::peek(directory).map_err(FileWindowError::Io)?,
        in_use: false,
        system_clock: seen.wall,
        kernel: seen.kernel,
        offset: None,
        disruptions: read_notes(directory).map_err(FileWindowError::Io)?,
        problem: None,
    };
    if !FileWindow::exists(directory) {
        return Ok(found);
    }
    match FileWindow::open(directory) {
        Ok(_) => {}
        Err(FileWindowError::Busy) => found.in_use = true,
        Err(FileWindowError::Io(error)) => return Err(FileWindowError::Io(error).into()),
        Err(error) => found.problem = Some(error.into()),
    }
    match decide(
        found.record.as_ref(),
        &seen,
        &ClockSettings::default(),
        random_node(),
    ) {
        Ok(start) => {
            let anchored = found.record.and_then(|record| record.anchor);
            let same_boot = anchored.is_some_and(|anchor| seen.boot == Some(anchor.boot));
            found.offset = same_boot.then(|| start.wall_gap.saturating_neg());
        }
        Err(refusal) if !found.in_use && found.problem.is_none() => {
            found.problem = Some(refusal.into());
        }
        Err(_) => {}
    }
    Ok(found)
}
