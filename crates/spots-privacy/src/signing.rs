//! Keys that sign for the platform, each for one purpose.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use zeroize::Zeroizing;

use crate::keys::{KEY_BYTES, MasterKeys};

/// Bytes of an Ed25519 public key.
pub const PUBLIC_KEY_BYTES: usize = 32;
/// Bytes of an Ed25519 signature.
pub const SIGNATURE_BYTES: usize = 64;

/// Signs with Ed25519 (RFC 8032) for one purpose.
///
/// It is derived from the key file's lookup key, which never changes while master keys rotate: so
/// every server of one database signs alike, and what was signed before a rotation verifies after
/// it. It is never stored.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: [u8; PUBLIC_KEY_BYTES],
}

impl SigningKey {
    /// The key for one purpose; the same file and purpose give the same key.
    pub fn derive(keys: &MasterKeys, purpose: &str) -> Self {
        let seed = keys.lookup().hash("spots.signing.ed25519.1", purpose);
        Self::from_seed(&Zeroizing::new(seed))
    }

    /// The key of a seed, which the caller wipes.
    pub(crate) fn from_seed(seed: &[u8; KEY_BYTES]) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed)
            .expect("every 32 bytes are the seed of an Ed25519 key");
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .expect("an Ed25519 public key has 32 bytes");
        Self { pair, public }
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.pair
            .sign(message)
            .as_ref()
            .try_into()
            .expect("an Ed25519 signature has 64 bytes")
    }

    /// Whether this key has signed the message.
    pub fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public)
            .verify(message, signature)
            .is_ok()
    }

    /// What others verify with.
    pub fn public_key(&self) -> [u8; PUBLIC_KEY_BYTES] {
        self.public
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandomness;

    #[test]
    fn a_purpose_has_a_key_of_its_own_that_survives_the_file() {
        let keys = MasterKeys::generate(&SystemRandomness);
        let again = MasterKeys::parse(&keys.to_file()).unwrap();
        let (one, same) = (
            SigningKey::derive(&keys, "a"),
            SigningKey::derive(&again, "a"),
        );
        let other = SigningKey::derive(&keys, "b");
        assert_eq!(one.public_key(), same.public_key());
        assert_ne!(one.public_key(), other.public_key());
        let signature = one.sign(b"message");
        assert!(same.verify(b"message", &signature));
        assert!(!same.verify(b"massage", &signature));
        assert!(!other.verify(b"message", &signature));
    }
}
