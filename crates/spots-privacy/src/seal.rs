//! One sealed field: AES-256-GCM bound to the place it belongs to.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use thiserror::Error;

use crate::keys::{DataKey, KEY_BYTES};
use crate::personal::Personal;
use crate::random::{self, Randomness};

/// The first byte of every envelope: AES-256-GCM with a random nonce.
pub(crate) const FORMAT: u8 = 1;
/// What the associated data of a field starts with.
const FIELD_LABEL: &str = "spots.field.1";
/// The longest text that one field holds, in bytes.
pub const FIELD_BYTES_MAX: usize = 64 * 1024;

/// Where a sealed value belongs. It opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table, for example `reservation_user_data`.
    pub table: &'a str,
    /// The row's key, as text.
    pub row: &'a str,
    /// The field within the row.
    pub field: &'a str,
}

/// Why something could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// More than [`FIELD_BYTES_MAX`].
    #[error("the field is longer than {FIELD_BYTES_MAX} bytes")]
    TooLong,
    /// Not an envelope of a known format.
    #[error("not a sealed value of a known format")]
    Format,
    /// Altered, moved from another place, or sealed under another key.
    #[error("does not open here: altered, moved or under another key")]
    DoesNotOpen,
}

/// A field as it is stored: format, nonce, ciphertext, tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedField(Vec<u8>);

impl SealedField {
    /// Takes stored bytes as they are; whether they open is seen when they are opened.
    pub fn from_stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Seals a text for a place.
    pub fn seal(
        key: &DataKey,
        place: Place<'_>,
        text: &Personal,
        random: &dyn Randomness,
    ) -> Result<Self, SealError> {
        let plain = text.disclose().as_bytes();
        if plain.len() > FIELD_BYTES_MAX {
            return Err(SealError::TooLong);
        }
        Ok(Self(seal_bytes(
            &Cipher::new(key.expose()),
            &field_data(place),
            plain,
            random,
        )))
    }

    /// Opens a text at its place. Crate-private: callers come with a proof, see [`crate::consent`].
    pub(crate) fn open(&self, key: &DataKey, place: Place<'_>) -> Result<Personal, SealError> {
        let plain = open_bytes(&Cipher::new(key.expose()), &field_data(place), &self.0)?;
        let text = String::from_utf8(plain).or(Err(SealError::DoesNotOpen))?;
        Ok(Personal::new(text))
    }
}

fn field_data(place: Place<'_>) -> Vec<u8> {
    associated(&[
        FIELD_LABEL.as_bytes(),
        place.table.as_bytes(),
        place.row.as_bytes(),
        place.field.as_bytes(),
    ])
}

/// Joins parts so that no two lists of parts give the same bytes.
pub(crate) fn associated(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        joined.extend_from_slice(&(part.len() as u64).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

/// A key made ready. It wipes itself when it is dropped, as all memory of AWS-LC.
pub(crate) struct Cipher(LessSafeKey);

impl Cipher {
    pub(crate) fn new(key: &[u8; KEY_BYTES]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).expect("the key has the cipher's length");
        Self(LessSafeKey::new(key))
    }
}

pub(crate) fn seal_bytes(
    cipher: &Cipher,
    associated: &[u8],
    plain: &[u8],
    random: &dyn Randomness,
) -> Vec<u8> {
    let nonce: [u8; NONCE_LEN] = random::bytes(random);
    let mut sealed = Vec::with_capacity(1 + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
    sealed.push(FORMAT);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let (_, text) = sealed.split_at_mut(1 + NONCE_LEN);
    let tag = cipher
        .0
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(associated),
            text,
        )
        .expect("a field is far shorter than the cipher's limit");
    sealed.extend_from_slice(tag.as_ref());
    sealed
}

pub(crate) fn open_bytes(
    cipher: &Cipher,
    associated: &[u8],
    sealed: &[u8],
) -> Result<Vec<u8>, SealError> {
    let (format, rest) = sealed.split_first().ok_or(SealError::Format)?;
    if *format != FORMAT {
        return Err(SealError::Format);
    }
    let (nonce, text) = rest
        .split_first_chunk::<NONCE_LEN>()
        .ok_or(SealError::Format)?;
    let mut text = text.to_vec();
    let plain = cipher
        .0
        .open_in_place(
            Nonce::assume_unique_for_key(*nonce),
            Aad::from(associated),
            &mut text,
        )
        .or(Err(SealError::DoesNotOpen))?;
    let length = plain.len();
    text.truncate(length);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandomness;

    const HERE: Place<'_> = Place {
        table: "profiles",
        row: "user_1",
        field: "name",
    };

    fn sealed(key: &DataKey) -> SealedField {
        SealedField::seal(key, HERE, &Personal::new("Ada"), &SystemRandomness).unwrap()
    }

    #[test]
    fn opens_only_at_its_place() {
        let key = DataKey::generate(&SystemRandomness);
        let field = sealed(&key);
        assert_eq!(field.open(&key, HERE).unwrap().disclose(), "Ada");
        for elsewhere in [
            Place {
                table: "other",
                ..HERE
            },
            Place {
                row: "user_2",
                ..HERE
            },
            Place {
                field: "email",
                ..HERE
            },
            Place {
                table: "profilesu",
                row: "ser_1",
                field: "name",
            },
        ] {
            assert_eq!(field.open(&key, elsewhere), Err(SealError::DoesNotOpen));
        }
    }

    #[test]
    fn every_altered_byte_is_noticed() {
        let key = DataKey::generate(&SystemRandomness);
        let field = sealed(&key);
        for index in 0..field.as_bytes().len() {
            let mut bytes = field.as_bytes().to_vec();
            bytes[index] ^= 1;
            assert!(
                SealedField::from_stored(bytes).open(&key, HERE).is_err(),
                "byte {index}"
            );
        }
        for length in 0..field.as_bytes().len() {
            let bytes = field.as_bytes()[..length].to_vec();
            assert!(
                SealedField::from_stored(bytes).open(&key, HERE).is_err(),
                "length {length}"
            );
        }
    }

    #[test]
    fn another_key_does_not_open() {
        let field = sealed(&DataKey::generate(&SystemRandomness));
        let other = DataKey::generate(&SystemRandomness);
        assert_eq!(field.open(&other, HERE), Err(SealError::DoesNotOpen));
    }
}
