//! The one file that reads the operating system's clocks.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod counter;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use counter::CounterSource;

use crate::source::{ClockSource, KernelClock};

/// The machine's own clocks.
///
/// On 64-bit Linux the counter is `CLOCK_BOOTTIME`, which never steps and counts through suspend,
/// and the kernel's bound comes from `ntp_adjtime`. Elsewhere the counter is the standard library's
/// monotonic clock, which may stand still while the machine sleeps, and the kernel counts as
/// unsynchronised.
#[derive(Debug)]
pub struct SystemSource {
    resolution: u64,
    boot: Option<u64>,
    #[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
    origin: std::time::Instant,
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod platform {
    use super::{ClockSource, KernelClock, SystemSource};

    const CLOCK_REALTIME: i32 = 0;
    const CLOCK_BOOTTIME: i32 = 7;
    /// `ntp_adjtime` returns this while nobody disciplines the clock.
    const TIME_ERROR: i32 = 5;
    const STA_UNSYNC: i32 = 0x0040;
    /// `offset` is in nanoseconds, not microseconds.
    const STA_NANO: i32 = 0x2000;
    const NANOS_PER_MICRO: u64 = 1_000;

    #[repr(C)]
    struct Timespec {
        seconds: i64,
        nanoseconds: i64,
    }

    /// `struct timex` of 64-bit Linux (`linux/timex.h`): 208 bytes, the tail is padding.
    #[repr(C)]
    #[derive(Default)]
    struct Timex {
        modes: u32,
        offset: i64,
        frequency: i64,
        max_error_micros: i64,
        estimated_error_micros: i64,
        status: i32,
        constant: i64,
        precision: i64,
        tolerance: i64,
        seconds: i64,
        microseconds: i64,
        tick: i64,
        pulse: [i64; 8],
        tai: i32,
        padding: [i32; 11],
    }

    const _: () = assert!(size_of::<Timex>() == 208);

    #[expect(
        unsafe_code,
        reason = "the C library's clock calls, which std already links"
    )]
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
        fn clock_getres(clock: i32, resolution: *mut Timespec) -> i32;
        fn ntp_adjtime(timex: *mut Timex) -> i32;
    }

    impl Timespec {
        fn nanos(&self) -> u64 {
            (self.seconds * 1_000_000_000 + self.nanoseconds).cast_unsigned()
        }
    }

    #[inline]
    fn read(clock: i32) -> u64 {
        let mut time = Timespec {
            seconds: 0,
            nanoseconds: 0,
        };
        #[expect(
            unsafe_code,
            reason = "the pointer is to a live value of the right layout"
        )]
        // SAFETY: `time` outlives the call and has the layout of `struct timespec`. The call
        // fails only for an unknown clock; every Linux since 2.6.39 knows both.
        unsafe {
            clock_gettime(clock, &raw mut time);
        }
        time.nanos()
    }

    impl SystemSource {
        /// The machine's clocks, ready to be read.
        pub fn new() -> Self {
            let mut resolution = Timespec {
                seconds: 0,
                nanoseconds: 1,
            };
            #[expect(
                unsafe_code,
                reason = "the pointer is to a live value of the right layout"
            )]
            // SAFETY: as for `clock_gettime`.
            unsafe {
                clock_getres(CLOCK_BOOTTIME, &raw mut resolution);
            }
            let boot = std::fs::read("/proc/sys/kernel/random/boot_id").ok();
            Self {
                resolution: resolution.nanos(),
                boot: boot.map(|id| crate::checksum::fnv64(&id)),
            }
        }
    }

    impl ClockSource for SystemSource {
        #[inline]
        fn counter(&self) -> u64 {
            read(CLOCK_BOOTTIME)
        }

        fn wall(&self) -> u64 {
            read(CLOCK_REALTIME)
        }

        fn resolution(&self) -> u64 {
            self.resolution
        }

        fn counts_suspend(&self) -> bool {
            true
        }

        fn boot(&self) -> Option<u64> {
            self.boot
        }

        fn kernel(&self) -> KernelClock {
            let mut timex = Timex::default();
            #[expect(
                unsafe_code,
                reason = "the pointer is to a live value of the right layout"
            )]
            // SAFETY: `timex` outlives the call and has the layout that the assertion above
            // checks; with `modes` zero the call only reads.
            let state = unsafe { ntp_adjtime(&raw mut timex) };
            kernel_clock(state, &timex)
        }
    }

    fn kernel_clock(state: i32, timex: &Timex) -> KernelClock {
        if state < 0 || state == TIME_ERROR || timex.status & STA_UNSYNC != 0 {
            return KernelClock::Unsynchronized;
        }
        let unit = if timex.status & STA_NANO == 0 {
            NANOS_PER_MICRO
        } else {
            1
        };
        // What the kernel still means to slew in is error, too.
        let pending = timex.offset.unsigned_abs().saturating_mul(unit);
        let stated = u64::try_from(timex.max_error_micros).unwrap_or(u64::MAX / NANOS_PER_MICRO);
        KernelClock::Synchronized {
            max_error: stated
                .saturating_mul(NANOS_PER_MICRO)
                .saturating_add(pending),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::{KernelClock, STA_NANO, STA_UNSYNC, TIME_ERROR, Timex, kernel_clock};

        #[test]
        fn believes_only_a_disciplined_kernel() {
            let timex = Timex {
                max_error_micros: 250,
                offset: -40,
                status: STA_NANO,
                ..Timex::default()
            };
            assert_eq!(
                kernel_clock(0, &timex),
                KernelClock::Synchronized { max_error: 250_040 }
            );
            for state in [TIME_ERROR, -1] {
                assert_eq!(kernel_clock(state, &timex), KernelClock::Unsynchronized);
            }
            let undisciplined = Timex {
                status: STA_UNSYNC,
                ..timex
            };
            assert_eq!(kernel_clock(0, &undisciplined), KernelClock::Unsynchronized);
            let micros = Timex {
                status: 0,
                ..undisciplined
            };
            assert_eq!(
                kernel_clock(0, &micros),
                KernelClock::Synchronized { max_error: 290_000 }
            );
        }
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the file that reads the clocks"
)]
mod platform {
    use std::time::{Instant, SystemTime};

    use super::{ClockSource, KernelClock, SystemSource};

    impl SystemSource {
        /// The machine's clocks, ready to be read.
        pub fn new() -> Self {
            Self {
                resolution: 1_000,
                boot: None,
                origin: Instant::now(),
            }
        }
    }

    impl ClockSource for SystemSource {
        fn counter(&self) -> u64 {
            u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
        }

        fn wall(&self) -> u64 {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            since.map_or(0, |age| u64::try_from(age.as_nanos()).unwrap_or(u64::MAX))
        }

        fn resolution(&self) -> u64 {
            self.resolution
        }

        fn counts_suspend(&self) -> bool {
            false
        }

        fn boot(&self) -> Option<u64> {
            self.boot
        }

        fn kernel(&self) -> KernelClock {
            KernelClock::Unsynchronized
        }
    }
}

impl Default for SystemSource {
    fn default() -> Self {
        Self::new()
    }
}
