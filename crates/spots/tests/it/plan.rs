//! `spots plan` and `spots contract` as people type them: what they write, and with which status they end.

mod base;
mod sarif;
mod schema;
mod strange;
mod transcripts;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

fn golden(part: &str) -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    crates.join("spots-plan/tests/golden").join(part)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A folder of its own, with a cache of its own.
struct Repository {
    folder: TempDir,
    cache: TempDir,
}

impl Repository {
    fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            cache: tempfile::tempdir().unwrap(),
        }
    }

    /// The first version of the golden tree.
    fn code() -> Self {
        let repository = Self::empty();
        copy(&golden("v1"), repository.path());
        repository
    }

    /// The same with the plan of the requirements' own examples, frozen and committed.
    fn planned() -> Self {
        let repository = Self::code();
        copy(&golden("plan"), &repository.path().join("plan"));
        assert_eq!(repository.spots(&["contract", "freeze"]).1, 0);
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.commit();
        repository
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn edit(&self, path: &str, from: &str, to: &str) {
        let file = self.path().join(path);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{path} has no {from}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    fn second_version(&self) {
        fs::remove_dir_all(self.path().join("lib")).unwrap();
        copy(&golden("v2"), self.path());
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the test makes a repository with git itself"
    )]
    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@localhost"];
        let output = Command::new("git")
            .args(identity)
            .args(arguments)
            .current_dir(self.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "state"]);
    }

    /// What the command writes, and its status.
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runs the binary as people do"
    )]
    fn spots(&self, arguments: &[&str]) -> (String, i32) {
        let output = Command::new(env!("CARGO_BIN_EXE_spots"))
            .args(arguments)
            .current_dir(self.path())
            .env("SPOTS_CACHE", self.cache.path())
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        let status = output.status.code().unwrap_or(-1);
        (String::from_utf8(text).unwrap(), status)
    }

    /// Command, output and status as one text.
    fn transcript(&self, commands: &[&str]) -> String {
        let mut out = String::new();
        for command in commands {
            let arguments: Vec<&str> = command.split(' ').collect();
            let (said, status) = self.spots(&arguments);
            out.extend([format!("$ spots {command}\n{said}[exit {status}]\n\n")]);
        }
        out
    }

    /// Rules of the errors that the gate finds, with the status.
    fn gate(&self, arguments: &[&str]) -> (Vec<String>, i32) {
        let command = [&["plan", "check", "--format", "json"], arguments].concat();
        let (said, status) = self.spots(&command);
        let report: serde_json::Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        schema::assert_valid(&report);
        let findings = report["findings"].as_array().unwrap();
        let errors = findings
            .iter()
            .filter(|finding| finding["level"] == "error");
        let rule = |finding: &serde_json::Value| finding["rule"].as_str().unwrap().to_owned();
        let mut rules: Vec<String> = errors.map(rule).collect();
        rules.sort();
        rules.dedup();
        (rules, status)
    }
}
