//! What was made of files with this content the last time, so that unchanged files are not parsed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Entries that no file used in a run are dropped above this number.
const ENTRIES_MAX: usize = 20_000;

/// What a cache keeps of a file.
pub trait Kept: Clone + Serialize + DeserializeOwned {
    /// Changes whenever what makes it or its form changes: an older cache is then ignored.
    const FORM: u32;
    /// How the caches' files begin.
    const NAME: &'static str;
}

/// A cache in one file. A cache that cannot be read or written is no cache, never an error.
#[derive(Debug)]
pub struct Cache<T> {
    file: Option<PathBuf>,
    known: BTreeMap<String, T>,
    added: Mutex<BTreeMap<String, T>>,
    used: Mutex<BTreeSet<String>>,
}

#[derive(Serialize, Deserialize)]
struct Form<T> {
    form: u32,
    units: BTreeMap<String, T>,
}

impl<T: Kept> Cache<T> {
    /// No cache: everything is made again.
    pub fn none() -> Self {
        Self {
            file: None,
            known: BTreeMap::new(),
            added: Mutex::default(),
            used: Mutex::default(),
        }
    }

    /// The cache in this file; empty when there is none, or one of another version.
    pub fn load(file: PathBuf) -> Self {
        let form = std::fs::read(&file)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Form<T>>(&bytes).ok())
            .filter(|form| form.form == T::FORM);
        Self {
            file: Some(file),
            known: form.map(|form| form.units).unwrap_or_default(),
            ..Self::none()
        }
    }

    /// The cache of one tree, in a folder that holds those of all trees.
    pub fn of_tree(folder: &Path, root: &Path) -> Self {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let digest = digest(&[root.as_os_str().as_encoded_bytes()]);
        Self::load(folder.join(format!("{}-{digest}.json", T::NAME)))
    }

    /// What was kept under a key, or else what is made now.
    pub(crate) fn keep(&self, key: impl FnOnce() -> String, make: impl FnOnce() -> T) -> T {
        if !self.is_on() {
            return make();
        }
        let key = key();
        self.kept(&key).unwrap_or_else(|| {
            let value = make();
            lock(&self.added).insert(key, value.clone());
            value
        })
    }

    /// Whether anything is kept at all.
    pub(crate) fn is_on(&self) -> bool {
        self.file.is_some()
    }

    /// What was kept under a key.
    pub(crate) fn kept(&self, key: &str) -> Option<T> {
        let kept = self.known.get(key)?;
        lock(&self.used).insert(key.to_owned());
        Some(kept.clone())
    }

    /// Writes what was added; whether that worked.
    pub fn save(self) -> bool {
        let added = self
            .added
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(file) = self.file.filter(|_| !added.is_empty()) else {
            return true;
        };
        let used = self
            .used
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut units = self.known;
        if units.len() + added.len() > ENTRIES_MAX {
            units.retain(|key, _| used.contains(key));
        }
        units.extend(added);
        let Ok(bytes) = serde_json::to_vec(&Form {
            form: T::FORM,
            units,
        }) else {
            return false;
        };
        // Written beside and renamed: another run never reads half a cache.
        let beside = file.with_extension(format!("{}.tmp", std::process::id()));
        file.parent()
            .is_some_and(|folder| std::fs::create_dir_all(folder).is_ok())
            && std::fs::write(&beside, bytes).is_ok()
            && std::fs::rename(&beside, &file).is_ok()
    }
}

/// 128 bits of the SHA-256 of some texts, apart from each other.
pub(crate) fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    let mut out = String::with_capacity(32);
    for byte in hash.finalize().iter().take(16) {
        write!(out, "{byte:02x}").expect("writing to a string cannot fail");
    }
    out
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
