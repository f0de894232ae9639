//! Without a network: keep what was stamped, and map it to true time afterwards.

use std::collections::VecDeque;

use crate::sync::{Estimate, Interval, Rates};

/// A thing that was stamped offline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineEntry<T> {
    /// Counts up from 1 per queue; an idempotency key is made from it.
    pub sequence: u64,
    /// Device time, in nanoseconds.
    pub device_time: u64,
    /// The offset as it was known then, if it was; it is never rewritten.
    pub known: Option<Interval>,
    /// What happened.
    pub action: T,
}

/// The queue is full: nothing was lost, but this action was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueFull {
    /// How many entries it holds.
    pub limit: usize,
}

impl std::fmt::Display for QueueFull {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} actions wait for the network already; connect before adding more",
            self.limit
        )
    }
}

impl std::error::Error for QueueFull {}

/// Stamped actions that wait for the network, in order.
#[derive(Clone, Debug)]
pub struct OfflineQueue<T> {
    entries: VecDeque<OfflineEntry<T>>,
    next: u64,
    limit: usize,
}

impl<T> OfflineQueue<T> {
    /// An empty queue of at most `limit` actions.
    pub fn new(limit: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            next: 1,
            limit,
        }
    }

    /// Adds an action and returns its number.
    pub fn push(
        &mut self,
        device_time: u64,
        known: Option<Interval>,
        action: T,
    ) -> Result<u64, QueueFull> {
        if self.entries.len() >= self.limit {
            return Err(QueueFull { limit: self.limit });
        }
        let sequence = self.next;
        self.next += 1;
        self.entries.push_back(OfflineEntry {
            sequence,
            device_time,
            known,
            action,
        });
        Ok(sequence)
    }

    /// What waits, oldest first. Send it as often as needed; the numbers make it idempotent.
    pub fn waiting(&self) -> impl Iterator<Item = &OfflineEntry<T>> {
        self.entries.iter()
    }

    /// The server has everything up to and including `sequence`.
    pub fn acknowledge(&mut self, sequence: u64) {
        while self
            .entries
            .front()
            .is_some_and(|entry| entry.sequence <= sequence)
        {
            self.entries.pop_front();
        }
    }
}

/// What a synchronisation taught about the time before it.
///
/// Stamps of the past are not rewritten. This record stands beside them and maps a device time to
/// the interval that holds its true time: what was known before, widened forward, intersected with
/// what was learned after, widened backward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Device time and offset of the last synchronisation before, if there was one in this
    /// session.
    pub before: Option<(u64, Interval)>,
    /// Device time and offset of the first one after.
    pub after: (u64, Interval),
    /// Bound of the counter's rate error in between, in parts in 10⁹.
    pub drift_ppb: u64,
}

impl Correction {
    /// The earliest and latest true time, in nanoseconds since the Unix epoch, of what was stamped
    /// at `device_time`.
    ///
    /// `None` if the stamp is later than the synchronisation, or if before and after contradict
    /// each other: then the device's clock was tampered with or stood still.
    pub fn place(&self, device_time: u64) -> Option<(u64, u64)> {
        let (after_at, after) = self.after;
        if device_time > after_at {
            return None;
        }
        let rates = Rates {
            drift_ppb: self.drift_ppb,
            wander_ppb: 0,
        };
        let widened = |at: u64, interval: Interval| {
            let mut estimate = Estimate::new(rates);
            estimate.observe(at, interval, true);
            estimate.at(device_time).map(|known| known.interval)
        };
        let mut offset = widened(after_at, after)?;
        if let Some((before_at, before)) = self.before {
            offset = offset.intersect(widened(before_at, before)?)?;
        }
        Some((
            device_time.saturating_add_signed(offset.low()),
            device_time.saturating_add_signed(offset.high()),
        ))
    }
}
