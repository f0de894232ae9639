//! Where time comes from: a counter for its passing, a wall clock for its name.

mod manual;

pub use manual::ManualSource;

use std::fmt::Debug;

/// What the kernel says about its own wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelClock {
    /// Disciplined: true time lies within this many nanoseconds of the wall clock.
    Synchronized {
        /// The kernel's own bound, in nanoseconds.
        max_error: u64,
    },
    /// The kernel says that nobody disciplines it, or cannot say.
    Unsynchronized,
}

/// Reads time. The real one is [`SystemSource`](crate::SystemSource), the simulated one
/// [`ManualSource`].
pub trait ClockSource: Debug + Send + Sync {
    /// Nanoseconds on a counter with any origin that never steps.
    fn counter(&self) -> u64;

    /// Nanoseconds since the Unix epoch as the operating system shows them; may step either way.
    fn wall(&self) -> u64;

    /// The smallest difference between two readings of the counter, in nanoseconds.
    fn resolution(&self) -> u64;

    /// Whether the counter counts while the machine sleeps.
    fn counts_suspend(&self) -> bool;

    /// What the kernel says about its wall clock.
    fn kernel(&self) -> KernelClock;

    /// A number that every boot of the machine has for itself; `None` if it cannot be told.
    fn boot(&self) -> Option<u64>;
}
