//! Epochs: short-lived keys that wrap beside the master key, kept outside the database and its
//! backups.
//!
//! A destroyed data key can survive for a while where a database keeps old bytes: write-ahead logs,
//! dead tuples, replicas, backups. Every such copy is wrapped by the epoch of its time. When the
//! epoch's key is destroyed, no copy of that time opens any more, wherever it is.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::{Zeroize as _, Zeroizing};

use crate::keys::{KEY_BYTES, KeyError, decode_key, push_line};
use crate::random::{self, Randomness};

/// Epochs that one file may hold.
pub const EPOCHS_MAX: usize = 1_000;

/// The epochs that live, each with the second (since the Unix epoch) at which it began.
#[derive(Clone, Default)]
pub struct Epochs(BTreeMap<u32, Epoch>);

#[derive(Clone)]
struct Epoch {
    key: Zeroizing<[u8; KEY_BYTES]>,
    began_at: i64,
}

impl Epochs {
    /// Reads the file's text: `epoch <number> <base64 of 32 bytes> <second>`, one a line.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let mut epochs = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let bad = KeyError::Epoch(index + 1);
            let words: Vec<_> = line.split_whitespace().collect();
            let (number, key, began_at) = match words.as_slice() {
                [] => continue,
                [comment, ..] if comment.starts_with('#') => continue,
                ["epoch", number, key, began_at] => (number, key, began_at),
                _ => return Err(bad),
            };
            let epoch = Epoch {
                key: decode_key(key).ok_or_else(|| bad.clone())?,
                began_at: began_at.parse().or(Err(bad.clone()))?,
            };
            let number: u32 = number.parse().or(Err(bad.clone()))?;
            if number == 0 || epochs.insert(number, epoch).is_some() {
                return Err(bad);
            }
        }
        if epochs.len() > EPOCHS_MAX {
            return Err(KeyError::TooManyEpochs);
        }
        Ok(Self(epochs))
    }

    /// The file's text.
    pub fn to_file(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for (number, epoch) in &self.0 {
            let mut encoded = STANDARD.encode(*epoch.key);
            let (number, began_at) = (number.to_string(), epoch.began_at.to_string());
            push_line(&mut text, &["epoch", &number, &encoded, &began_at]);
            encoded.zeroize();
        }
        text
    }

    /// Begins an epoch now, above all others.
    pub fn begin(&mut self, now: i64, random: &dyn Randomness) -> Result<u32, KeyError> {
        if self.0.len() >= EPOCHS_MAX {
            return Err(KeyError::TooManyEpochs);
        }
        let next = self.newest().checked_add(1);
        let next = next.ok_or(KeyError::TooManyEpochs)?;
        let epoch = Epoch {
            key: Zeroizing::new(random::bytes(random)),
            began_at: now,
        };
        self.0.insert(next, epoch);
        Ok(next)
    }

    /// Destroys the keys of all epochs before this one. Returns how many.
    pub fn retire_before(&mut self, floor: u32) -> usize {
        let before = self.0.len();
        self.0.retain(|number, _| *number >= floor);
        before - self.0.len()
    }

    /// The greatest epoch; 0 where there is none.
    pub fn newest(&self) -> u32 {
        self.0.keys().next_back().copied().unwrap_or(0)
    }

    /// When the greatest epoch began.
    pub fn began_at(&self) -> Option<i64> {
        self.0.values().next_back().map(|epoch| epoch.began_at)
    }

    /// The epochs that live, in order.
    pub fn numbers(&self) -> Vec<u32> {
        self.0.keys().copied().collect()
    }

    pub(crate) fn key(&self, number: u32) -> Result<&[u8; KEY_BYTES], KeyError> {
        let epoch = self.0.get(&number);
        Ok(&epoch.ok_or(KeyError::UnknownEpoch(number))?.key)
    }
}

impl fmt::Debug for Epochs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Epochs").field(&self.numbers()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::KeyOwner;
    use crate::{DataKey, MasterKeys, SystemRandomness};

    fn epochs(count: u32) -> Epochs {
        let mut epochs = Epochs::default();
        for now in 0..count {
            epochs.begin(i64::from(now), &SystemRandomness).unwrap();
        }
        epochs
    }

    #[test]
    fn the_file_reads_back() {
        let three = epochs(3);
        let again = Epochs::parse(&three.to_file()).unwrap();
        assert_eq!(again.numbers(), [1, 2, 3]);
        assert_eq!(again.began_at(), Some(2));
        assert_eq!(again.key(2).unwrap(), three.key(2).unwrap());
    }

    #[test]
    fn a_bad_line_is_refused_by_its_number() {
        let good = epochs(1).to_file();
        for (line, text) in [
            (1, "epoch 0 AAAA 1".to_owned()),
            (1, "epoch 1 AAAA 1".to_owned()),
            (2, [good.as_str(), good.as_str()].concat()),
            (1, good.replace("epoch 1", "epoch 0")),
            (1, good.trim_end().trim_end_matches(" 0").to_owned()),
        ] {
            assert_eq!(Epochs::parse(&text).unwrap_err(), KeyError::Epoch(line));
        }
    }

    #[test]
    fn nothing_opens_once_its_epoch_is_retired_though_the_master_key_is_there() {
        let keys = MasterKeys::generate(&SystemRandomness);
        let file = keys.to_file();
        let owner = KeyOwner::User("user_1".to_owned());
        let mut live = epochs(1);
        let keys = keys.with_epochs(live.clone());
        let data = DataKey::generate(&SystemRandomness);
        let old = keys.wrap(&data, owner.place(), &SystemRandomness);
        assert_eq!(old.wrapping().epoch, 1);

        live.begin(1, &SystemRandomness).unwrap();
        let keys = keys.with_epochs(live.clone());
        let new = keys.rewrap(&old, owner.place(), &SystemRandomness).unwrap();
        assert_eq!(live.retire_before(2), 1);
        let keys = MasterKeys::parse(&file).unwrap().with_epochs(live);
        assert!(keys.unwrap(&new, owner.place()).is_ok());
        let refused = keys.unwrap(&old, owner.place()).unwrap_err();
        assert_eq!(refused, KeyError::UnknownEpoch(1));
        // Nor does it when somebody names another epoch on it, or none.
        for prefix in [&[2, 0, 0, 0, 2][..], &[1]] {
            let mut bytes = old.bytes.clone();
            bytes.splice(0..5, prefix.iter().copied());
            let forged = crate::WrappedKey { bytes, ..old };
            let refused = keys.unwrap(&forged, owner.place()).unwrap_err();
            assert_eq!(refused, KeyError::DoesNotUnwrap);
        }
    }
}
