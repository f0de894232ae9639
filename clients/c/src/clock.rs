//! The clock.

use std::ffi::{CStr, c_char};
use std::path::Path;

use spots_clock::{AtomicClock, AtomicTimestamp, ClockError, Precision, Remote};

use crate::border::{Status, borrowed, give, guarded};

/// `spots_timestamp` of the header.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Timestamp {
    id: [u8; 16],
    nanoseconds: u64,
    server_time: u64,
    device_time: u64,
    offset: i64,
    error_bound: u64,
    is_synchronized: u8,
    is_nanosecond: u8,
}

impl From<AtomicTimestamp> for Timestamp {
    fn from(stamp: AtomicTimestamp) -> Self {
        Self {
            id: stamp.id().to_bytes(),
            nanoseconds: stamp.nanoseconds(),
            server_time: stamp.server_time_nanos(),
            device_time: stamp.device_time_nanos(),
            offset: stamp.offset_nanos(),
            error_bound: stamp.error_bound().unwrap_or(u64::MAX),
            is_synchronized: u8::from(stamp.is_synchronized()),
            is_nanosecond: u8::from(stamp.precision() == Precision::Nanosecond),
        }
    }
}

fn status_of(error: &ClockError) -> Status {
    match error {
        ClockError::NotDurable(_) => Status::NotDurable,
        ClockError::BadCount { .. } => Status::BadArgument,
        ClockError::TooFarAhead { .. } => Status::TooFarAhead,
        _ => Status::Internal,
    }
}

/// Opens a clock.
///
/// # Safety
/// `directory` is null or NUL-terminated; `error` is null or has room for `error_size` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_clock_open(
    directory: *const c_char,
    error: *mut c_char,
    error_size: usize,
) -> *mut AtomicClock {
    let mut opened = Err(String::from("the directory is missing or not UTF-8"));
    let status = guarded(|| {
        if directory.is_null() {
            return Err(Status::BadArgument);
        }
        // SAFETY: not null, and NUL-terminated by contract.
        let directory = unsafe { CStr::from_ptr(directory) };
        let directory = directory.to_str().map_err(|_error| Status::BadArgument)?;
        opened = AtomicClock::open(Path::new(directory)).map_err(|error| error.to_string());
        Ok(())
    });
    if status == Status::Internal {
        opened = Err(String::from("a defect of this library"));
    }
    match opened {
        Ok(clock) => Box::into_raw(Box::new(clock)),
        Err(message) => {
            // SAFETY: by contract.
            unsafe { give_text(error, error_size, &message) };
            std::ptr::null_mut()
        }
    }
}

/// # Safety
/// `out` is null or has room for `size` bytes.
unsafe fn give_text(out: *mut c_char, size: usize, text: &str) {
    let Some(room) = size.checked_sub(1).filter(|_| !out.is_null()) else {
        return;
    };
    let length = text.floor_char_boundary(room);
    // SAFETY: `length + 1 ≤ size` bytes fit by contract; the two do not overlap.
    unsafe {
        out.cast::<u8>()
            .copy_from_nonoverlapping(text.as_ptr(), length);
        out.add(length).write(0);
    }
}

/// Closes a clock.
///
/// # Safety
/// `clock` is null or from [`spots_clock_open`], and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_clock_close(clock: *mut AtomicClock) {
    if !clock.is_null() {
        guarded(|| {
            // SAFETY: from `Box::into_raw` by contract.
            drop(unsafe { Box::from_raw(clock) });
            Ok(())
        });
    }
}

/// Issues one timestamp.
///
/// # Safety
/// `clock` is null or open; `out` is null or has room for a timestamp.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_clock_now(clock: *const AtomicClock, out: *mut Timestamp) -> Status {
    // SAFETY: by contract.
    guarded(|| unsafe {
        let stamp = borrowed(clock)?.now().map_err(|error| status_of(&error))?;
        give(out, stamp.into())
    })
}

/// Issues `count` consecutive timestamps and gives the first.
///
/// # Safety
/// As for [`spots_clock_now`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_clock_reserve(
    clock: *const AtomicClock,
    count: u64,
    out: *mut Timestamp,
) -> Status {
    // SAFETY: by contract.
    guarded(|| unsafe {
        if out.is_null() {
            return Err(Status::BadArgument);
        }
        let mut run = borrowed(clock)?
            .reserve(count)
            .map_err(|error| status_of(&error))?;
        give(out, run.next().ok_or(Status::Internal)?.into())
    })
}

/// Merges a peer's instant.
///
/// # Safety
/// `clock` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_clock_merge(clock: *const AtomicClock, nanoseconds: u64) -> Status {
    // SAFETY: by contract.
    guarded(|| unsafe {
        let remote = Remote::from_nanoseconds(nanoseconds);
        borrowed(clock)?
            .merge(remote)
            .map_err(|_error| Status::Refused)
    })
}

/// Compares the system clock with the counter.
///
/// # Safety
/// `clock` is null or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_clock_check(clock: *const AtomicClock) -> Status {
    // SAFETY: by contract.
    guarded(|| unsafe {
        match borrowed(clock)?.check() {
            None => Ok(()),
            Some(_) => Err(Status::Refused),
        }
    })
}
