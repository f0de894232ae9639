//! Moves direct reads over to the injected clock, where that is provably possible.
//!
//! Nothing is guessed: a read that no clock can reach is refused with the reason. What is applied
//! proves itself: the files still parse, and the audit drops by exactly the number applied.

mod class;
mod dart;
mod diff;
mod rust;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::config::Config;
use super::reader::Reader;
use super::scan::Scanner;
use super::{Audit, Kind, Read};
use crate::cache::Cache;
use crate::parse::parse;
use crate::tree::{Language, SourceFile, Tree};
pub use diff::unified;

/// A change of a file's text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edit {
    start: usize,
    end: usize,
    text: String,
}

impl Edit {
    fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Self {
            start: range.start,
            end: range.end,
            text: text.into(),
        }
    }

    fn insert(at: usize, text: impl Into<String>) -> Self {
        Self {
            start: at,
            end: at,
            text: text.into(),
        }
    }
}

/// Changes that only make sense together, and the reads that they replace.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    edits: BTreeMap<String, BTreeSet<Edit>>,
    outcomes: Vec<Outcome>,
}

impl Plan {
    fn edit(&mut self, path: &str, edit: Edit) {
        self.edits.entry(path.to_owned()).or_default().insert(edit);
    }

    fn refuse(&mut self, read: &Read, why: impl Into<String>) {
        self.outcomes.push(Outcome::new(read, false, why));
    }

    fn apply(&mut self, read: &Read, how: impl Into<String>) {
        self.outcomes.push(Outcome::new(read, true, how));
    }

    fn join(&mut self, other: Self) {
        for (path, edits) in other.edits {
            self.edits.entry(path).or_default().extend(edits);
        }
        self.outcomes.extend(other.outcomes);
    }
}

/// What happens to one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Relative to the tree.
    pub path: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// Whether it is replaced.
    pub applied: bool,
    /// How, or why not.
    pub reason: String,
}

impl Outcome {
    fn new(read: &Read, applied: bool, reason: impl Into<String>) -> Self {
        Self {
            path: read.path.clone(),
            line: read.line,
            column: read.column,
            applied,
            reason: reason.into(),
        }
    }
}

/// One file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// Relative to the tree.
    pub path: String,
    /// As it is.
    pub before: String,
    /// As it would be.
    pub after: String,
}

/// A rewrite that has proved itself.
#[derive(Clone, Debug, Default)]
pub struct Rewrite {
    /// Files that change, by path.
    pub files: Vec<Rewritten>,
    /// Every direct read, by place.
    pub outcomes: Vec<Outcome>,
}

/// Why a rewrite is not offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rewrite of {path} did not prove itself ({reason}); nothing was changed")]
pub struct Unproved {
    /// The file.
    pub path: String,
    /// What did not hold.
    pub reason: String,
}

/// What rewriting a tree needs at hand.
pub(super) struct Project<'a> {
    config: &'a Config,
    audit: &'a Audit,
    /// Texts of the Dart and Rust files, by path.
    texts: BTreeMap<String, (Language, String)>,
}

/// Plans the rewrite of all direct reads in Dart and Rust, and proves it.
pub fn rewrite(tree: &Tree, audit: &Audit, config: &Config) -> Result<Rewrite, Unproved> {
    let visited = tree.visit(|file, text| (file.language, text.to_owned()));
    let texts = visited
        .items
        .into_iter()
        .filter(|(file, _)| matches!(file.language, Language::Dart | Language::Rust));
    let texts = texts.map(|(file, text)| (file.path, text)).collect();
    let project = Project {
        config,
        audit,
        texts,
    };
    let mut plan = dart::plan(&project);
    plan.join(rust::plan(&project));
    let mut rewrite = Rewrite::default();
    for (path, edits) in &plan.edits {
        let Some((language, before)) = project.texts.get(path) else {
            continue;
        };
        let after = apply(before, edits).ok_or_else(|| Unproved {
            path: path.clone(),
            reason: "two changes overlap".to_owned(),
        })?;
        let applied = plan
            .outcomes
            .iter()
            .filter(|o| o.applied && o.path == *path)
            .count();
        prove(&project, (path, *language), (before, &after), applied)?;
        rewrite.files.push(Rewritten {
            path: path.clone(),
            before: before.clone(),
            after,
        });
    }
    plan.outcomes
        .sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
    rewrite.outcomes = plan.outcomes;
    Ok(rewrite)
}

impl Rewrite {
    /// How many reads are replaced.
    pub fn applied(&self) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.applied)
            .count()
    }
}

/// The text with all edits; `None` if two overlap.
fn apply(before: &str, edits: &BTreeSet<Edit>) -> Option<String> {
    let mut after = String::with_capacity(before.len());
    let mut at = 0;
    for edit in edits {
        after.push_str(before.get(at..edit.start)?);
        after.push_str(&edit.text);
        at = edit.end;
    }
    after.push_str(before.get(at..)?);
    Some(after)
}

/// The file parses as well as before, and holds exactly `applied` direct reads less.
fn prove(
    project: &Project<'_>,
    (path, language): (&str, Language),
    (before, after): (&str, &str),
    applied: usize,
) -> Result<(), Unproved> {
    let fail = |reason: String| Unproved {
        path: path.to_owned(),
        reason,
    };
    let broken = |text: &str| parse(language, text).is_none_or(|tree| tree.root_node().has_error());
    if broken(after) && !broken(before) {
        return Err(fail("it would no longer parse".to_owned()));
    }
    let scanner = Scanner::new(&project.config.patterns);
    let nothing = Cache::none();
    let reader = Reader::new(&scanner, project.config, &nothing);
    let file = SourceFile::new(path, language);
    let count = |text: &str| {
        let found = super::read_file(&reader, &file, text);
        found.map(|found| {
            found
                .placed
                .iter()
                .filter(|(p, _)| p.kind.is_direct())
                .count()
        })
    };
    let (was, is) = (count(before), count(after));
    let drops = was.zip(is).and_then(|(was, is)| was.checked_sub(is));
    if drops != Some(applied) {
        return Err(fail(format!(
            "{was:?} reads became {is:?}, {applied} were replaced"
        )));
    }
    Ok(())
}

/// The direct reads of a language that no exception explains, by file.
fn reads_of<'a>(project: &Project<'a>, language: Language) -> BTreeMap<&'a str, Vec<&'a Read>> {
    let mut by_file = BTreeMap::<&str, Vec<&Read>>::new();
    for read in &project.audit.reads {
        let is_language = project
            .texts
            .get(&read.path)
            .is_some_and(|(l, _)| *l == language);
        let open = read.exception.is_none() && read.kind.is_direct();
        if is_language && open {
            by_file.entry(&read.path).or_default().push(read);
        }
    }
    by_file
}

/// Why a measured duration is left alone.
fn refuse_elapsed(plan: &mut Plan, read: &Read) -> bool {
    let elapsed = read.kind == Kind::Elapsed;
    if elapsed {
        plan.refuse(
            read,
            "it measures a duration: that wants a stopwatch, not a timestamp",
        );
    }
    elapsed
}
