//! The order itself: one 64-bit word, one compare-and-swap.

use super::atomic::{AtomicU64, Ordering};

/// The last nanosecond handed out, and the end of the window that is durable.
///
/// On a cache line of their own: every issue writes here.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Word {
    last: AtomicU64,
    limit: AtomicU64,
}

/// The next timestamp would lie above the durable limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AboveLimit {
    /// The last nanosecond that was wanted.
    pub(crate) wanted: u64,
}

impl Word {
    /// Everything up to and including `last` counts as handed out; up to `limit` may be.
    pub(crate) fn new(last: u64, limit: u64) -> Self {
        Self {
            last: AtomicU64::new(last),
            limit: AtomicU64::new(limit),
        }
    }

    /// Takes `count` consecutive nanoseconds and returns the first: `max(now, last + 1)`.
    pub(crate) fn take(&self, now: u64, count: u64) -> Result<u64, AboveLimit> {
        let limit = self.limit();
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let first = now.max(last.saturating_add(1));
            let end = first.saturating_add(count - 1);
            if end > limit {
                return Err(AboveLimit { wanted: end });
            }
            // AcqRel: who sees a timestamp through this word also sees what happened before it.
            match self
                .last
                .compare_exchange_weak(last, end, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return Ok(first),
                Err(seen) => last = seen,
            }
        }
    }

    /// Nothing at or below `remote` is handed out from now on.
    pub(crate) fn raise(&self, remote: u64) {
        self.last.fetch_max(remote, Ordering::AcqRel);
    }

    /// The last nanosecond that counts as handed out.
    pub(crate) fn last(&self) -> u64 {
        self.last.load(Ordering::Acquire)
    }

    /// The last nanosecond that may be handed out.
    pub(crate) fn limit(&self) -> u64 {
        self.limit.load(Ordering::Acquire)
    }

    /// Allows everything up to `limit`; call it after `limit` is durable, never before.
    pub(crate) fn publish(&self, limit: u64) {
        self.limit.store(limit, Ordering::Release);
    }
}
