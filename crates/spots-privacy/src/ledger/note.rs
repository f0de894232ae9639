//! Signed notes (C2SP signed-note) under Ed25519, and the key that signs them.

use std::fmt;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::consent::sha256;
use crate::keys::LookupKey;
use crate::signing::{PUBLIC_KEY_BYTES, SigningKey};

/// What the signing key is derived for.
const KEY_CONTEXT: &str = "spots.ledger.key.1";
/// The algorithm's number in a note: Ed25519.
const ED25519_ID: u8 = 1;
/// Bytes of the hash by which a signature names its key.
const HASH_BYTES: usize = 4;
/// The longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 1024 * 1024;
/// The most signatures of one note.
const SIGNATURES_MAX: usize = 16;

/// Why a note is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// Not a note at all.
    #[error("not a signed note")]
    Form,
    /// The key's text is not one.
    #[error("not a key of a signed note: <name>+<hash>+<key>")]
    Key,
    /// Nothing in it is signed by this key.
    #[error("not signed by this key")]
    NotSigned,
    /// The signature does not fit the text.
    #[error("the signature does not fit: the text was altered, or another key signed it")]
    Signature,
}

/// The key that signs for one ledger. Derived from the lookup key, so that every server of one
/// database has the same one and it stays when master keys are rotated.
pub struct LedgerKey {
    signing: SigningKey,
    public: PublicKey,
}

impl LedgerKey {
    /// The key of the ledger that belongs to these keys.
    pub fn derive(lookup: &LookupKey) -> Self {
        let seed = Zeroizing::new(lookup.hash(KEY_CONTEXT, ""));
        Self::from_seed(&seed)
    }

    /// The key of a seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let signing = SigningKey::from_seed(seed);
        let bytes = signing.public_key();
        let name: String = sha256(&bytes)
            .iter()
            .take(8)
            .fold("spots/ledger/".to_owned(), |name, byte| {
                format!("{name}{byte:02x}")
            });
        Self {
            signing,
            public: PublicKey { name, bytes },
        }
    }

    /// What verifies the notes of this key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a text that ends with a line break.
    pub fn sign(&self, text: &str) -> String {
        let mut signature = self.public.hash().to_vec();
        signature.extend_from_slice(&self.signing.sign(text.as_bytes()));
        let encoded = STANDARD.encode(signature);
        format!("{text}\n\u{2014} {} {encoded}\n", self.public.name)
    }
}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerKey")
            .field("public", &self.public.to_string())
            .finish_non_exhaustive()
    }
}

/// What verifies the notes of one ledger. Its text form is that of a note's verifier key:
/// `<name>+<hash>+<key>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    bytes: [u8; PUBLIC_KEY_BYTES],
}

impl PublicKey {
    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.trim().splitn(3, '+');
        let (name, hash, key) = (parts.next(), parts.next(), parts.next());
        let name = name.filter(|name| is_name(name)).ok_or(NoteError::Key)?;
        let key = STANDARD
            .decode(key.ok_or(NoteError::Key)?)
            .or(Err(NoteError::Key))?;
        let Some((&ED25519_ID, bytes)) = key.split_first() else {
            return Err(NoteError::Key);
        };
        let public = Self {
            name: name.to_owned(),
            bytes: bytes.try_into().or(Err(NoteError::Key))?,
        };
        let told = public.hash_text();
        if hash == Some(told.as_str()) {
            Ok(public)
        } else {
            Err(NoteError::Key)
        }
    }

    /// The name of the ledger: the origin of its checkpoints.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn hash(&self) -> [u8; HASH_BYTES] {
        let mut bytes = self.name.as_bytes().to_vec();
        bytes.extend_from_slice(&[b'\n', ED25519_ID]);
        bytes.extend_from_slice(&self.bytes);
        let [a, b, c, d, ..] = sha256(&bytes);
        [a, b, c, d]
    }

    fn hash_text(&self) -> String {
        format!("{:08x}", u32::from_be_bytes(self.hash()))
    }

    /// The text of a note that this key signed. Signatures of other keys are passed over.
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::Form);
        }
        let end = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, signatures) = note.split_at(end + 1);
        let signatures = signatures.strip_prefix('\n').ok_or(NoteError::Form)?;
        if !signatures.ends_with('\n') || signatures.lines().count() > SIGNATURES_MAX {
            return Err(NoteError::Form);
        }
        for line in signatures.lines() {
            let line = line.strip_prefix("\u{2014} ").ok_or(NoteError::Form)?;
            let (name, signature) = line.split_once(' ').ok_or(NoteError::Form)?;
            let signature = STANDARD.decode(signature).or(Err(NoteError::Form))?;
            let (hash, signature) = signature
                .split_first_chunk::<HASH_BYTES>()
                .ok_or(NoteError::Form)?;
            if name == self.name && *hash == self.hash() {
                let key = UnparsedPublicKey::new(&ED25519, self.bytes);
                return match key.verify(text.as_bytes(), signature) {
                    Ok(()) => Ok(text),
                    Err(_) => Err(NoteError::Signature),
                };
            }
        }
        Err(NoteError::NotSigned)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519_ID];
        key.extend_from_slice(&self.bytes);
        write!(
            f,
            "{}+{}+{}",
            self.name,
            self.hash_text(),
            STANDARD.encode(key)
        )
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_opens_with_its_own_key_alone() {
        let key = LedgerKey::from_seed(&[7; 32]);
        let note = key.sign("one\ntwo\n");
        assert_eq!(key.public().open(&note), Ok("one\ntwo\n"));
        let other = LedgerKey::from_seed(&[8; 32]);
        assert_eq!(other.public().open(&note), Err(NoteError::NotSigned));
        let altered = note.replace("two", "too");
        assert_eq!(key.public().open(&altered), Err(NoteError::Signature));
        for bad in ["", "one", "one\n\n", "one\n\nx\n", "one\n\n\u{2014} x\n"] {
            assert!(key.public().open(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_public_key_reads_back() {
        let key = LedgerKey::from_seed(&[7; 32]);
        let text = key.public().to_string();
        assert_eq!(PublicKey::parse(&text).as_ref(), Ok(key.public()));
        for bad in ["", "a+b", "a+00000000+AQ==", &text.replace('+', "-")] {
            assert_eq!(PublicKey::parse(bad), Err(NoteError::Key), "{bad}");
        }
    }
}
