//! The clock itself.

mod keeper;
mod learn;

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{ClockError, MergeError, OpenError};
use crate::id::{NodeIdentity, TimestampId};
use crate::published::{Line, Published, UNKNOWN};
use crate::settings::ClockSettings;
use crate::source::{ClockSource, ManualSource};
use crate::start::{self, Observation};
use crate::status::{ClockStatus, Disruption, WindowStatus};
use crate::sync::{Interval, Learned};
use crate::system::SystemSource;
use crate::timestamp::{AtomicTimestamp, Precision};
use crate::window::{FileWindow, MemoryWindow, Window};
use crate::word::Word;
use keeper::{Extender, Keeper};

/// Parts in 2⁶⁴ that are one part in 10⁹, rounded up.
const PARTS_PER_PPB: u64 = u64::MAX / 1_000_000_000 + 1;

/// A clock that never hands out a timestamp twice nor runs backwards, and says how far it may be
/// off.
///
/// Share it by reference or in an [`Arc`]; every method takes `&self`. Issuing takes no lock and
/// makes no system call beyond reading the counter, except when the forward window must be
/// extended at once. Dropping the clock records the exact last timestamp.
///
/// ```
/// let (clock, _time) = spots_clock::AtomicClock::simulated(1_795_366_800_000_000_000);
/// let first = clock.now()?;
/// let second = clock.now()?;
/// assert!(first < second);
/// assert_eq!(first.error_bound(), None); // nobody has synchronised it
/// # Ok::<(), spots_clock::ClockError>(())
/// ```
#[derive(Debug)]
pub struct AtomicClock {
    core: Arc<Core>,
    extender: Option<Extender>,
}

/// What the clock shares with the thread that keeps its window ahead.
///
/// In this order, so that what is written seldom lies between the line that every issue writes and
/// the one that every issue reads: processors fetch lines in pairs.
#[derive(Debug)]
#[repr(C, align(128))]
struct Core {
    word: Word,
    keeper: Mutex<Keeper>,
    settings: ClockSettings,
    published: Published,
    source: Box<dyn ClockSource>,
    /// Device time minus counter: the device's own clock is the counter with a name.
    device_origin: u64,
    resolution: u64,
    /// Who issues: the window's identity, until another is adopted.
    issuing: AtomicU64,
    precision: Precision,
}

/// A peer's instant, to be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote(u64);

impl Remote {
    /// An instant in nanoseconds since the Unix epoch.
    pub fn from_nanoseconds(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }
}

impl From<TimestampId> for Remote {
    fn from(id: TimestampId) -> Self {
        Self(id.nanoseconds())
    }
}

impl From<&AtomicTimestamp> for Remote {
    fn from(timestamp: &AtomicTimestamp) -> Self {
        Self(timestamp.nanoseconds())
    }
}

/// Consecutive timestamps that were taken at once; iterate over them.
#[derive(Clone, Debug)]
pub struct Reservation {
    next: AtomicTimestamp,
    left: u64,
}

impl Iterator for Reservation {
    type Item = AtomicTimestamp;

    fn next(&mut self) -> Option<AtomicTimestamp> {
        self.left = self.left.checked_sub(1)?;
        let timestamp = self.next;
        self.next.nanoseconds += 1;
        if self.next.error != UNKNOWN {
            self.next.error += 1;
        }
        Some(timestamp)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Reservation {}

impl AtomicClock {
    /// How many timestamps can be reserved at once.
    pub const RESERVE_MAX: u64 = 1 << 20;

    /// How many bytes a clock takes in memory, without its window and source.
    pub const SHARED_BYTES: usize = size_of::<Core>();

    /// Opens the machine's clock with its window in a directory, which is created if missing.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let window = FileWindow::open(directory)?;
        let source = Box::new(SystemSource::new());
        let mut clock = Self::start(source, Box::new(window), ClockSettings::default())?;
        clock.extender = Some(Extender::spawn(&clock.core).map_err(OpenError::NotDurable)?);
        Ok(clock)
    }

    /// The machine's clock without a place to remember anything.
    ///
    /// It takes a random node and incarnation: its ids are unique unless 38 random bits and the
    /// nanosecond agree, and nothing orders them after those of an earlier process.
    pub fn volatile() -> Result<Self, OpenError> {
        let settings = ClockSettings {
            identity: Some(random_life()),
            ..ClockSettings::default()
        };
        let source = Box::new(SystemSource::new());
        Self::start(source, Box::new(MemoryWindow::new()), settings)
    }

    /// A clock of simulated time, for tests, and the handle that moves it.
    pub fn simulated(start: u64) -> (Self, ManualSource) {
        let source = ManualSource::new(start);
        let settings = ClockSettings {
            identity: NodeIdentity::new(1, 1),
            ..ClockSettings::default()
        };
        let window = Box::new(MemoryWindow::new());
        let clock = Self::start(Box::new(source.clone()), window, settings)
            .expect("an empty window in memory refuses nothing");
        (clock, source)
    }

    /// Starts a clock on any source and window: two durable writes at most, and no waiting.
    ///
    /// The window is extended by whoever needs it; [`Self::open`] adds a thread that does so ahead
    /// of need.
    pub fn start(
        source: Box<dyn ClockSource>,
        mut window: Box<dyn Window>,
        settings: ClockSettings,
    ) -> Result<Self, OpenError> {
        let seen = Observation::of(source.as_ref());
        let record = window.load().map_err(OpenError::NotDurable)?;
        let start = start::decide(record.as_ref(), &seen, &settings, random_node())?;
        let mut keeper = Keeper::new(window, start.identity, settings.rates);
        let mark = keeper
            .begin(&start, &seen, settings.window)
            .map_err(OpenError::NotDurable)?;
        if start.wall_gap.unsigned_abs() > settings.step_tolerance {
            keeper.note(start.time, Disruption::WallStepped { by: start.wall_gap });
        }
        let resolution = source.resolution();
        let core = Core {
            word: Word::new(start.last, mark),
            published: Published::new(Line {
                as_of: seen.counter,
                time: start.time,
                error: UNKNOWN,
                drift: 0,
                slope: 0,
            }),
            device_origin: seen.wall.wrapping_sub(seen.counter),
            precision: Precision::of_resolution(resolution),
            resolution,
            issuing: AtomicU64::new(start.identity.to_word()),
            source,
            settings,
            keeper: Mutex::new(keeper),
        };
        core.ask_kernel(&mut core.keeper());
        Ok(Self {
            core: Arc::new(core),
            extender: None,
        })
    }

    /// The next timestamp: after every other that this clock has ever handed out.
    #[inline]
    pub fn now(&self) -> Result<AtomicTimestamp, ClockError> {
        self.take(1)
    }

    /// Takes `count` consecutive timestamps at the price of one.
    ///
    /// They run ahead of time by at most `count` nanoseconds, which their error bounds include.
    pub fn reserve(&self, count: u64) -> Result<Reservation, ClockError> {
        if count == 0 || count > Self::RESERVE_MAX {
            return Err(ClockError::BadCount { asked: count });
        }
        Ok(Reservation {
            next: self.take(count)?,
            left: count,
        })
    }

    #[inline]
    fn take(&self, count: u64) -> Result<AtomicTimestamp, ClockError> {
        let core = &*self.core;
        let reading = core.read();
        let taken = loop {
            match core.word.take(reading.server_time, count) {
                Ok(taken) => break taken,
                Err(above) => core.extend_to(above.wanted)?,
            }
        };
        if let Some(extender) = &self.extender
            && taken.saturating_add(core.settings.window / 2) > core.word.limit()
        {
            extender.wake();
        }
        Ok(core.stamp(taken, &reading))
    }

    /// Takes note of a peer's timestamp: everything issued from now on sorts after it.
    ///
    /// The peer's claim about its own error is not asked for, because a wild peer would lie there,
    /// too.
    pub fn merge(&self, remote: impl Into<Remote>) -> Result<(), MergeError> {
        let Remote(remote) = remote.into();
        let core = &*self.core;
        let reading = core.read();
        let ahead = remote.saturating_sub(reading.server_time);
        let uncertain = if reading.error == UNKNOWN {
            0
        } else {
            reading.error
        };
        let refusal = if ahead > uncertain.saturating_add(core.settings.accept_window) {
            MergeError::AboveAcceptWindow {
                ahead: ahead - uncertain,
            }
        } else if ahead > core.settings.poison_cap {
            MergeError::AbovePoisonCap { ahead }
        } else {
            core.word.raise(remote);
            return Ok(());
        };
        core.keeper().merges_refused += 1;
        Err(refusal)
    }

    /// Takes note of an instant of the order that this clock itself writes into, from a database
    /// that it shares with others: everything issued from now on sorts after it.
    ///
    /// Unlike [`Self::merge`] it knows no accept window, because the instant is no claim: somebody
    /// has issued it. The poison cap stands.
    pub fn catch_up(&self, instant: impl Into<Remote>) -> Result<(), MergeError> {
        let Remote(instant) = instant.into();
        let core = &*self.core;
        let ahead = instant.saturating_sub(core.read().server_time);
        if ahead > core.settings.poison_cap {
            core.keeper().merges_refused += 1;
            return Err(MergeError::AbovePoisonCap { ahead });
        }
        core.word.raise(instant);
        Ok(())
    }

    /// Issues under another identity from now on, one that a shared database leased to this
    /// process: no other process, and no other life of this one, ever holds it.
    ///
    /// The window keeps the identity that it remembers, for the time after the lease.
    pub fn adopt(&self, leased: NodeIdentity) {
        self.core.issuing.store(leased.to_word(), Ordering::Release);
    }

    /// Compares the system clock with the counter, asks the kernel how well it is synchronised,
    /// and says what is amiss.
    ///
    /// Call it now and then, every 16 seconds say; a clock from [`Self::open`] does so itself.
    pub fn check(&self) -> Option<Disruption> {
        self.core.check()
    }

    /// What the device's own clock shows: nanoseconds on a line that never steps, from the system
    /// clock at the start. It is what a [`SyncClient`](crate::sync::SyncClient) counts in.
    pub fn device_time(&self) -> u64 {
        self.core.device_time()
    }

    /// Takes in an offset between true time and [`Self::device_time`], measured at device time
    /// `at`. A measurement that is not `traceable` to true time moves the clock, but gives no
    /// error bound.
    pub fn learn(&self, at: u64, offset: Interval, traceable: bool) -> Learned {
        let core = &*self.core;
        core.learn(&mut core.keeper(), at, offset, traceable)
    }

    /// How the clock is doing.
    pub fn status(&self) -> ClockStatus {
        let core = &*self.core;
        let reading = core.read();
        let lead = core.word.last().saturating_sub(reading.server_time);
        let keeper = core.keeper();
        ClockStatus {
            identity: core.identity(),
            server_time: reading.server_time,
            device_time: reading.server_time.wrapping_sub_signed(reading.offset),
            offset: reading.offset,
            error_bound: (reading.error != UNKNOWN).then_some(reading.error),
            resolution: core.resolution,
            precision: core.precision,
            lead,
            alarm: lead > core.settings.alarm_threshold,
            window: WindowStatus {
                mark: core.word.limit(),
                extensions: keeper.extensions,
                failures: keeper.failures,
                last_failure: keeper.last_failure.as_ref().map(ToString::to_string),
            },
            merges_refused: keeper.merges_refused,
            disruptions_total: keeper.disruptions_total,
            disruptions: keeper.disruptions(),
        }
    }

    /// Who issues.
    pub fn identity(&self) -> NodeIdentity {
        self.core.identity()
    }
}

impl Drop for AtomicClock {
    fn drop(&mut self) {
        if let Some(extender) = self.extender.take() {
            extender.stop();
        }
        let core = &*self.core;
        // Nobody can issue any more: the next life may begin right after the last timestamp.
        let anchor = core.anchor();
        core.keeper().close(core.word.last(), anchor);
    }
}

impl fmt::Display for AtomicClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let identity = self.core.identity();
        write!(
            f,
            "node {}, life {}",
            identity.node(),
            identity.incarnation()
        )
    }
}

/// Time at one moment, before it is put into the order.
#[derive(Clone, Copy, Debug)]
struct Reading {
    server_time: u64,
    offset: i64,
    /// [`UNKNOWN`] or a bound in nanoseconds.
    error: u64,
}

impl Core {
    #[inline]
    fn read(&self) -> Reading {
        // The counter first: the loads of the line then overlap with reading it, and cost nothing.
        // A line that is published in between begins a little later; it is read backwards then.
        let counter = self.source.counter();
        self.project(&self.published.read(), counter)
    }

    #[inline]
    fn project(&self, line: &Line, counter: u64) -> Reading {
        let elapsed = counter.saturating_sub(line.as_of);
        // One addition lies between the counter and the order: what waits for the counter is what
        // a timestamp costs. Wrapping, because nothing wraps before the year 2554.
        let ahead = line.time.wrapping_sub(line.as_of);
        let server_time = counter
            .wrapping_add(ahead)
            .wrapping_add_signed(scale_signed(elapsed, line.slope));
        let error = if line.error == UNKNOWN {
            UNKNOWN
        } else {
            line.error.wrapping_add(scale(elapsed, line.drift))
        };
        Reading {
            server_time,
            offset: server_time
                .wrapping_sub(self.device_at(counter))
                .cast_signed(),
            error,
        }
    }

    #[inline]
    fn stamp(&self, nanoseconds: u64, reading: &Reading) -> AtomicTimestamp {
        let lead = nanoseconds.saturating_sub(reading.server_time);
        AtomicTimestamp {
            nanoseconds,
            server_time: reading.server_time,
            offset: reading.offset,
            error: reading.error.saturating_add(lead),
            identity: self.identity(),
            precision: self.precision,
        }
    }

    #[inline]
    fn identity(&self) -> NodeIdentity {
        NodeIdentity::from_word(self.issuing.load(Ordering::Relaxed))
    }

    fn keeper(&self) -> MutexGuard<'_, Keeper> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `elapsed × parts / 2⁶⁴`, rounded down: never more than `elapsed`.
#[inline]
fn scale(elapsed: u64, parts: u64) -> u64 {
    elapsed.carrying_mul(parts, 0).1
}

/// `elapsed × slope / 2⁶⁴`, rounded down.
#[inline]
fn scale_signed(elapsed: u64, slope: i64) -> i64 {
    if slope == 0 {
        return 0; // no rate has been measured: not worth a multiplication
    }
    let down = if slope < 0 { elapsed } else { 0 };
    scale(elapsed, slope.cast_unsigned())
        .wrapping_sub(down)
        .cast_signed()
}

/// The first life of a node that nobody gave a number.
pub(crate) fn random_node() -> NodeIdentity {
    let [high, low, ..] = random_bytes();
    NodeIdentity::new(u16::from_be_bytes([high, low]), 1).expect("1 fits 22 bits")
}

/// A random node in a random life.
fn random_life() -> NodeIdentity {
    let [_, _, life @ .., _, _] = random_bytes();
    let incarnation = u32::from_be_bytes(life) & NodeIdentity::INCARNATION_MAX;
    NodeIdentity::new(random_node().node(), incarnation).expect("masked to 22 bits")
}

/// The standard library's only door to the system's randomness: the seed of its hash maps.
fn random_bytes() -> [u8; 8] {
    RandomState::new().build_hasher().finish().to_be_bytes()
}
