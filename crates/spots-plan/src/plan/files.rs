//! The files of a plan, on disk or in a revision.

use std::collections::BTreeMap;
use std::path::Path;

use spots_findings::Unreadable;

use super::ENTRIES_MAX;
use crate::tree::{RevisionError, read_text, texts_at_revision};

/// Folder of a plan in its repository.
const FOLDER: &str = "plan";
/// Its services.
const SERVICES: &str = "plan/services";
/// What is frozen of them.
const CONTRACTS: &str = "plan/contracts";

/// Texts by path, relative to the repository; reasons in place of what could not be read.
#[derive(Clone, Debug, Default)]
pub struct Files(BTreeMap<String, Result<String, String>>);

impl Files {
    /// Those in the work tree.
    pub fn on_disk(root: &Path) -> Self {
        Self::in_folders(root, &[FOLDER, SERVICES, CONTRACTS])
    }

    /// Those in the work tree that a plan is made of; what is frozen is left out.
    pub(super) fn of_plan(root: &Path) -> Self {
        Self::in_folders(root, &[FOLDER, SERVICES])
    }

    fn in_folders(root: &Path, folders: &[&str]) -> Self {
        let mut files = BTreeMap::new();
        for folder in folders {
            let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
                continue;
            };
            for entry in entries.filter_map(Result::ok) {
                let Ok(name) = entry.file_name().into_string() else {
                    continue;
                };
                let path = format!("{folder}/{name}");
                // One more than allowed is enough to say so.
                if is_wanted(&path) && files.len() <= 3 * ENTRIES_MAX {
                    files.insert(path, read_text(&entry.path()));
                }
            }
        }
        Self(files)
    }

    /// Those of a revision, from git's objects.
    pub fn at_revision(root: &Path, revision: &str) -> Result<Self, RevisionError> {
        let texts = texts_at_revision(root, revision, FOLDER, is_wanted)?;
        Ok(Self(texts.into_iter().collect()))
    }

    /// Files that are given as texts.
    pub fn of(texts: impl IntoIterator<Item = (String, String)>) -> Self {
        let texts = texts.into_iter();
        Self(texts.map(|(path, text)| (path, Ok(text))).collect())
    }

    /// Whether there is a plan.
    pub fn has_plan(&self) -> bool {
        self.0.contains_key("plan/plan.toml")
    }

    /// The text of one file, or why it cannot be read; `None` where it is not there.
    pub fn text(&self, path: &str) -> Option<&Result<String, String>> {
        self.0.get(path)
    }

    /// Paths of services, sorted.
    pub(super) fn services(&self) -> Vec<&str> {
        self.below("plan/services/")
    }

    /// Paths and texts of frozen contracts, sorted; what cannot be read is named.
    pub(super) fn contracts(&self, unreadable: &mut Vec<Unreadable>) -> Vec<(&str, &str)> {
        let mut found = Vec::new();
        for path in self.below("plan/contracts/") {
            match self.0.get(path) {
                Some(Ok(text)) => found.push((path, text.as_str())),
                Some(Err(reason)) => unreadable.push(Unreadable {
                    path: path.to_owned(),
                    reason: reason.clone(),
                }),
                None => {}
            }
        }
        found
    }

    fn below(&self, folder: &str) -> Vec<&str> {
        let paths = self.0.keys().map(String::as_str);
        paths.filter(|path| path.starts_with(folder)).collect()
    }
}

fn is_wanted(path: &str) -> bool {
    let ends = |end: &str| Path::new(path).extension().is_some_and(|own| own == end);
    match path.rsplit_once('/').map(|(folder, _)| folder) {
        Some(SERVICES) => ends("toml"),
        Some(CONTRACTS) => ends("contract"),
        _ => path == "plan/plan.toml" || path == crate::audit::baseline::BASELINE_PATH,
    }
}
