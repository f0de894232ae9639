//! What every exported function does at the border.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// `spots_status` of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub enum Status {
    /// It worked.
    Ok = 0,
    /// A null pointer, or a value out of range.
    BadArgument = 1,
    /// The state cannot be written.
    NotDurable = 2,
    /// The order would run too far ahead of time.
    TooFarAhead = 3,
    /// The peer's, the server's or the file's word is not accepted.
    Refused = 4,
    /// There is no such knowledge yet.
    NothingKnown = 5,
    /// A defect of this library.
    Internal = 6,
}

/// Runs the body of an exported function; a panic becomes a status instead of unwinding into C.
pub(crate) fn guarded(body: impl FnOnce() -> Result<(), Status>) -> Status {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => Status::Ok,
        Ok(Err(status)) => status,
        Err(_) => Status::Internal,
    }
}

/// What a pointer of the caller's points to.
///
/// # Safety
/// `pointer` is null or points to a live `T` for `'a`.
pub(crate) unsafe fn borrowed<'a, T>(pointer: *const T) -> Result<&'a T, Status> {
    // SAFETY: the caller's contract.
    unsafe { pointer.as_ref() }.ok_or(Status::BadArgument)
}

/// What a pointer of the caller's points to, to be changed.
///
/// # Safety
/// `pointer` is null or points to a live `T` that nothing else uses for `'a`.
pub(crate) unsafe fn borrowed_mut<'a, T>(pointer: *mut T) -> Result<&'a mut T, Status> {
    // SAFETY: the caller's contract.
    unsafe { pointer.as_mut() }.ok_or(Status::BadArgument)
}

/// Writes a result where the caller wants it; the place need not be initialised.
///
/// # Safety
/// `out` is null or points to memory for a `T`.
pub(crate) unsafe fn give<T>(out: *mut T, value: T) -> Result<(), Status> {
    if out.is_null() {
        return Err(Status::BadArgument);
    }
    // SAFETY: not null, and the caller's contract.
    unsafe { out.write(value) };
    Ok(())
}
