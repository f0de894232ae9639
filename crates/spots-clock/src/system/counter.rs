//! The processor's own counter as a source of time: half the price of a clock call.

use super::SystemSource;
use crate::source::{ClockSource, KernelClock};

/// For how long the counter is compared with the system's before it is used, in nanoseconds.
const CALIBRATION: u64 = 20_000_000;
/// How often a pair of readings is tried, to find one that nothing interrupted.
const TRIES: u32 = 16;

/// The time-stamp counter of an x86-64 processor, for those who issue so much that the price of a
/// clock call shows.
///
/// It is measured against the system's clock for 20 ms when it is made, to within a few parts in
/// 10⁶, which the drift of 200 ppm that a clock assumes covers. Only a counter that the processor
/// declares to be steady is used. It may stop while the machine sleeps and it escapes the kernel's
/// discipline, so the clock's check matters more: call it every 16 seconds, as always.
#[derive(Debug)]
pub struct CounterSource {
    system: SystemSource,
    origin: u64,
    /// Nanoseconds per tick, in parts of 2³².
    rate: u64,
}

impl CounterSource {
    /// The processor's counter, measured; `None` if it is not steady.
    pub fn new() -> Option<Self> {
        let flags = std::fs::read_to_string("/proc/cpuinfo").ok()?;
        let steady = ["constant_tsc", "nonstop_tsc"]
            .iter()
            .all(|flag| flags.split_whitespace().any(|word| word == *flag));
        if !steady {
            return None;
        }
        let system = SystemSource::new();
        let (origin, began) = pair(&system);
        while system.counter() - began < CALIBRATION {
            std::hint::spin_loop();
        }
        let (ticks, ended) = pair(&system);
        let ticks = ticks.checked_sub(origin).filter(|ticks| *ticks > 0)?;
        let rate = (u128::from(ended - began) << 32) / u128::from(ticks);
        Some(Self {
            system,
            origin,
            rate: u64::try_from(rate).ok()?,
        })
    }
}

#[expect(unsafe_code, reason = "the instruction has no safe name")]
#[inline]
fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and it has no effect but its result.
    unsafe { std::arch::x86_64::_rdtsc() }
}

/// A reading of both counters at the same moment: of several tries the tightest.
fn pair(system: &SystemSource) -> (u64, u64) {
    let tries = (0..TRIES).map(|_| {
        let before = ticks();
        let time = system.counter();
        let after = ticks();
        (after.wrapping_sub(before), before.midpoint(after), time)
    });
    let (_, ticks, time) = tries.min().expect("there is more than one try");
    (ticks, time)
}

impl ClockSource for CounterSource {
    #[inline]
    fn counter(&self) -> u64 {
        let elapsed = ticks().wrapping_sub(self.origin);
        let (low, high) = elapsed.carrying_mul(self.rate, 0);
        high << 32 | low >> 32
    }

    fn wall(&self) -> u64 {
        self.system.wall()
    }

    fn resolution(&self) -> u64 {
        self.system.resolution()
    }

    fn counts_suspend(&self) -> bool {
        false
    }

    fn kernel(&self) -> KernelClock {
        self.system.kernel()
    }

    fn boot(&self) -> Option<u64> {
        self.system.boot()
    }
}
