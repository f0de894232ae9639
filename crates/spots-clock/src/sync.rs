//! Synchronisation without I/O: what to send, what an answer proves, what is known now.
//!
//! All intervals are of one quantity, **offset**: true time minus device time, in nanoseconds.
//! Device time is a counter with a name and never steps, so between two exchanges the offset can
//! only wander as fast as the counter drifts.

mod agreement;
mod client;
mod estimate;
mod exchange;
mod interval;
mod receipt;
mod server;

pub use agreement::{Agreement, agree};
pub use client::{Poll, SyncClient, SyncSettings};
pub use estimate::{Estimate, Learned, Projection, Rates};
pub use exchange::{Exchange, ExchangeError, SyncRequest, SyncResponse, TimeScale};
pub use interval::Interval;
pub use receipt::{ReceiptError, ReceiptSigner, ReceiptVerifier, SignedReceipt, SyncReceipt};
pub use server::SyncServer;
