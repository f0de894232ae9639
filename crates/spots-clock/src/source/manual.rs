//! Time that passes when a test says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use super::{ClockSource, KernelClock};

/// A simulated machine's clock. Clones are handles to the same clock.
///
/// ```
/// let (clock, time) = spots_clock::AtomicClock::simulated(1_000_000_000);
/// time.advance(500);
/// assert_eq!(clock.now()?.nanoseconds(), 1_000_000_500);
/// # Ok::<(), spots_clock::ClockError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ManualSource(Arc<State>);

#[derive(Debug)]
struct State {
    counter: AtomicU64,
    /// Wall clock minus counter.
    wall_offset: AtomicI64,
    /// `u64::MAX`: not synchronised.
    kernel_error: AtomicU64,
    resolution: AtomicU64,
    boot: AtomicU64,
    counts_suspend: AtomicBool,
}

impl ManualSource {
    /// A clock whose wall shows `start` nanoseconds since the Unix epoch.
    ///
    /// It resolves one nanosecond, counts suspend, and its kernel is not synchronised.
    pub fn new(start: u64) -> Self {
        Self(Arc::new(State {
            counter: AtomicU64::new(0),
            wall_offset: AtomicI64::new(start.cast_signed()),
            kernel_error: AtomicU64::new(u64::MAX),
            resolution: AtomicU64::new(1),
            boot: AtomicU64::new(1),
            counts_suspend: AtomicBool::new(true),
        }))
    }

    /// Lets time pass.
    pub fn advance(&self, nanos: u64) {
        self.0.counter.fetch_add(nanos, Ordering::SeqCst);
    }

    /// Lets time pass until the wall shows `nanos`; does nothing if that is over.
    pub fn set(&self, nanos: u64) {
        self.advance(nanos.saturating_sub(self.wall()));
    }

    /// The operating system's clock is set forward or back; the counter does not notice.
    pub fn step_wall(&self, nanos: i64) {
        self.0.wall_offset.fetch_add(nanos, Ordering::SeqCst);
    }

    /// The machine sleeps: the wall moves on, the counter only if it counts suspend.
    pub fn suspend(&self, nanos: u64) {
        if self.counts_suspend() {
            self.advance(nanos);
        } else {
            self.step_wall(nanos.cast_signed());
        }
    }

    /// The machine starts again after `nanos` without power: the counter begins at zero.
    pub fn reboot(&self, nanos: u64) {
        let wall = self.wall() + nanos;
        self.0.counter.store(0, Ordering::SeqCst);
        self.0
            .wall_offset
            .store(wall.cast_signed(), Ordering::SeqCst);
        self.0.boot.fetch_add(1, Ordering::SeqCst);
    }

    /// What the kernel says from now on.
    pub fn set_kernel(&self, kernel: KernelClock) {
        let error = match kernel {
            KernelClock::Synchronized { max_error } => max_error,
            KernelClock::Unsynchronized => u64::MAX,
        };
        self.0.kernel_error.store(error, Ordering::SeqCst);
    }

    /// What the counter resolves from now on, in nanoseconds. Clocks read it when they start.
    pub fn set_resolution(&self, nanos: u64) {
        self.0.resolution.store(nanos, Ordering::SeqCst);
    }

    /// Whether the counter counts suspend from now on.
    pub fn set_counts_suspend(&self, counts: bool) {
        self.0.counts_suspend.store(counts, Ordering::SeqCst);
    }
}

impl ClockSource for ManualSource {
    fn counter(&self) -> u64 {
        self.0.counter.load(Ordering::SeqCst)
    }

    fn wall(&self) -> u64 {
        self.counter()
            .saturating_add_signed(self.0.wall_offset.load(Ordering::SeqCst))
    }

    fn resolution(&self) -> u64 {
        self.0.resolution.load(Ordering::SeqCst)
    }

    fn counts_suspend(&self) -> bool {
        self.0.counts_suspend.load(Ordering::SeqCst)
    }

    fn kernel(&self) -> KernelClock {
        match self.0.kernel_error.load(Ordering::SeqCst) {
            u64::MAX => KernelClock::Unsynchronized,
            max_error => KernelClock::Synchronized { max_error },
        }
    }

    fn boot(&self) -> Option<u64> {
        Some(self.0.boot.load(Ordering::SeqCst))
    }
}
