//! When an order that several replicas write is final.
//!
//! Every replica publishes a **closed** timestamp: it will never again commit anything at or below
//! it. Below the least closed timestamp of all live leases nothing can change any more.
//!
//! A lease is live until it is **fenced**, not until its time is over: a transaction that passed the
//! fence in time may still be about to commit. Fencing changes the row that every such transaction
//! holds a share of, and so waits for it or makes it fail.

use std::collections::BTreeSet;

use crate::error::ClockError;
use crate::timestamp::AtomicTimestamp;

/// One replica's open timestamps: issued, and neither committed nor given up.
///
/// Keep it behind a lock together with the issuing, as [`Self::open`] does: a timestamp that is
/// issued first and registered later could be overtaken by a closing.
#[derive(Debug, Default)]
pub struct OpenTimestamps {
    open: BTreeSet<AtomicTimestamp>,
    closed: u64,
}

impl OpenTimestamps {
    /// Nothing is open and nothing is closed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Issues a timestamp and holds it open until [`Self::settle`].
    pub fn open(
        &mut self,
        issue: impl FnOnce() -> Result<AtomicTimestamp, ClockError>,
    ) -> Result<AtomicTimestamp, ClockError> {
        let timestamp = issue()?;
        self.open.insert(timestamp);
        Ok(timestamp)
    }

    /// Its transaction has committed or was given up.
    pub fn settle(&mut self, timestamp: &AtomicTimestamp) {
        self.open.remove(timestamp);
    }

    /// The greatest instant that this replica can promise never to write at or below again, given
    /// a timestamp that it has just issued. Publish it; it never goes back.
    pub fn close(&mut self, just_issued: &AtomicTimestamp) -> u64 {
        let lowest = self.open.first().unwrap_or(just_issued);
        let closed = lowest.min(just_issued).nanoseconds().saturating_sub(1);
        self.closed = self.closed.max(closed);
        self.closed
    }
}
