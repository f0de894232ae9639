//! A signed proof that a device spoke to a server, and so was there after a moment.

use std::fmt;

use crate::id::{IdError, TimestampId};

/// Separates these signatures from all others made with the same key.
const DOMAIN: &[u8; 16] = b"spots-sync-rcpt1";
const MESSAGE_BYTES: usize = 16 + 16 + 16 + 8;
const SIGNED_BYTES: usize = MESSAGE_BYTES + 64;

/// What a server promises: this nonce had arrived at this timestamp.
///
/// It proves "after": whoever holds it has held it since `stamp`. Nothing a client holds proves
/// "before". A receipt carries no name; the nonce is the client's.
///
/// Layout of the signed message, big-endian: 16 bytes domain, 16 bytes timestamp id, 16 bytes
/// nonce, 8 bytes expiry in nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncReceipt {
    /// When the server had received the request.
    pub stamp: TimestampId,
    /// What it answered to.
    pub nonce: [u8; 16],
    /// From when on it is no longer accepted, in nanoseconds since the Unix epoch.
    pub expires: u64,
}

/// Signs receipts; the server has one, with Ed25519.
pub trait ReceiptSigner {
    /// A signature of the message.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

/// Verifies what a [`ReceiptSigner`] signed.
pub trait ReceiptVerifier {
    /// Whether the signature is of this message.
    fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool;
}

/// A receipt with its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedReceipt {
    receipt: SyncReceipt,
    signature: [u8; 64],
}

/// Why a receipt is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Not 120 bytes of a receipt.
    Malformed,
    /// It does not name a timestamp.
    BadStamp(IdError),
    /// Nobody we trust has signed it.
    BadSignature,
    /// It is too old.
    Expired,
}

impl fmt::Display for ReceiptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not a sync receipt",
            Self::BadStamp(_) => "the sync receipt names no timestamp",
            Self::BadSignature => "the sync receipt's signature is wrong",
            Self::Expired => "the sync receipt has expired; synchronise again",
        })
    }
}

impl std::error::Error for ReceiptError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::BadStamp(error) => Some(error),
            Self::Malformed | Self::BadSignature | Self::Expired => None,
        }
    }
}

impl SyncReceipt {
    /// The bytes that are signed.
    pub fn message(&self) -> [u8; MESSAGE_BYTES] {
        let mut message = Vec::with_capacity(MESSAGE_BYTES);
        message.extend(DOMAIN);
        message.extend(self.stamp.to_bytes());
        message.extend(self.nonce);
        message.extend(self.expires.to_be_bytes());
        message.try_into().expect("the four parts have this length")
    }

    /// Signs it.
    pub fn sign(self, signer: &dyn ReceiptSigner) -> SignedReceipt {
        SignedReceipt {
            signature: signer.sign(&self.message()),
            receipt: self,
        }
    }
}

impl SignedReceipt {
    /// The message and its 64 bytes of signature.
    pub fn to_bytes(&self) -> [u8; SIGNED_BYTES] {
        let mut bytes = self.receipt.message().to_vec();
        bytes.extend(self.signature);
        bytes.try_into().expect("the two parts have this length")
    }

    /// Reads, verifies and dates a receipt; `now` is in nanoseconds since the Unix epoch.
    pub fn open(
        bytes: &[u8],
        verifier: &dyn ReceiptVerifier,
        now: u64,
    ) -> Result<SyncReceipt, ReceiptError> {
        let (message, signature) = bytes
            .split_last_chunk::<64>()
            .ok_or(ReceiptError::Malformed)?;
        let message: &[u8; MESSAGE_BYTES] =
            message.try_into().ok().ok_or(ReceiptError::Malformed)?;
        if !message.starts_with(DOMAIN) {
            return Err(ReceiptError::Malformed);
        }
        if !verifier.verify(message, signature) {
            return Err(ReceiptError::BadSignature);
        }
        let receipt = Self::parse(message)?;
        if now >= receipt.expires {
            return Err(ReceiptError::Expired);
        }
        Ok(receipt)
    }

    fn parse(message: &[u8; MESSAGE_BYTES]) -> Result<SyncReceipt, ReceiptError> {
        let part = |from: usize| message.get(from..).and_then(<[u8]>::first_chunk::<16>);
        let stamp = part(16).ok_or(ReceiptError::Malformed)?;
        let nonce = part(32).ok_or(ReceiptError::Malformed)?;
        let expires = message.last_chunk::<8>().ok_or(ReceiptError::Malformed)?;
        Ok(SyncReceipt {
            stamp: TimestampId::from_bytes(*stamp).map_err(ReceiptError::BadStamp)?,
            nonce: *nonce,
            expires: u64::from_be_bytes(*expires),
        })
    }
}
