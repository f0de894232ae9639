//! Master keys, data keys, wrapping, keyed lookups.

mod ring;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use self::ring::Ring;
use crate::epochs::{EPOCHS_MAX, Epochs};
use crate::random::{self, Randomness};
use crate::seal::{FORMAT, Place, associated, open_bytes, seal_bytes};

/// Bytes in every symmetric key.
pub const KEY_BYTES: usize = 32;
/// Master key versions that one file may hold.
pub const VERSIONS_MAX: usize = 64;
const KEY_LABEL: &str = "spots.key.1";
const EPOCH_KEY_LABEL: &str = "spots.key.2";
/// The first byte of a key that an epoch wraps; the epoch follows.
pub(crate) const EPOCH_FORMAT: u8 = 2;

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
    /// A key was wrapped in an epoch whose key this process does not have.
    #[error("the key of epoch {0} is gone, or not in the file of epochs")]
    UnknownEpoch(u32),
    /// A line of the file of epochs is not one of ours.
    #[error(
        "line {0} of the file of epochs is not `epoch <number> <base64 of {KEY_BYTES} bytes> <second>`"
    )]
    Epoch(usize),
    /// Too many epochs.
    #[error("the file of epochs holds more than {EPOCHS_MAX} epochs")]
    TooManyEpochs,
    /// The keys could not be read again.
    #[error("failed to read the keys: {0}")]
    Source(String),
    /// Keys that were read again belong to another database.
    #[error("the lookup key changed; these are the keys of another database")]
    OtherLookup,
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

/// By what a data key is wrapped: a version of the master key, and an epoch (0: none).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wrapping {
    /// The master key's version.
    pub version: u32,
    /// The epoch, counted from 1; 0 is no epoch.
    pub epoch: u32,
}

/// Bytes at the beginning of a wrapped key that name its epoch.
pub const PREFIX_BYTES: usize = 5;

impl Wrapping {
    /// Wrapped keys of this epoch or later begin with these bytes or greater ones. Every wrapped
    /// key does for epoch 0.
    pub fn prefix(self) -> [u8; PREFIX_BYTES] {
        let [a, b, c, d] = self.epoch.to_be_bytes();
        if self.epoch == 0 {
            [0; PREFIX_BYTES]
        } else {
            [EPOCH_FORMAT, a, b, c, d]
        }
    }
}

impl fmt::Display for Wrapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.epoch {
            0 => write!(f, "version {}", self.version),
            epoch => write!(f, "version {}, epoch {epoch}", self.version),
        }
    }
}

/// A data key as it is stored: wrapped by one version of the master key, and by an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// The master key's version.
    pub version: u32,
    /// Format, the epoch if there is one, nonce, ciphertext, tag.
    pub bytes: Vec<u8>,
}

impl WrappedKey {
    /// By what it is wrapped.
    pub fn wrapping(&self) -> Wrapping {
        let epoch = match self.bytes.split_first_chunk::<PREFIX_BYTES>() {
            Some(([EPOCH_FORMAT, a, b, c, d], _)) => u32::from_be_bytes([*a, *b, *c, *d]),
            _ => 0,
        };
        Wrapping {
            version: self.version,
            epoch,
        }
    }
}

/// Where the texts of the keys come from, so that they can be read again while the service runs.
pub trait KeySource: Send + Sync {
    /// Reads the key file's text, and that of the epochs if there are any.
    fn read(&self) -> Result<KeyTexts, Box<dyn std::error::Error + Send + Sync>>;
}

/// The texts that hold the keys. Wiped when dropped.
pub struct KeyTexts {
    /// Master keys and the lookup key.
    pub keys: Zeroizing<String>,
    /// Epochs.
    pub epochs: Option<Zeroizing<String>>,
}

impl fmt::Debug for KeyTexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyTexts(…)")
    }
}

/// All versions of the master key that this process holds, and the epochs that live.
pub struct MasterKeys {
    ring: RwLock<Arc<Ring>>,
    lookup: LookupKey,
    source: Option<Box<dyn KeySource>>,
}

impl MasterKeys {
    /// New keys: version 1 and a lookup key.
    pub fn generate(random: &dyn Randomness) -> Self {
        let versions = BTreeMap::from([(1, Zeroizing::new(random::bytes(random)))]);
        Self::of(versions, LookupKey(Zeroizing::new(random::bytes(random))))
    }

    fn of(versions: BTreeMap<u32, Zeroizing<[u8; KEY_BYTES]>>, lookup: LookupKey) -> Self {
        let epochs = Epochs::default();
        Self {
            ring: RwLock::new(Arc::new(Ring::new(versions, epochs))),
            lookup,
            source: None,
        }
    }

    /// Reads keys that [`Self::refresh`] reads again. A key of a version that this process does not
    /// hold yet also makes it read again, once.
    pub fn from_source(source: Box<dyn KeySource>) -> Result<Self, KeyError> {
        let texts = read(source.as_ref())?;
        let mut keys = Self::parse(&texts.keys)?;
        if let Some(text) = &texts.epochs {
            keys = keys.with_epochs(Epochs::parse(text)?);
        }
        keys.source = Some(source);
        Ok(keys)
    }

    /// The same keys with epochs beside them.
    #[must_use]
    pub fn with_epochs(self, epochs: Epochs) -> Self {
        let versions = self.ring().versions.clone();
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(Ring::new(versions, epochs));
        self
    }

    /// Reads the keys again from where they came. Keys without a source stay as they are.
    pub fn refresh(&self) -> Result<(), KeyError> {
        let Some(source) = &self.source else {
            return Ok(());
        };
        let texts = read(source.as_ref())?;
        let again = Self::parse(&texts.keys)?;
        if *again.lookup.0 != *self.lookup.0 {
            return Err(KeyError::OtherLookup);
        }
        let epochs = texts.epochs.as_ref().map(|text| Epochs::parse(text));
        let versions = again.ring().versions.clone();
        let ring = Ring::new(versions, epochs.transpose()?.unwrap_or_default());
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
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
        if versions.is_empty() {
            return Err(KeyError::NoMaster);
        }
        Ok(Self::of(versions, lookup.ok_or(KeyError::NoLookup)?))
    }

    /// The key file's text. Whoever holds it holds everything.
    pub fn to_file(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for (version, key) in &self.ring().versions {
            let mut encoded = STANDARD.encode(**key);
            push_line(&mut text, &["master", &version.to_string(), &encoded]);
            encoded.zeroize();
        }
        let mut encoded = STANDARD.encode(*self.lookup.0);
        push_line(&mut text, &["lookup", &encoded]);
        encoded.zeroize();
        text
    }

    /// The same keys with a new version above all others.
    pub fn with_new_version(&self, random: &dyn Randomness) -> Result<Self, KeyError> {
        let mut versions = self.ring().versions.clone();
        if versions.len() >= VERSIONS_MAX {
            return Err(KeyError::TooMany);
        }
        let next = self.newest().version.checked_add(1);
        let next = next.ok_or(KeyError::TooMany)?;
        versions.insert(next, Zeroizing::new(random::bytes(random)));
        Ok(Self::of(versions, self.lookup.clone()))
    }

    /// The same keys without the versions below this one.
    pub fn without_versions_below(&self, floor: u32) -> Result<Self, KeyError> {
        let mut versions = self.ring().versions.clone();
        versions.retain(|version, _| *version >= floor);
        if versions.is_empty() {
            return Err(KeyError::NoMaster);
        }
        Ok(Self::of(versions, self.lookup.clone()))
    }

    /// The version that wraps new keys.
    pub fn current_version(&self) -> u32 {
        self.newest().version
    }

    /// By what new keys are wrapped: the greatest version and the greatest epoch.
    pub fn newest(&self) -> Wrapping {
        self.ring().newest()
    }

    /// The versions of the master key that are held, in order.
    pub fn versions(&self) -> Vec<u32> {
        self.ring().versions.keys().copied().collect()
    }

    /// The epochs that are held, in order.
    pub fn epochs(&self) -> Vec<u32> {
        self.ring().epochs.numbers()
    }

    /// The key for lookups by e-mail address or agent id.
    pub fn lookup(&self) -> &LookupKey {
        &self.lookup
    }

    /// Wraps a data key for its place; `place.field` names the group of fields it opens.
    pub fn wrap(&self, key: &DataKey, place: Place<'_>, random: &dyn Randomness) -> WrappedKey {
        let ring = self.ring();
        let by = ring.newest();
        let wrapping = ring.cipher(by).expect("the newest keys are held");
        let mut bytes = seal_bytes(&wrapping, &key_data(by, place), key.expose(), random);
        if by.epoch != 0 {
            bytes.splice(0..1, by.prefix());
        }
        WrappedKey {
            version: by.version,
            bytes,
        }
    }

    /// Unwraps a data key at its place. Crate-private: callers come with a proof.
    pub(crate) fn unwrap(
        &self,
        wrapped: &WrappedKey,
        place: Place<'_>,
    ) -> Result<DataKey, KeyError> {
        let by = wrapped.wrapping();
        let wrapping = match self.ring().cipher(by) {
            // Another process may have begun a version or an epoch since this one read its keys.
            Err(KeyError::UnknownVersion(_) | KeyError::UnknownEpoch(_))
                if self.source.is_some() =>
            {
                self.refresh()?;
                self.ring().cipher(by)
            }
            known => known,
        }?;
        let mut sealed = wrapped.bytes.clone();
        if by.epoch != 0 {
            sealed.splice(0..PREFIX_BYTES, [FORMAT]);
        }
        let mut plain = open_bytes(&wrapping, &key_data(by, place), &sealed)
            .or(Err(KeyError::DoesNotUnwrap))?;
        let key = <[u8; KEY_BYTES]>::try_from(plain.as_slice()).or(Err(KeyError::DoesNotUnwrap));
        plain.zeroize();
        Ok(DataKey(Zeroizing::new(key?)))
    }

    /// Wraps a key again by the newest keys, without opening any field.
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
            .field("newest", &self.newest())
            .finish_non_exhaustive()
    }
}

/// Keys the hashes by which a value is found without being stored.
#[derive(Clone)]
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

fn read(source: &dyn KeySource) -> Result<KeyTexts, KeyError> {
    source
        .read()
        .map_err(|cause| KeyError::Source(cause.to_string()))
}

fn key_data(by: Wrapping, place: Place<'_>) -> Vec<u8> {
    let version = by.version.to_be_bytes();
    let epoch = by.epoch.to_be_bytes();
    let (label, by): (_, &[&[u8]]) = match by.epoch {
        0 => (KEY_LABEL, &[&version]),
        _ => (EPOCH_KEY_LABEL, &[&version, &epoch]),
    };
    let place = [place.table, place.row, place.field].map(str::as_bytes);
    associated(&[&[label.as_bytes()], by, &place].concat())
}

pub(crate) fn push_line(text: &mut String, words: &[&str]) {
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        text.push_str(word);
    }
    text.push('\n');
}

fn decode(text: &str, line: usize) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyError> {
    decode_key(text).ok_or(KeyError::Length(line))
}

/// Reads a key from base64; `None` when it has another length.
pub(crate) fn decode_key(text: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).ok()?;
    Some(Zeroizing::new(key))
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
