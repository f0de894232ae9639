//! The way back for a clock whose state cannot be used as it is.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use crate::clock::random_node;
use crate::id::NodeIdentity;
use crate::rfc3339::rfc3339;
use crate::settings::ClockSettings;
use crate::source::ClockSource;
use crate::start::{Observation, StartRefusal, decide};
use crate::window::{Anchor, FileWindow, FileWindowError, WindowRecord};

const AUDIT_FILE: &str = "clock.audit";

/// What a repair changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repair {
    /// What was wrong, as a stable word: `copied`, `rolled-back`, `lost`, `poisoned`,
    /// `forward-jump`, `incarnations-used-up` or `wall-stepped`.
    pub problem: &'static str,
    /// The newest record that could be read.
    pub before: Option<WindowRecord>,
    /// What the next start goes on from.
    pub after: WindowRecord,
}

/// Why nothing was repaired. Nothing was changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum RepairError {
    /// The clock starts as it is.
    NothingToRepair,
    /// Only somebody who knows that the system clock is right can decide this.
    NeedsTrust(StartRefusal),
    /// The state is in use, or cannot be read or written.
    Window(FileWindowError),
}

impl fmt::Display for RepairError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingToRepair => f.write_str("nothing to repair: the clock starts as it is"),
            Self::NeedsTrust(refusal) => refusal.fmt(f),
            Self::Window(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RepairError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Window(error) => error.source(),
            Self::NothingToRepair | Self::NeedsTrust(_) => None,
        }
    }
}

impl From<FileWindowError> for RepairError {
    fn from(error: FileWindowError) -> Self {
        Self::Window(error)
    }
}

impl From<io::Error> for RepairError {
    fn from(error: io::Error) -> Self {
        Self::Window(error.into())
    }
}

/// Gives the clock in a directory a new node and a mark that goes with the system clock.
///
/// A new node, because timestamps of the old one may exist above the new mark; their ids stay
/// unique. Each repair appends a line of JSON to `clock.audit` before it changes anything. With
/// `trust_system_clock` the caller vouches for what `source` shows.
pub fn repair(
    directory: &Path,
    source: &dyn ClockSource,
    trust_system_clock: bool,
) -> Result<Repair, RepairError> {
    let settings = ClockSettings::default();
    let mut window = FileWindow::open_unchecked(directory)?;
    let before = window.last_known();
    let seen = Observation::of(source);
    let decision = decide(before.as_ref(), &seen, &settings, random_node());
    let problem = match window.judge() {
        Err(error) => error.word().ok_or(error)?,
        Ok(_) => match &decision {
            Err(refusal) => refusal.word(),
            Ok(start)
                if trust_system_clock
                    && start.wall_gap.unsigned_abs() > settings.step_tolerance =>
            {
                "wall-stepped"
            }
            Ok(_) => return Err(RepairError::NothingToRepair),
        },
    };
    let time = match decision {
        Err(refusal @ StartRefusal::BeyondRange { .. }) => {
            return Err(RepairError::NeedsTrust(refusal));
        }
        _ if trust_system_clock => seen.wall,
        Ok(start) => start.time,
        Err(StartRefusal::IncarnationsUsedUp) => seen.wall,
        Err(refusal) => return Err(RepairError::NeedsTrust(refusal)),
    };
    let mark = before
        .map(|record| record.mark)
        .filter(|mark| *mark <= time.saturating_add(settings.mark_lead_max()))
        .map_or(time, |mark| mark.max(time));
    let repair = Repair {
        problem,
        before,
        after: WindowRecord {
            identity: other_node(before),
            mark,
            anchor: seen.boot.map(|boot| Anchor {
                boot,
                counter: seen.counter,
                time,
            }),
        },
    };
    audit(directory, &repair, &seen, trust_system_clock)?;
    window.overwrite(&repair.after)?;
    Ok(repair)
}

fn other_node(before: Option<WindowRecord>) -> NodeIdentity {
    let old = before.map(|record| record.identity.node());
    let fresh = random_node();
    if old == Some(fresh.node()) {
        NodeIdentity::new(fresh.node() ^ 1, fresh.incarnation()).unwrap_or(fresh)
    } else {
        fresh
    }
}

fn audit(directory: &Path, repair: &Repair, seen: &Observation, trusted: bool) -> io::Result<()> {
    let record = |record: &WindowRecord| {
        format!(
            "{{\"node\":{},\"incarnation\":{},\"mark\":\"{}\"}}",
            record.identity.node(),
            record.identity.incarnation(),
            rfc3339(record.mark)
        )
    };
    let line = format!(
        "{{\"systemClock\":\"{}\",\"problem\":\"{}\",\"trustedSystemClock\":{trusted},\
         \"before\":{},\"after\":{}}}\n",
        rfc3339(seen.wall),
        repair.problem,
        repair
            .before
            .as_ref()
            .map_or_else(|| String::from("null"), record),
        record(&repair.after),
    );
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(directory.join(AUDIT_FILE))?;
    file.write_all(line.as_bytes())?;
    file.sync_all()
}
