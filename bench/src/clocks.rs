//! The operating system's clocks, read as directly as it goes.

/// Goes on evenly; nobody sets it.
pub const MONOTONIC: i32 = 1;
/// CPU time of the calling thread, which a busy machine changes little.
pub const THREAD: i32 = 3;

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

unsafe extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

/// What a clock shows, in nanoseconds.
#[inline]
pub fn read(clock: i32) -> u64 {
    let mut time = Timespec {
        seconds: 0,
        nanoseconds: 0,
    };
    // SAFETY: the pointer is to a live value of the right layout.
    unsafe {
        clock_gettime(clock, &raw mut time);
    }
    time.seconds.cast_unsigned() * 1_000_000_000 + time.nanoseconds.cast_unsigned()
}

/// CPU seconds of the calling thread.
pub fn thread_seconds() -> f64 {
    read(THREAD) as f64 / 1e9
}
