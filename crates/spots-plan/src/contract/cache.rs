//! What files with this content declared the last time, so that unchanged files are not parsed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Unit;
use crate::tree::Language;

/// Changes whenever an extractor or the form changes: an older cache is then ignored.
const FORM: u32 = 4;
/// Entries that no file used in a run are dropped above this number.
const ENTRIES_MAX: usize = 20_000;

/// A cache in one file. A cache that cannot be read or written is no cache, never an error.
#[derive(Debug, Default)]
pub struct Cache {
    file: Option<PathBuf>,
    known: BTreeMap<String, Unit>,
    added: Mutex<BTreeMap<String, Unit>>,
    used: Mutex<BTreeSet<String>>,
}

#[derive(Default, Serialize, Deserialize)]
struct Form {
    form: u32,
    units: BTreeMap<String, Unit>,
}

impl Cache {
    /// No cache: everything is parsed.
    pub fn none() -> Self {
        Self::default()
    }

    /// The cache in this file; empty when there is none, or one of another version.
    pub fn load(file: PathBuf) -> Self {
        let form = std::fs::read(&file)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Form>(&bytes).ok())
            .filter(|form| form.form == FORM)
            .unwrap_or_default();
        Self {
            file: Some(file),
            known: form.units,
            ..Self::default()
        }
    }

    /// The cache of one tree, in a folder that holds those of all trees.
    pub fn of_tree(folder: &Path, root: &Path) -> Self {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let digest = hex(root.as_os_str().as_encoded_bytes());
        Self::load(folder.join(format!("contracts-{digest}.json")))
    }

    /// What a text declares, from the cache or by `extract`.
    pub(super) fn unit(
        &self,
        language: Language,
        text: &str,
        extract: impl FnOnce(&str) -> Unit,
    ) -> Unit {
        if self.file.is_none() {
            return extract(text);
        }
        let key = key(language, text);
        if let Some(unit) = self.known.get(&key) {
            lock(&self.used).insert(key);
            return unit.clone();
        }
        let unit = extract(text);
        lock(&self.added).insert(key, unit.clone());
        unit
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
        let Ok(bytes) = serde_json::to_vec(&Form { form: FORM, units }) else {
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

fn key(language: Language, text: &str) -> String {
    format!("{}{}", language.as_str(), hex(text.as_bytes()))
}

/// 128 bits of the SHA-256 of some bytes.
fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(32);
    for byte in Sha256::digest(bytes).iter().take(16) {
        write!(out, "{byte:02x}").expect("writing to a string cannot fail");
    }
    out
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
