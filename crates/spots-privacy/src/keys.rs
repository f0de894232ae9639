//! Master keys, data keys, wrapping, keyed lookups.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::random::{self, Randomness};
use crate::seal::{Place, associated, open_bytes, seal_bytes};

/// Bytes in every symmetric key.
pub const KEY_BYTES: usize = 32;
/// Master key versions that one file may hold.
pub const VERSIONS_MAX: usize = 64;
const KEY_LABEL: &str = "spots.key.1";

/// Why keys could not be read or used. No message holds key material.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// A line of the key file is not one of ours.
    #[error("line {0} of the key file is not `master <version> <base64>` or `lookup <base64>`")]
    Line(usize),
    /// A key is not 32 bytes of base64.
    #[error("the key in line {0} of the key file is not base64 of {KEY_BYTES} bytes")]
    Length(usize),
    /// A version or the lookup key stands twice.
    #[error("line {0} of the key file repeats a key")]
    Repeated(usize),
    /// Too many versions.
    #[error("the key file holds more than {VERSIONS_MAX} master keys")]
    TooMany,
    /// No master key.
    #[error("the key file holds no `master` line")]
    NoMaster,
    /// No lookup key.
    #[error("the key file holds no `lookup` line")]
    NoLookup,
    /// A key was wrapped by a version that this process does not have.
    #[error("master key version {0} is not in the key file")]
    UnknownVersion(u32),
    /// A wrapped key is altered, moved, or was wrapped by another master key.
    #[error("a wrapped key does not open here: altered, moved or under another master key")]
    DoesNotUnwrap,
}

/// A key that seals the fields of one user or one field of one share. Wiped when dropped.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; KEY_BYTES]>);

impl DataKey {
    /// A new key.
    pub fn generate(random: &dyn Randomness) -> Self {
        Self(Zeroizing::new(random::bytes(random)))
    }

    pub(crate) fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// A data key as it is stored: wrapped by one version of the master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// The master key's version.
    pub version: u32,
    /// Format, nonce, ciphertext, tag.
    pub bytes: Vec<u8>,
}

/// All versions of the master key that this process holds.
pub struct MasterKeys {
    versions: BTreeMap<u32, Zeroizing<[u8; KEY_BYTES]>>,
    current: u32,
    lookup: LookupKey,
}

impl MasterKeys {
    /// New keys: version 1 and a lookup key.
    pub fn generate(random: &dyn Randomness) -> Self {
        let versions = BTreeMap::from([(1, Zeroizing::new(random::bytes(random)))]);
        Self {
            versions,
            current: 1,
            lookup: LookupKey(Zeroizing::new(random::bytes(random))),
        }
    }

    /// Reads the key file's text; see the crate's front page for its form.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut versions = BTreeMap::new();
        let mut lookup = None;
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let words: Vec<_> = line.split_whitespace().collect();
            let repeated = match words.as_slice() {
                [] => false,
                [comment, ..] if comment.starts_with('#') => false,
                ["master", version, key] => {
                    let version: u32 = version.parse().or(Err(KeyError::Line(number)))?;
                    versions.insert(version, decode(key, number)?).is_some()
                }
                ["lookup", key] => lookup.replace(LookupKey(decode(key, number)?)).is_some(),
                _ => return Err(KeyError::Line(number)),
            };
            if repeated {
                return Err(KeyError::Repeated(number));
            }
        }
        if versions.len() > VERSIONS_MAX {
            return Err(KeyError::TooMany);
        }
        let current = *versions.keys().next_back().ok_or(KeyError::NoMaster)?;
        Ok(Self {
            versions,
            current,
            lookup: lookup.ok_or(KeyError::NoLookup)?,
        })
    }

    /// The key file's text. Whoever holds it holds everything.
    pub fn to_file(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for (version, key) in &self.versions {
            let mut encoded = STANDARD.encode(**key);
            push_line(&mut text, &["master", &version.to_string(), &encoded]);
            encoded.zeroize();
        }
        let mut encoded = STANDARD.encode(*self.lookup.0);
        push_line(&mut text, &["lookup", &encoded]);
        encoded.zeroize();
        text
    }

    /// The version that wraps new keys.
    pub fn current_version(&self) -> u32 {
        self.current
    }

    /// The key for lookups by e-mail address or agent id.
    pub fn lookup(&self) -> &LookupKey {
        &self.lookup
    }

    /// Wraps a data key for its place; `place.field` names the group of fields it opens.
    pub fn wrap(&self, key: &DataKey, place: Place<'_>, random: &dyn Randomness) -> WrappedKey {
        let master = self
            .versions
            .get(&self.current)
            .expect("the current version is held");
        let bytes = seal_bytes(master, &key_data(self.current, place), key.expose(), random);
        WrappedKey {
            version: self.current,
            bytes,
        }
    }

    /// Unwraps a data key at its place. Crate-private: callers come with a proof.
    pub(crate) fn unwrap(
        &self,
        wrapped: &WrappedKey,
        place: Place<'_>,
    ) -> Result<DataKey, KeyError> {
        let version = wrapped.version;
        let master = self
            .versions
            .get(&version)
            .ok_or(KeyError::UnknownVersion(version))?;
        let mut plain = open_bytes(master, &key_data(version, place), &wrapped.bytes)
            .or(Err(KeyError::DoesNotUnwrap))?;
        let key = <[u8; KEY_BYTES]>::try_from(plain.as_slice()).or(Err(KeyError::DoesNotUnwrap));
        plain.zeroize();
        Ok(DataKey(Zeroizing::new(key?)))
    }

    /// Wraps a key again under the current version, without opening any field.
    pub fn rewrap(
        &self,
        wrapped: &WrappedKey,
        place: Place<'_>,
        random: &dyn Randomness,
    ) -> Result<WrappedKey, KeyError> {
        Ok(self.wrap(&self.unwrap(wrapped, place)?, place, random))
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKeys")
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}

/// Keys the hashes by which a value is found without being stored.
pub struct LookupKey(Zeroizing<[u8; KEY_BYTES]>);

impl LookupKey {
    /// HMAC-SHA-256 of the value under this key, apart for each context.
    pub fn hash(&self, context: &str, value: &str) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*self.0);
        let tag = hmac::sign(&key, &associated(&[context.as_bytes(), value.as_bytes()]));
        tag.as_ref()
            .try_into()
            .expect("HMAC-SHA-256 gives 32 bytes")
    }
}

impl fmt::Debug for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LookupKey(…)")
    }
}

fn key_data(version: u32, place: Place<'_>) -> Vec<u8> {
    associated(&[
        KEY_LABEL.as_bytes(),
        &version.to_be_bytes(),
        place.table.as_bytes(),
        place.row.as_bytes(),
        place.field.as_bytes(),
    ])
}

fn push_line(text: &mut String, words: &[&str]) {
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        text.push_str(word);
    }
    text.push('\n');
}

fn decode(text: &str, line: usize) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyError> {
    let bytes = Zeroizing::new(STANDARD.decode(text).or(Err(KeyError::Length(line)))?);
    let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).or(Err(KeyError::Length(line)))?;
    Ok(Zeroizing::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandomness;

    const PLACE: Place<'_> = Place {
        table: "share_keys",
        row: "share_1",
        field: "name",
    };

    #[test]
    fn the_key_file_reads_back() {
        let keys = MasterKeys::generate(&SystemRandomness);
        let again = MasterKeys::parse(&keys.to_file()).unwrap();
        let data = DataKey::generate(&SystemRandomness);
        let wrapped = keys.wrap(&data, PLACE, &SystemRandomness);
        assert_eq!(
            again.unwrap(&wrapped, PLACE).unwrap().expose(),
            data.expose()
        );
        assert_eq!(keys.lookup().hash("a", "b"), again.lookup().hash("a", "b"));
        assert_ne!(keys.lookup().hash("a", "b"), keys.lookup().hash("ab", ""));
    }

    #[test]
    fn a_bad_key_file_is_refused_by_line() {
        for (text, error) in [
            ("", KeyError::NoMaster),
            ("master one AAAA", KeyError::Line(1)),
            ("# keys\nmaster 1 AAAA", KeyError::Length(2)),
            ("password", KeyError::Line(1)),
        ] {
            assert_eq!(MasterKeys::parse(text).unwrap_err(), error);
        }
        let file = MasterKeys::generate(&SystemRandomness).to_file();
        let twice = format!("{}{}", *file, *file);
        assert_eq!(
            MasterKeys::parse(&twice).unwrap_err(),
            KeyError::Repeated(3)
        );
    }

    #[test]
    fn a_wrapped_key_opens_only_at_its_place_and_under_its_version() {
        let keys = MasterKeys::generate(&SystemRandomness);
        let wrapped = keys.wrap(
            &DataKey::generate(&SystemRandomness),
            PLACE,
            &SystemRandomness,
        );
        let elsewhere = Place {
            row: "share_2",
            ..PLACE
        };
        assert_eq!(
            keys.unwrap(&wrapped, elsewhere).unwrap_err(),
            KeyError::DoesNotUnwrap
        );
        let other = WrappedKey {
            version: 2,
            ..wrapped
        };
        assert_eq!(
            keys.unwrap(&other, PLACE).unwrap_err(),
            KeyError::UnknownVersion(2)
        );
    }
}
