//! A tree of source files, on disk or in a revision, in one order everywhere.
//!
//! Walks as `ripgrep` does: what `.gitignore` excludes, hidden files and symbolic links stay out.
//! Nothing here panics on a strange tree: what cannot be read is named in `unreadable`.

mod disk;
mod language;
mod path;
mod revision;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

pub use disk::read_text;
pub use language::Language;
pub(crate) use path::path_fits;
pub use revision::{RevisionError, Texts, resolve, texts as texts_at_revision};
use spots_findings::Unreadable;

/// Files above this many bytes are named as unreadable; no hand-written source comes near.
pub const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// A tree with more source files than this is refused.
pub const FILES_MAX: usize = 500_000;

/// Folders nested deeper than this are not entered.
pub const DEPTH_MAX: usize = 128;

/// One source file of a tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceFile {
    /// Relative to the tree's root, with `/` between parts.
    pub path: String,
    /// By its extension.
    pub language: Language,
    /// The blob's object id when the tree is a revision.
    blob: Option<String>,
}

impl SourceFile {
    /// A file that need not lie anywhere.
    pub fn new(path: impl Into<String>, language: Language) -> Self {
        Self {
            path: path.into(),
            language,
            blob: None,
        }
    }
}

/// The source files of a folder or of a revision, sorted by path.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
    origin: Origin,
    files: Vec<SourceFile>,
    unreadable: Vec<Unreadable>,
}

#[derive(Clone, Debug)]
enum Origin {
    Folder,
    File,
    /// The commit.
    Revision(String),
}

/// Why a tree cannot be walked at all.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// Nothing is there.
    #[error("there is nothing at {0}; give the path of a folder or of a source file")]
    Missing(PathBuf),
    /// More than [`FILES_MAX`] source files.
    #[error("{0} holds more than {FILES_MAX} source files; give a smaller folder")]
    TooMany(PathBuf),
    /// The revision cannot be read.
    #[error(transparent)]
    Revision(#[from] RevisionError),
}

/// What a visit of each file came to.
#[derive(Clone, Debug)]
pub struct Visited<T> {
    /// One entry for each file that could be read, in the order of their paths.
    pub items: Vec<(SourceFile, T)>,
    /// All that could not be read, in walking or in reading, by path.
    pub unreadable: Vec<Unreadable>,
}

impl Tree {
    /// Finds the source files of these languages below `root`, which may also be one file.
    pub fn walk(root: &Path, languages: &[Language]) -> Result<Self, TreeError> {
        let (files, unreadable) = disk::walk(root, languages)?;
        Ok(Self {
            root: root.to_owned(),
            origin: if root.is_file() {
                Origin::File
            } else {
                Origin::Folder
            },
            files,
            unreadable,
        })
    }

    /// Finds the source files of these languages in a revision of the repository around `folder`.
    ///
    /// Paths are relative to `folder`, as in [`Tree::walk`]; files elsewhere in the repository
    /// stay out.
    pub fn at_revision(
        folder: &Path,
        revision: &str,
        languages: &[Language],
    ) -> Result<Self, TreeError> {
        let commit = resolve(folder, revision)?;
        let files = revision::list(folder, &commit, languages)?;
        if files.len() > FILES_MAX {
            return Err(TreeError::TooMany(folder.to_owned()));
        }
        Ok(Self {
            root: folder.to_owned(),
            origin: Origin::Revision(commit),
            files,
            unreadable: Vec::new(),
        })
    }

    /// The folder that was walked, or the file.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files, by path.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// What the walk itself could not read.
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// Keeps only the files for which `keep` says so.
    pub fn retain(&mut self, keep: impl FnMut(&SourceFile) -> bool) {
        self.files.retain(keep);
    }

    /// Reads every file once, on all cores, and keeps what `visit` makes of its text.
    ///
    /// The outcome does not depend on the number of cores: items are in the order of the files.
    pub fn visit<T: Send>(&self, visit: impl Fn(&SourceFile, &str) -> T + Sync) -> Visited<T> {
        let workers = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(16);
        let next = AtomicUsize::new(0);
        let mut done = std::thread::scope(|scope| {
            let handles = (0..workers)
                .map(|_| scope.spawn(|| self.visit_share(&next, &visit)))
                .collect::<Vec<_>>();
            handles
                .into_iter()
                .flat_map(|handle| match handle.join() {
                    Ok(share) => share,
                    Err(panic) => std::panic::resume_unwind(panic),
                })
                .collect::<Vec<_>>()
        });
        done.sort_unstable_by_key(|(index, _)| *index);
        let mut visited = Visited {
            items: Vec::with_capacity(done.len()),
            unreadable: self.unreadable.clone(),
        };
        for ((_, outcome), file) in done.into_iter().zip(&self.files) {
            match outcome {
                Ok(item) => visited.items.push((file.clone(), item)),
                Err(unreadable) => visited.unreadable.push(unreadable),
            }
        }
        visited.unreadable.sort();
        visited
    }

    /// What one worker makes of the files that it takes from the common list.
    fn visit_share<T>(
        &self,
        next: &AtomicUsize,
        visit: &impl Fn(&SourceFile, &str) -> T,
    ) -> Vec<(usize, Result<T, Unreadable>)> {
        let mut share = Vec::new();
        let mut blobs = None;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = self.files.get(index) else {
                return share;
            };
            let text = match self.origin {
                Origin::Folder | Origin::File => read_text(&self.path_of(file)),
                Origin::Revision(_) => {
                    revision::read_text(&self.root, &mut blobs, file.blob.as_deref())
                }
            };
            let outcome = text
                .map(|text| visit(file, &text))
                .map_err(|reason| Unreadable {
                    path: file.path.clone(),
                    reason,
                });
            share.push((index, outcome));
        }
    }

    /// Reads one file's text; the reason when that fails.
    pub fn read(&self, file: &SourceFile) -> Result<String, String> {
        match self.origin {
            Origin::Folder | Origin::File => read_text(&self.path_of(file)),
            Origin::Revision(_) => revision::read_text(&self.root, &mut None, file.blob.as_deref()),
        }
    }

    /// Texts of files that need not be sources, a manifest for example; of those that are there.
    pub(crate) fn others(&self, paths: &BTreeSet<String>) -> BTreeMap<String, String> {
        let wanted = |path: &str| paths.contains(path);
        let texts = match &self.origin {
            _ if paths.is_empty() => return BTreeMap::new(),
            Origin::Revision(commit) => revision::texts(&self.root, commit, ".", wanted),
            Origin::Folder | Origin::File => Ok(paths
                .iter()
                .map(|path| (path.clone(), read_text(&self.root.join(path))))
                .collect()),
        };
        let texts = texts.unwrap_or_default().into_iter();
        texts
            .filter_map(|(path, text)| Some((path, text.ok()?)))
            .collect()
    }

    /// The same tree, only the files of these languages.
    #[must_use]
    pub fn only(&self, languages: &[Language]) -> Self {
        let mut tree = self.clone();
        tree.retain(|file| languages.contains(&file.language));
        tree
    }

    /// Where a file lies on disk; for a revision, where it would lie.
    pub fn path_of(&self, file: &SourceFile) -> PathBuf {
        match self.origin {
            Origin::File => self.root.clone(),
            Origin::Folder | Origin::Revision(_) => self.root.join(&file.path),
        }
    }
}
