//! The keys that a process holds at one time, and what they make ready to wrap with.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::hkdf;
use zeroize::Zeroizing;

use super::{KEY_BYTES, KeyError, Wrapping};
use crate::epochs::Epochs;
use crate::seal::Cipher;

const WRAPPING_LABEL: &str = "spots.wrapping.2";

/// The keys at one time.
pub(super) struct Ring {
    /// The versions of the master key.
    pub(super) versions: BTreeMap<u32, Zeroizing<[u8; KEY_BYTES]>>,
    /// The epochs that live.
    pub(super) epochs: Epochs,
    /// What wrapped or unwrapped before. Goes with the ring when keys or epochs change.
    ready: RwLock<BTreeMap<Wrapping, Arc<Cipher>>>,
}

impl Ring {
    pub(super) fn new(versions: BTreeMap<u32, Zeroizing<[u8; KEY_BYTES]>>, epochs: Epochs) -> Self {
        Self {
            versions,
            epochs,
            ready: RwLock::default(),
        }
    }

    /// What wraps and unwraps, made ready once: the way from both keys to one costs as much as
    /// several fields opened.
    pub(super) fn cipher(&self, by: Wrapping) -> Result<Arc<Cipher>, KeyError> {
        let ready = self.ready.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(cipher) = ready.get(&by) {
            return Ok(Arc::clone(cipher));
        }
        drop(ready);
        let key = self.wrapping_key(by)?;
        let cipher = Arc::new(Cipher::new(&key));
        let mut ready = self.ready.write().unwrap_or_else(PoisonError::into_inner);
        ready.insert(by, Arc::clone(&cipher));
        Ok(cipher)
    }

    pub(super) fn newest(&self) -> Wrapping {
        let version = self.versions.keys().next_back();
        Wrapping {
            version: *version.expect("a ring holds a master key"),
            epoch: self.epochs.newest(),
        }
    }

    /// The key that wraps: the master key itself, or both layers together (HKDF-SHA-256, RFC 5869:
    /// salt is the epoch's key, input the master key). Without either nothing unwraps.
    fn wrapping_key(&self, by: Wrapping) -> Result<Zeroizing<[u8; KEY_BYTES]>, KeyError> {
        let master = self
            .versions
            .get(&by.version)
            .ok_or(KeyError::UnknownVersion(by.version))?;
        if by.epoch == 0 {
            return Ok(master.clone());
        }
        let epoch = self.epochs.key(by.epoch)?;
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, epoch);
        let info = [WRAPPING_LABEL.as_bytes()];
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        salt.extract(&**master)
            .expand(&info, hkdf::HKDF_SHA256)
            .and_then(|output| output.fill(&mut *key))
            .expect("HKDF-SHA-256 gives 32 bytes");
        Ok(key)
    }
}
