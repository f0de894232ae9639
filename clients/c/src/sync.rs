//! Synchronisation of a clock with one server.

use spots_clock::AtomicClock;
use spots_clock::sync::{Poll, SyncClient, SyncResponse, SyncSettings, TimeScale};

use crate::arithmetic::known;
use crate::border::{Status, borrowed, borrowed_mut, give, guarded};

/// `spots_sync` of the header.
#[derive(Debug)]
pub struct Sync {
    /// Outlives this by the header's contract.
    clock: *const AtomicClock,
    client: SyncClient,
}

/// A synchronisation that has asked nobody yet.
#[unsafe(no_mangle)]
pub extern "C" fn spots_sync_new(clock: *const AtomicClock) -> *mut Sync {
    if clock.is_null() {
        return std::ptr::null_mut();
    }
    Box::into_raw(Box::new(Sync {
        clock,
        client: SyncClient::new(SyncSettings::default()),
    }))
}

/// Frees a synchronisation.
///
/// # Safety
/// `sync` is null or from [`spots_sync_new`], and is not used afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_sync_free(sync: *mut Sync) {
    if !sync.is_null() {
        // SAFETY: from `Box::into_raw` by contract.
        drop(unsafe { Box::from_raw(sync) });
    }
}

/// What to do now.
///
/// # Safety
/// `sync` is null or live and used by nobody else meanwhile; `random` is null or points to 16
/// bytes; `device_time` is null or has room for its type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_sync_poll(
    sync: *mut Sync,
    random: *const [u8; 16],
    device_time: *mut u64,
) -> Status {
    // SAFETY: by contract.
    guarded(|| unsafe {
        let sync = borrowed_mut(sync)?;
        let now = borrowed(sync.clock)?.device_time();
        match sync.client.poll(now, *borrowed(random)?) {
            Poll::Send { .. } => give(device_time, now),
            Poll::WaitUntil(due) => {
                give(device_time, due)?;
                Err(Status::NothingKnown)
            }
        }
    })
}

/// Takes in an answer, and tells the clock.
///
/// # Safety
/// As for [`spots_sync_poll`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_sync_receive(
    sync: *mut Sync,
    nonce: *const [u8; 16],
    received: u64,
    answered: u64,
    error_bound: u64,
    smeared: u8,
    sent: u64,
) -> Status {
    guarded(|| {
        // SAFETY: by contract.
        let (sync, nonce) = unsafe { (borrowed_mut(sync)?, *borrowed(nonce)?) };
        // SAFETY: the clock outlives this by contract.
        let clock = unsafe { borrowed(sync.clock) }?;
        let returned = clock.device_time();
        let response = SyncResponse {
            nonce,
            received,
            sent: answered,
            error_bound: known(error_bound),
            scale: if smeared == 0 {
                TimeScale::Posix
            } else {
                TimeScale::Smeared
            },
        };
        let received = sync.client.receive(response, sent, returned);
        received.map_err(|_error| Status::Refused)?;
        let now_known = sync.client.at(returned).ok_or(Status::Refused)?;
        clock.learn(returned, now_known.interval, now_known.traceable);
        Ok(())
    })
}

/// Forgets everything.
///
/// # Safety
/// `sync` is null or live and used by nobody else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn spots_sync_reset(sync: *mut Sync) {
    guarded(|| {
        // SAFETY: by contract.
        unsafe { borrowed_mut(sync) }?.client.reset();
        Ok(())
    });
}
