//! The files of a set on both sides of a merge, read from git's objects, never the working tree.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, bail, ensure};

type Files = BTreeMap<String, Vec<u8>>;

/// A set at three commits.
pub(crate) struct Trees {
    /// The other side.
    pub(crate) base: Files,
    /// This side: what is committed here.
    pub(crate) ours: Files,
    /// Where both parted.
    pub(crate) ancestor: Files,
}

/// Reads the folder at `base`, at HEAD and at their merge base.
pub(crate) fn trees(dir: &Path, base: &str) -> anyhow::Result<Trees> {
    ensure!(
        !base.is_empty() && !base.starts_with('-') && !base.contains(['\0', '\n']),
        "{base:?} is no revision; give a branch, a tag or a commit"
    );
    let commit = |revision: &str| {
        let wanted = format!("{revision}^{{commit}}");
        git(
            dir,
            &[
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                &wanted,
            ],
        )
        .with_context(|| format!("git knows no revision {revision} here"))
    };
    let (theirs, ours) = (commit(base)?, commit("HEAD")?);
    // Unrelated histories have no common state: then everything is new on both sides.
    let ancestor = git(dir, &["merge-base", &theirs, &ours]).ok();
    Ok(Trees {
        base: files(dir, &theirs)?,
        ours: files(dir, &ours)?,
        ancestor: ancestor
            .map(|ancestor| files(dir, &ancestor))
            .transpose()?
            .unwrap_or_default(),
    })
}

/// The files of a commit below the folder, by path relative to it.
fn files(dir: &Path, commit: &str) -> anyhow::Result<Files> {
    // Run inside the folder, ls-tree lists it alone and relative to it.
    let listed = git(dir, &["ls-tree", "-r", "-z", commit])?;
    let entries = listed
        .split('\0')
        .filter_map(|entry| {
            let (head, path) = entry.split_once('\t')?;
            let mut head = head.split(' ');
            let (mode, kind, id) = (head.next()?, head.next()?, head.next()?);
            let extension = Path::new(path).extension()?;
            let ours =
                extension.eq_ignore_ascii_case("sql") || extension.eq_ignore_ascii_case("toml");
            (mode.starts_with("100") && kind == "blob" && ours)
                .then(|| (path.to_owned(), id.to_owned()))
        })
        .collect::<Vec<_>>();
    let ids = entries.iter().map(|(_, id)| id.clone()).collect();
    let bodies = contents(dir, ids)?;
    Ok(entries
        .into_iter()
        .map(|(path, _)| path)
        .zip(bodies)
        .collect())
}

/// The bodies of blobs, in the order of their ids.
fn contents(dir: &Path, ids: Vec<String>) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut child = program(dir)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("failed to run git; install it, or check without --base")?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (Some(mut stdin), Some(stdout)) = (stdin, stdout) else {
        bail!("failed to talk to git");
    };
    let count = ids.len();
    // Asking and reading at once, or both pipes fill up.
    let asking = thread::spawn(move || -> std::io::Result<()> {
        for id in ids {
            writeln!(stdin, "{id}")?;
        }
        Ok(())
    });
    let mut answers = BufReader::new(stdout);
    let mut out = Vec::with_capacity(count);
    for _ in 0..count {
        let mut head = String::new();
        answers.read_line(&mut head)?;
        let size = head
            .split_whitespace()
            .nth(2)
            .and_then(|size| size.parse().ok());
        let Some(size) = size else {
            bail!(
                "git does not have a blob that the tree names: {}",
                head.trim()
            );
        };
        let mut body = vec![0; size];
        answers.read_exact(&mut body)?;
        // A line break ends every answer.
        answers.read_exact(&mut [0])?;
        out.push(body);
    }
    if let Ok(asked) = asking.join() {
        asked.context("failed to ask git for blobs")?;
    }
    child.wait().context("failed to wait for git")?;
    Ok(out)
}

fn git(dir: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = program(dir)
        .args(arguments)
        .output()
        .context("failed to run git; install it, or check without --base")?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout)
            .trim_end_matches('\n')
            .to_owned())
    } else {
        bail!(
            "git {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        )
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a revision's blobs come from git itself"
)]
fn program(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(dir)
        // A repository's own configuration must not run anything.
        .args(["-c", "core.fsmonitor=false", "--no-replace-objects"])
        .stderr(Stdio::piped());
    command
}
