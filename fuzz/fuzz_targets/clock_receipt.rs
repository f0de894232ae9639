//! Sync receipts: no bytes panic, and what opens is exactly what was signed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spots_clock::sync::{ReceiptSigner, ReceiptVerifier, SignedReceipt, SyncReceipt};
use spots_clock::{NodeIdentity, TimestampId};

/// Signs with a sum: enough to tell whether the signed bytes are the opened ones.
struct Sum;

impl ReceiptSigner for Sum {
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut signature = [0x5a_u8; 64];
        for (index, byte) in message.iter().enumerate() {
            let place = &mut signature[index % 64];
            *place = place.rotate_left(3) ^ byte;
        }
        signature
    }
}

impl ReceiptVerifier for Sum {
    fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.sign(message) == *signature
    }
}

/// Takes every signature, so that the parser behind it is reached.
struct Anything;

impl ReceiptVerifier for Anything {
    fn verify(&self, _message: &[u8], _signature: &[u8; 64]) -> bool {
        true
    }
}

fuzz_target!(|input: (&[u8], u64, [u8; 16], u64, u64, u8)| {
    let (bytes, instant, nonce, expires, now, flip) = input;
    if let Ok(receipt) = SignedReceipt::open(bytes, &Anything, now) {
        assert!(receipt.expires > now);
        assert_eq!(receipt.message(), bytes[..56]);
    }
    let identity = NodeIdentity::new(7, 7).expect("22 bits");
    let Some(stamp) = TimestampId::new(instant, identity) else {
        return;
    };
    let receipt = SyncReceipt {
        stamp,
        nonce,
        expires,
    };
    let mut signed = receipt.sign(&Sum).to_bytes();
    let opened = SignedReceipt::open(&signed, &Sum, now);
    assert_eq!(opened.ok(), (expires > now).then_some(receipt));
    let place = usize::from(flip) % signed.len();
    signed[place] ^= 1;
    assert!(SignedReceipt::open(&signed, &Sum, now).is_err());
});
