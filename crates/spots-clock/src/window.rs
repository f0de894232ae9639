//! What a clock must not forget: how far it may have got, and which life this is.

mod file;
mod memory;
mod notes;

pub use file::{FileWindow, FileWindowError};
pub use memory::MemoryWindow;
pub(crate) use notes::{NOTES_MAX, read_notes};

use std::fmt::Debug;
use std::io;

use crate::id::NodeIdentity;

/// A point that ties time to the counter of one boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Which boot of the machine.
    pub boot: u64,
    /// The counter's reading.
    pub counter: u64,
    /// Server time then, in nanoseconds since the Unix epoch.
    pub time: u64,
}

/// One durable state of a forward window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowRecord {
    /// Who issues under it.
    pub identity: NodeIdentity,
    /// No timestamp above this was issued, in nanoseconds since the Unix epoch.
    pub mark: u64,
    /// When it was written, if the machine can tell its boots apart.
    pub anchor: Option<Anchor>,
}

/// Keeps the newest [`WindowRecord`] where a crash cannot reach it.
pub trait Window: Debug + Send {
    /// The record that the last life left behind, if there was one.
    fn load(&mut self) -> io::Result<Option<WindowRecord>>;

    /// Begins a new life: like [`Self::store`], and remembers the incarnation a second time where
    /// the window has a place for it.
    fn begin(&mut self, record: &WindowRecord) -> io::Result<()>;

    /// Makes a record durable. When it returns, no crash can bring an older record back.
    fn store(&mut self, record: &WindowRecord) -> io::Result<()>;

    /// Keeps a line for whoever asks how the clock was doing, where the window has a place for it.
    fn note(&mut self, _line: &str) -> io::Result<()> {
        Ok(())
    }
}
