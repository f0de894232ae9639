//! How the clock learns what time it is, and when it stops believing.

use super::{Core, PARTS_PER_PPB};
use crate::clock::keeper::Keeper;
use crate::published::{Line, UNKNOWN};
use crate::source::KernelClock;
use crate::status::Disruption;
use crate::sync::{Interval, Learned};

impl Core {
    pub(super) fn device_time(&self) -> u64 {
        self.device_at(self.source.counter())
    }

    /// What the device's clock shows when its counter shows this.
    #[inline]
    pub(super) fn device_at(&self, counter: u64) -> u64 {
        self.device_origin.wrapping_add(counter)
    }

    pub(super) fn check(&self) -> Option<Disruption> {
        let mut keeper = self.keeper();
        let device = self.device_time();
        let gap = self.source.wall().wrapping_sub(device).cast_signed();
        let by = gap.saturating_sub(keeper.wall_gap);
        keeper.wall_gap = gap;
        let stepped = by.unsigned_abs() > self.settings.step_tolerance;
        let what = if !stepped {
            None
        } else if self.source.counts_suspend() {
            Some(Disruption::WallStepped { by })
        } else {
            keeper.estimate.reset();
            self.forget();
            Some(Disruption::CounterUntrusted { by })
        };
        if let Some(what) = what {
            keeper.note(self.read().server_time, what);
        }
        self.ask_kernel(&mut keeper).or(what)
    }

    /// Takes the kernel's word for its wall clock, if it gives it.
    pub(super) fn ask_kernel(&self, keeper: &mut Keeper) -> Option<Disruption> {
        let KernelClock::Synchronized { max_error } = self.source.kernel() else {
            return None;
        };
        // The wall was read somewhere between the two readings of the counter.
        let before = self.device_time();
        let wall = self.source.wall();
        let after = self.device_time();
        let offset = Interval::new(
            wall.wrapping_sub(after).cast_signed(),
            wall.wrapping_sub(before).cast_signed(),
        )?
        .stretch(max_error, max_error);
        match self.learn(keeper, after, offset, true) {
            Learned::Contradicted { gap } => Some(Disruption::Contradicted { gap }),
            Learned::First | Learned::Agreed | Learned::Ignored => None,
        }
    }

    pub(super) fn learn(
        &self,
        keeper: &mut Keeper,
        at: u64,
        offset: Interval,
        traceable: bool,
    ) -> Learned {
        let learned = keeper.estimate.observe(at, offset, traceable);
        match learned {
            Learned::First | Learned::Agreed => self.publish(keeper),
            Learned::Ignored => {}
            Learned::Contradicted { gap } => {
                self.forget();
                let at = self.read().server_time;
                keeper.note(at, Disruption::Contradicted { gap });
            }
        }
        learned
    }

    /// Publishes what the estimate knows now. The caller holds the keeper, so nobody else writes.
    fn publish(&self, keeper: &Keeper) {
        let counter = self.source.counter();
        let device = self.device_at(counter);
        let Some(known) = keeper.estimate.at(device) else {
            return;
        };
        let (low, high) = keeper.estimate.rate_ppb();
        let parts_per_ppb = PARTS_PER_PPB.cast_signed();
        self.published.write(Line {
            as_of: counter,
            time: device.saturating_add_signed(known.interval.centre()),
            error: if known.traceable {
                // One for rounding down the drift, one for the slope.
                let rounding = self.resolution.saturating_add(2);
                known.interval.radius().saturating_add(rounding)
            } else {
                UNKNOWN
            },
            // One part more for the midpoint, which was rounded.
            drift: (high.abs_diff(low).div_ceil(2) + 1).saturating_mul(PARTS_PER_PPB),
            slope: low.midpoint(high).saturating_mul(parts_per_ppb),
        });
    }

    /// Keeps the time and drops the bound.
    fn forget(&self) {
        let counter = self.source.counter();
        let line = self.published.read();
        self.published.write(Line {
            as_of: counter,
            time: self.project(&line, counter).server_time,
            error: UNKNOWN,
            ..line
        });
    }
}
