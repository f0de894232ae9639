#![doc = include_str!("../README.md")]

mod atomic;
mod checksum;
mod clock;
pub mod closed;
mod error;
pub mod fair;
mod id;
mod inspect;
pub mod offline;
mod published;
mod repair;
mod rfc3339;
mod sequence_lock;
mod settings;
mod source;
mod start;
mod status;
pub mod sync;
mod system;
mod timestamp;
mod window;
mod word;

pub use clock::{AtomicClock, Remote, Reservation};
pub use error::{ClockError, MergeError, OpenError};
pub use id::{IdError, NodeIdentity, TimestampId};
pub use inspect::{Inspection, inspect};
pub use repair::{Repair, RepairError, repair};
pub use rfc3339::rfc3339;
pub use settings::ClockSettings;
pub use source::{ClockSource, KernelClock, ManualSource};
pub use start::StartRefusal;
pub use status::{ClockStatus, Disruption, NotedDisruption, WindowStatus};
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use system::CounterSource;
pub use system::SystemSource;
pub use timestamp::{AtomicTimestamp, Precision};
pub use window::{Anchor, FileWindow, FileWindowError, MemoryWindow, Window, WindowRecord};
