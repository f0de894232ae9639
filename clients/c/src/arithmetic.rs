//! The arithmetic of synchronisation, alone.

use spots_clock::offline::Correction;
use spots_clock::sync::{Estimate, Exchange, Interval, Learned, Rates, SyncResponse, TimeScale};

use crate::border::{Status, borrowed, borrowed_mut, give, guarded};

/// What four timestamps prove.
///
/// # Safety
/// `low` and `high` are null or have room for their type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_exchange_offset(
    sent: u64,
    received: u64,
    answered: u64,
    returned: u64,
    error_bound: u64,
    drift_ppb: u64,
    resolution: u64,
    low: *mut i64,
    high: *mut i64,
) -> Status {
    guarded(|| {
        let exchange = Exchange {
            sent,
            response: SyncResponse {
                nonce: [0; 16],
                received,
                sent: answered,
                error_bound: known(error_bound),
                scale: TimeScale::Posix,
            },
            returned,
        };
        let offset = exchange
            .offset(drift_ppb, resolution)
            .map_err(|_error| Status::Refused)?;
        // SAFETY: by contract.
        unsafe { give_interval(offset, low, high) }
    })
}

/// The header's way to say that a bound is not known.
pub(crate) fn known(bound: u64) -> Option<u64> {
    (bound != u64::MAX).then_some(bound)
}

/// # Safety
/// Both are null or have room for their type.
unsafe fn give_interval(interval: Interval, low: *mut i64, high: *mut i64) -> Result<(), Status> {
    // SAFETY: by contract.
    unsafe {
        give(low, interval.low())?;
        give(high, interval.high())
    }
}

/// An estimate that knows nothing yet.
#[unsafe(no_mangle)]
pub extern "C" fn spots_estimate_new(drift_ppb: u64, wander_ppb: u64) -> *mut Estimate {
    Box::into_raw(Box::new(Estimate::new(Rates {
        drift_ppb,
        wander_ppb,
    })))
}

/// Frees an estimate.
///
/// # Safety
/// `estimate` is null or from [`spots_estimate_new`], and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_estimate_free(estimate: *mut Estimate) {
    if !estimate.is_null() {
        // SAFETY: from `Box::into_raw` by contract.
        drop(unsafe { Box::from_raw(estimate) });
    }
}

/// Takes in a measurement.
///
/// # Safety
/// `estimate` is null or live, and used by nobody else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_estimate_observe(
    estimate: *mut Estimate,
    at: u64,
    low: i64,
    high: i64,
    traceable: u8,
) -> Status {
    guarded(|| {
        let interval = Interval::new(low, high).ok_or(Status::BadArgument)?;
        // SAFETY: by contract.
        let estimate = unsafe { borrowed_mut(estimate) }?;
        match estimate.observe(at, interval, traceable != 0) {
            Learned::First | Learned::Agreed | Learned::Ignored => Ok(()),
            Learned::Contradicted { .. } => Err(Status::Refused),
        }
    })
}

/// What is known at a device time.
///
/// # Safety
/// `estimate` is null or live; the others are null or have room for their type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_estimate_at(
    estimate: *const Estimate,
    at: u64,
    low: *mut i64,
    high: *mut i64,
    traceable: *mut u8,
) -> Status {
    // SAFETY: by contract.
    guarded(|| unsafe {
        let known = borrowed(estimate)?.at(at).ok_or(Status::NothingKnown)?;
        give(traceable, u8::from(known.traceable))?;
        give_interval(known.interval, low, high)
    })
}

/// Where a device time lies in true time.
///
/// # Safety
/// `earliest` and `latest` are null or have room for their type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_correction_place(
    has_before: u8,
    before_at: u64,
    before_low: i64,
    before_high: i64,
    after_at: u64,
    after_low: i64,
    after_high: i64,
    drift_ppb: u64,
    device_time: u64,
    earliest: *mut u64,
    latest: *mut u64,
) -> Status {
    guarded(|| {
        let after = Interval::new(after_low, after_high).ok_or(Status::BadArgument)?;
        let before = if has_before == 0 {
            None
        } else {
            let before = Interval::new(before_low, before_high).ok_or(Status::BadArgument)?;
            Some((before_at, before))
        };
        let correction = Correction {
            before,
            after: (after_at, after),
            drift_ppb,
        };
        let (from, to) = correction.place(device_time).ok_or(Status::Refused)?;
        // SAFETY: by contract.
        unsafe {
            give(earliest, from)?;
            give(latest, to)
        }
    })
}
