//! Trees in a file system.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Mutex;

use ignore::{DirEntry, WalkBuilder, WalkState};
use spots_findings::Unreadable;

use super::{DEPTH_MAX, FILE_BYTES_MAX, FILES_MAX, Language, SourceFile, TreeError};

/// Files and unreadable paths below `root`, both sorted.
pub(super) fn walk(
    root: &Path,
    languages: &[Language],
) -> Result<(Vec<SourceFile>, Vec<Unreadable>), TreeError> {
    if !root.exists() {
        return Err(TreeError::Missing(root.to_owned()));
    }
    let found = Mutex::new((Vec::new(), Vec::new()));
    let walker = WalkBuilder::new(root)
        .max_depth(Some(DEPTH_MAX))
        .threads(
            std::thread::available_parallelism()
                .map_or(1, usize::from)
                .min(16),
        )
        .build_parallel();
    walker.run(|| {
        Box::new(|entry| {
            let mut found = found.lock().expect("no holder of this lock panics");
            let (files, unreadable) = &mut *found;
            match entry {
                Ok(entry) => files.extend(source_file(root, &entry, languages)),
                Err(error) => unreadable.push(refused(root, &error)),
            }
            if files.len() > FILES_MAX {
                WalkState::Quit
            } else {
                WalkState::Continue
            }
        })
    });
    let (mut files, mut unreadable) = found.into_inner().expect("no holder of this lock panics");
    if files.len() > FILES_MAX {
        return Err(TreeError::TooMany(root.to_owned()));
    }
    files.sort_unstable();
    unreadable.sort();
    Ok((files, unreadable))
}

/// The entry as a source file, if it is one of a wanted language.
fn source_file(root: &Path, entry: &DirEntry, languages: &[Language]) -> Option<SourceFile> {
    // The root itself may be a link to a file; further links are not followed.
    let is_file = entry.file_type().is_some_and(|kind| kind.is_file())
        || (entry.depth() == 0 && entry.path().is_file());
    if !is_file {
        return None;
    }
    let path = relative(root, entry.path());
    let language = Language::among(&path, languages)?;
    Some(SourceFile {
        path,
        language,
        blob: None,
    })
}

fn relative(root: &Path, path: &Path) -> String {
    let inner = match path.strip_prefix(root) {
        Ok(inner) if !inner.as_os_str().is_empty() => inner,
        _ => Path::new(path.file_name().unwrap_or(path.as_os_str())),
    };
    let parts = inner
        .components()
        .map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

fn refused(root: &Path, error: &ignore::Error) -> Unreadable {
    let mut path = None;
    let mut inner = error;
    loop {
        inner = match inner {
            ignore::Error::WithPath { path: at, err } => {
                path = Some(relative(root, at));
                err
            }
            ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => err,
            _ => break,
        };
    }
    Unreadable {
        path: path.unwrap_or_else(|| ".".to_owned()),
        reason: inner.to_string(),
    }
}

/// Reads a file as text; the reason, for [`Unreadable`], when that fails.
///
/// A video with the extension of TypeScript (`.ts`) comes back as empty text: it is no source.
pub fn read_text(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    if size <= FILE_BYTES_MAX {
        bytes.reserve_exact(usize::try_from(size).unwrap_or(0) + 1);
    }
    file.take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    text_of(bytes)
}

/// The same for bytes that are already there.
pub(super) fn text_of(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("larger than {FILE_BYTES_MAX} bytes"));
    }
    if is_video(&bytes) {
        return Ok(String::new());
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        if error.as_bytes().contains(&0) {
            "binary".to_owned()
        } else {
            format!("not UTF-8 at byte {at}")
        }
    })?;
    if text.as_bytes().contains(&0) {
        Err("binary".to_owned())
    } else {
        Ok(text)
    }
}

/// Whether these are MPEG transport packets: 188 bytes each, the first of them `G`.
fn is_video(bytes: &[u8]) -> bool {
    [0, 188, 376].iter().all(|at| bytes.get(*at) == Some(&b'G'))
}
