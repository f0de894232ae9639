//! Trees in a git revision, read from its blobs without touching the working tree.
//!
//! Runs `git`, which is there wherever a repository is: `ls-tree` and `cat-file` read objects and
//! run no hook, filter or text conversion that a repository could bring along.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::disk::text_of;
use super::{FILE_BYTES_MAX, FILES_MAX, Language, SourceFile};

/// Why a revision cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RevisionError {
    /// There is no `git` to ask.
    #[error("failed to run git; install it, or judge without a base revision")]
    NoGit(#[source] std::io::Error),
    /// The name is not one that git could be given safely.
    #[error("{0:?} is no revision; give a branch, a tag or a commit")]
    BadName(String),
    /// Git refused.
    #[error("git cannot read revision {revision:?} here: {reason}")]
    Refused {
        /// As it was given.
        revision: String,
        /// Git's own words.
        reason: String,
    },
}

/// The commit's full object id.
pub fn resolve(folder: &Path, revision: &str) -> Result<String, RevisionError> {
    if revision.is_empty() || revision.starts_with('-') || revision.contains(['\0', '\n']) {
        return Err(RevisionError::BadName(revision.to_owned()));
    }
    let commit = format!("{revision}^{{commit}}");
    let out = run(
        folder,
        revision,
        &[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ],
    )?;
    Ok(String::from_utf8_lossy(&out).trim().to_owned())
}

/// Source files of the revision below `folder`, by path.
pub(super) fn list(
    folder: &Path,
    commit: &str,
    languages: &[Language],
) -> Result<Vec<SourceFile>, RevisionError> {
    // Run inside the folder, ls-tree lists it alone and relative to it.
    let out = run(folder, commit, &["ls-tree", "-r", "-z", commit])?;
    let mut files = String::from_utf8_lossy(&out)
        .split('\0')
        .filter_map(|entry| source_file(entry, languages))
        .collect::<Vec<_>>();
    files.sort_unstable();
    Ok(files)
}

/// Paths, each with its text or why it could not be read.
pub type Texts = Vec<(String, Result<String, String>)>;

/// Texts of the wanted files in a folder of the revision, by path relative to `folder`.
pub fn texts(
    folder: &Path,
    revision: &str,
    under: &str,
    wanted: impl Fn(&str) -> bool,
) -> Result<Texts, RevisionError> {
    let commit = resolve(folder, revision)?;
    let under = format!("{under}/");
    let listed = run(
        folder,
        revision,
        &["ls-tree", "-r", "-z", &commit, "--", &under],
    )?;
    let listed = String::from_utf8_lossy(&listed);
    let entries = listed.split('\0').filter_map(|entry| {
        let (head, path) = entry.split_once('\t')?;
        let id = head.rsplit(' ').next()?;
        (head.starts_with("100") && wanted(path)).then_some((path, id))
    });
    let mut blobs = None;
    let mut read =
        |(path, id): (&str, &str)| (path.to_owned(), read_text(folder, &mut blobs, Some(id)));
    let mut texts = Vec::new();
    for entry in entries.take(FILES_MAX) {
        texts.push(read(entry));
    }
    Ok(texts)
}

/// `100644 blob <id>\t<path>` as a source file; links and submodules are none.
fn source_file(entry: &str, languages: &[Language]) -> Option<SourceFile> {
    let (head, path) = entry.split_once('\t')?;
    let mut head = head.split(' ');
    let (mode, kind, id) = (head.next()?, head.next()?, head.next()?);
    // Hidden files stay out on disk, so they do here.
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    let language = Language::among(path, languages)?;
    (mode.starts_with("100") && kind == "blob" && !hidden).then(|| SourceFile {
        path: path.to_owned(),
        language,
        blob: Some(id.to_owned()),
    })
}

fn run(folder: &Path, revision: &str, arguments: &[&str]) -> Result<Vec<u8>, RevisionError> {
    let output = git(folder)
        .args(arguments)
        .output()
        .map_err(RevisionError::NoGit)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let reason = if reason.is_empty() {
        "there is no such commit".to_owned()
    } else {
        reason
    };
    Err(RevisionError::Refused {
        revision: revision.to_owned(),
        reason,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a revision's blobs come from git itself"
)]
fn git(folder: &Path) -> Command {
    let folder = if folder.is_file() {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    };
    let mut command = Command::new("git");
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    command.arg("-C").arg(folder).stdin(Stdio::null());
    command
}

/// A `git cat-file --batch` that answers one object id after the other.
pub(super) struct Blobs {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Blobs {
    fn open(folder: &Path) -> std::io::Result<Self> {
        let mut child = git(folder)
            .args(["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let questions = child.stdin.take().expect("standard input was piped above");
        let answers = BufReader::new(
            child
                .stdout
                .take()
                .expect("standard output was piped above"),
        );
        Ok(Self {
            child,
            questions,
            answers,
        })
    }

    fn read(&mut self, id: &str) -> std::io::Result<Vec<u8>> {
        writeln!(self.questions, "{id}")?;
        self.questions.flush()?;
        let mut head = String::new();
        self.answers.read_line(&mut head)?;
        let size = head
            .trim()
            .rsplit(' ')
            .next()
            .and_then(|size| size.parse::<u64>().ok());
        let size = size.ok_or_else(|| std::io::Error::other("git does not have this blob"))?;
        let mut bytes = Vec::new();
        (&mut self.answers)
            .take(size.min(FILE_BYTES_MAX + 1))
            .read_to_end(&mut bytes)?;
        let rest = size.saturating_sub(bytes.len() as u64) + 1;
        std::io::copy(&mut (&mut self.answers).take(rest), &mut std::io::sink())?;
        Ok(bytes)
    }
}

impl Drop for Blobs {
    fn drop(&mut self) {
        // It only reads; ending it early loses nothing, and it may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads one blob as text, through a process that is kept for the next one.
pub(super) fn read_text(
    folder: &Path,
    blobs: &mut Option<Blobs>,
    id: Option<&str>,
) -> Result<String, String> {
    let id = id.ok_or("no blob of a revision")?;
    let open = match blobs.take() {
        Some(open) => Ok(open),
        None => Blobs::open(folder),
    };
    let reader = blobs.insert(open.map_err(|error| error.to_string())?);
    text_of(reader.read(id).map_err(|error| error.to_string())?)
}
