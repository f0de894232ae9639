//! The server's side of an exchange.

use super::exchange::{SyncRequest, SyncResponse, TimeScale};
use crate::timestamp::AtomicTimestamp;

/// Answers exchanges. It holds no state: a client that repeats a request gets a new answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncServer {
    /// How this server counts leap seconds.
    pub scale: TimeScale,
}

impl SyncServer {
    /// The answer to a request that arrived at `received` and is answered at `sent`.
    ///
    /// Stamp the first when the request's head has been read and the second when the answer is
    /// written; what lies between does not count as network.
    pub fn answer(
        &self,
        request: &SyncRequest,
        received: &AtomicTimestamp,
        sent: &AtomicTimestamp,
    ) -> SyncResponse {
        let bounds = received.time_error().zip(sent.time_error());
        SyncResponse {
            nonce: request.nonce,
            // Without the order's lead: it is no property of time.
            received: received.server_time_nanos(),
            sent: sent.server_time_nanos(),
            error_bound: bounds.map(|(first, second)| first.max(second)),
            scale: self.scale,
        }
    }
}
