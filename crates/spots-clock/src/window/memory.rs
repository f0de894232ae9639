//! A window for tests and for clocks without a place of their own.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Window, WindowRecord};

/// Keeps the record in memory. Clones share it, so that a test can start a second life.
#[derive(Clone, Debug, Default)]
pub struct MemoryWindow(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    record: Option<WindowRecord>,
    writes: u64,
    fail: bool,
}

impl MemoryWindow {
    /// A window that remembers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A window that another life left behind.
    pub fn holding(record: WindowRecord) -> Self {
        let window = Self::default();
        window.with(|state| state.record = Some(record));
        window
    }

    /// The newest record.
    pub fn record(&self) -> Option<WindowRecord> {
        self.with(|state| state.record)
    }

    /// How often something was made durable.
    pub fn writes(&self) -> u64 {
        self.with(|state| state.writes)
    }

    /// Whether every write fails from now on, as on a full disk.
    pub fn fail(&self, fail: bool) {
        self.with(|state| state.fail = fail);
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Window for MemoryWindow {
    fn load(&mut self) -> io::Result<Option<WindowRecord>> {
        Ok(self.record())
    }

    fn begin(&mut self, record: &WindowRecord) -> io::Result<()> {
        self.store(record)
    }

    fn store(&mut self, record: &WindowRecord) -> io::Result<()> {
        self.with(|state| {
            if state.fail {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            state.record = Some(*record);
            state.writes += 1;
            Ok(())
        })
    }
}
