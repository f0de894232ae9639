//! Exchanging times with clients, and the receipts that prove it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use spots_clock::TimestampId;
use spots_clock::sync::{
    ReceiptError, ReceiptSigner, ReceiptVerifier, SignedReceipt, SyncReceipt, SyncRequest,
    SyncResponse, SyncServer,
};
use spots_host::ServiceError;
use spots_privacy::SigningKey;

use super::{Answer, Ctx};
use crate::platform::Platform;

/// What receipts are signed for; the key is derived for nothing else.
pub(crate) const RECEIPT_PURPOSE: &str = "spots.time.receipts";
/// Names the key in the published set.
pub(crate) const RECEIPT_KEY_ID: &str = "receipts-1";
/// How long a receipt is accepted, in days: how long a device may be offline and still prove when
/// it last was not.
const RECEIPT_DAYS: u64 = 30;
const NANOS_PER_DAY: u64 = 86_400_000_000_000;
/// Characters of a receipt as base64url.
const RECEIPT_CHARS: usize = 160;

/// What an exchange gives.
pub(crate) struct TimeExchange {
    /// The two timestamps.
    pub(crate) response: SyncResponse,
    /// The signed receipt, as base64url.
    pub(crate) receipt: String,
}

/// Signs and verifies receipts with the platform's key.
struct Receipts<'a>(&'a SigningKey);

impl ReceiptSigner for Receipts<'_> {
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message)
    }
}

impl ReceiptVerifier for Receipts<'_> {
    fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify(message, signature)
    }
}

/// Answers a client's nonce: it had arrived at the request's timestamp.
pub(crate) fn exchange_time(ctx: &Ctx, nonce: [u8; 16]) -> Answer<TimeExchange> {
    let received = ctx.at();
    let receipt = SyncReceipt {
        stamp: received.id(),
        nonce,
        expires: received
            .server_time_nanos()
            .saturating_add(RECEIPT_DAYS * NANOS_PER_DAY),
    };
    let signed = receipt.sign(&Receipts(ctx.platform().receipts()));
    // The signature is made before the second timestamp, so that it does not count as network.
    let sent = ctx
        .platform()
        .clock()
        .now()
        .map_err(|cause| ServiceError::failed("take a timestamp", cause))?;
    let server = SyncServer {
        scale: ctx.platform().settings().scale,
    };
    Ok(TimeExchange {
        response: server.answer(&SyncRequest { nonce }, &received, &sent),
        receipt: URL_SAFE_NO_PAD.encode(signed.to_bytes()),
    })
}

/// The moment after which whoever holds this receipt acted; nothing if it has expired, which proves
/// nothing any more and is no fault.
pub(crate) fn open_receipt(ctx: &Ctx, text: &str) -> Result<Option<TimestampId>, ReceiptError> {
    if text.len() != RECEIPT_CHARS {
        return Err(ReceiptError::Malformed);
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .or(Err(ReceiptError::Malformed))?;
    let verifier = Receipts(ctx.platform().receipts());
    match SignedReceipt::open(&bytes, &verifier, ctx.at().server_time_nanos()) {
        Ok(receipt) => Ok(Some(receipt.stamp)),
        Err(ReceiptError::Expired) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The public key of receipts, as base64url.
pub(crate) fn receipt_key(platform: &Platform) -> String {
    URL_SAFE_NO_PAD.encode(platform.receipts().public_key())
}
