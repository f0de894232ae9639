//! Keeps the durable mark ahead of what is issued.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Core;
use crate::error::ClockError;
use crate::id::NodeIdentity;
use crate::rfc3339::rfc3339;
use crate::start::{Observation, Start};
use crate::status::{Disruption, NotedDisruption};
use crate::sync::{Estimate, Rates};
use crate::window::{Anchor, NOTES_MAX, Window, WindowRecord};

/// How far above the last timestamp the mark lies at least, for clocks whose order is ahead of
/// time. It is small, so that a process that restarts in a loop does not run away.
const HEADROOM: u64 = 1_000_000;

/// How often the system clock is compared with the counter.
const CHECK_EVERY: Duration = Duration::from_secs(16);

/// What is written and remembered beside the hot path.
#[derive(Debug)]
pub(super) struct Keeper {
    window: Box<dyn Window>,
    /// What the window remembers, whoever the clock issues as.
    identity: NodeIdentity,
    pub(super) extensions: u64,
    pub(super) failures: u64,
    pub(super) last_failure: Option<io::Error>,
    pub(super) merges_refused: u64,
    /// System clock minus device time, when they were last compared.
    pub(super) wall_gap: i64,
    pub(super) estimate: Estimate,
    pub(super) disruptions_total: u64,
    disruptions: VecDeque<NotedDisruption>,
}

impl Keeper {
    pub(super) fn new(window: Box<dyn Window>, identity: NodeIdentity, rates: Rates) -> Self {
        Self {
            window,
            identity,
            extensions: 0,
            failures: 0,
            last_failure: None,
            merges_refused: 0,
            wall_gap: 0,
            estimate: Estimate::new(rates),
            disruptions_total: 0,
            disruptions: VecDeque::new(),
        }
    }

    /// Makes the first mark of this life durable and returns it.
    pub(super) fn begin(
        &mut self,
        start: &Start,
        seen: &Observation,
        window: u64,
    ) -> io::Result<u64> {
        let mark = mark_above(start.time, start.last, window);
        self.window.begin(&WindowRecord {
            identity: start.identity,
            mark,
            anchor: seen.boot.map(|boot| Anchor {
                boot,
                counter: seen.counter,
                time: start.time,
            }),
        })?;
        Ok(mark)
    }

    fn store(&mut self, mark: u64, anchor: Option<Anchor>) -> io::Result<()> {
        let record = WindowRecord {
            identity: self.identity,
            mark,
            anchor,
        };
        match self.window.store(&record) {
            Ok(()) => {
                self.extensions += 1;
                self.last_failure = None;
                Ok(())
            }
            Err(error) => {
                self.failures += 1;
                self.last_failure = Some(io::Error::new(error.kind(), error.to_string()));
                Err(error)
            }
        }
    }

    /// Records the exact last timestamp. If that fails, the old mark stands, which is safe.
    pub(super) fn close(&mut self, last: u64, anchor: Option<Anchor>) {
        drop(self.store(last, anchor));
    }

    pub(super) fn note(&mut self, at: u64, what: Disruption) {
        if self.disruptions.len() == NOTES_MAX {
            self.disruptions.pop_front();
        }
        self.disruptions_total += 1;
        // For a status from outside; a clock that cannot write it down still knows it.
        drop(self.window.note(&format!("{} {what}", rfc3339(at))));
        self.disruptions.push_back(NotedDisruption { at, what });
    }

    pub(super) fn disruptions(&self) -> Vec<NotedDisruption> {
        self.disruptions.iter().copied().collect()
    }
}

/// How far the mark goes for a clock whose time is `time` and whose order is at `last`.
fn mark_above(time: u64, last: u64, window: u64) -> u64 {
    time.saturating_add(window)
        .max(last.saturating_add(HEADROOM))
}

impl Core {
    /// Moves the mark so that `wanted` may be issued.
    #[cold]
    pub(super) fn extend_to(&self, wanted: u64) -> Result<(), ClockError> {
        let mut keeper = self.keeper();
        if wanted <= self.word.limit() {
            return Ok(()); // somebody else was faster
        }
        let time = self.read().server_time;
        let lead = wanted.saturating_sub(time);
        if lead > self.settings.poison_cap {
            return Err(ClockError::TooFarAhead { lead });
        }
        let mark = mark_above(time, wanted, self.settings.window);
        keeper
            .store(mark, self.anchor())
            .map_err(ClockError::NotDurable)?;
        // Durable first, published second: nobody issues above what a crash would remember.
        self.word.publish(mark);
        Ok(())
    }

    /// Moves the mark ahead of need. A failure shows in the status, and at the latest when
    /// somebody needs it.
    fn refill(&self) {
        let wanted = self.word.last().saturating_add(self.settings.window / 2);
        drop(self.extend_to(wanted));
    }

    pub(super) fn anchor(&self) -> Option<Anchor> {
        let boot = self
            .source
            .boot()
            .filter(|_| self.source.counts_suspend())?;
        let line = self.published.read();
        let counter = self.source.counter();
        Some(Anchor {
            boot,
            counter,
            time: self.project(&line, counter).server_time,
        })
    }
}

/// The thread that keeps the mark ahead and the system clock checked.
#[derive(Debug)]
pub(super) struct Extender {
    shared: Arc<Wish>,
    thread: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Wish {
    extend: AtomicBool,
    stop: AtomicBool,
}

impl Extender {
    pub(super) fn spawn(core: &Arc<Core>) -> io::Result<Self> {
        let shared = Arc::new(Wish::default());
        let (core, wish) = (Arc::clone(core), Arc::clone(&shared));
        let thread = thread::Builder::new()
            .name(String::from("spots-clock"))
            .spawn(move || {
                while !wish.stop.load(Ordering::Acquire) {
                    if wish.extend.swap(false, Ordering::AcqRel) {
                        core.refill();
                    } else {
                        core.check();
                    }
                    thread::park_timeout(CHECK_EVERY);
                }
            })?;
        Ok(Self { shared, thread })
    }

    /// Asks for the mark to be moved; cheap if that was asked for already.
    pub(super) fn wake(&self) {
        if !self.shared.extend.swap(true, Ordering::AcqRel) {
            self.thread.thread().unpark();
        }
    }

    /// Ends the thread and waits for it.
    pub(super) fn stop(self) {
        self.shared.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        // It only fails if the thread panicked, which std has reported already.
        drop(self.thread.join());
    }
}
