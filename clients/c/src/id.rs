//! Ids.

use std::ffi::{CStr, c_char};

use spots_clock::{NodeIdentity, TimestampId};

use crate::border::{Status, borrowed, give, guarded};

/// Encodes an id.
///
/// # Safety
/// `id` is null or has room for 16 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_id_encode(
    nanoseconds: u64,
    node: u16,
    incarnation: u32,
    id: *mut [u8; 16],
) -> Status {
    guarded(|| {
        let identity = NodeIdentity::new(node, incarnation).ok_or(Status::BadArgument)?;
        let encoded = TimestampId::new(nanoseconds, identity).ok_or(Status::BadArgument)?;
        // SAFETY: by contract.
        unsafe { give(id, encoded.to_bytes()) }
    })
}

/// Decodes an id.
///
/// # Safety
/// `id` is null or points to 16 bytes; the others are null or have room for their type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_id_decode(
    id: *const [u8; 16],
    nanoseconds: *mut u64,
    node: *mut u16,
    incarnation: *mut u32,
) -> Status {
    // SAFETY: by contract.
    guarded(|| unsafe {
        let id = TimestampId::from_bytes(*borrowed(id)?).map_err(|_error| Status::Refused)?;
        give(nanoseconds, id.nanoseconds())?;
        give(node, id.identity().node())?;
        give(incarnation, id.identity().incarnation())
    })
}

/// Writes an id as 36 characters and a NUL.
///
/// # Safety
/// `id` is null or points to 16 bytes; `text` is null or has room for 37.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_id_format(id: *const [u8; 16], text: *mut [u8; 37]) -> Status {
    // SAFETY: by contract.
    guarded(|| unsafe {
        let id = TimestampId::from_bytes(*borrowed(id)?).map_err(|_error| Status::Refused)?;
        let mut out = [0; 37];
        for (place, byte) in out.iter_mut().zip(id.to_string().bytes()) {
            *place = byte;
        }
        give(text, out)
    })
}

/// Reads an id from text.
///
/// # Safety
/// `text` is null or NUL-terminated; `id` is null or has room for 16 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_id_parse(text: *const c_char, id: *mut [u8; 16]) -> Status {
    guarded(|| {
        if text.is_null() {
            return Err(Status::BadArgument);
        }
        // SAFETY: not null, and NUL-terminated by contract.
        let text = unsafe { CStr::from_ptr(text) };
        let text = text.to_str().map_err(|_error| Status::Refused)?;
        let parsed: TimestampId = text.parse().map_err(|_error| Status::Refused)?;
        // SAFETY: by contract.
        unsafe { give(id, parsed.to_bytes()) }
    })
}
