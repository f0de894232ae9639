//! Findings of one run, in a stable order, with their verdict.

use crate::{Finding, Level, Rule};

/// Which command judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool {
    /// For example `spots migrate check`.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// Something that could not be read, so nothing can be said about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unreadable {
    /// Relative to the tree that was checked.
    pub path: String,
    /// Why, in lowercase, after "could not read: ".
    pub reason: String,
}

/// What a run comes to. Its number is the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All was read and nothing fails.
    Clean = 0,
    /// At least one finding fails the run.
    Findings = 1,
    /// Nothing fails in what could be read, but not all could be.
    CouldNotTell = 2,
}

impl Verdict {
    /// The exit status.
    pub fn code(self) -> u8 {
        self as u8
    }
}

/// All that one run found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which command judged.
    pub tool: Tool,
    /// The rules that ran, whether or not they found anything.
    pub rules: Vec<Rule>,
    findings: Vec<Finding>,
    unreadable: Vec<Unreadable>,
}

impl Report {
    /// A report without findings yet.
    pub fn new(tool: Tool, rules: Vec<Rule>) -> Self {
        Self {
            tool,
            rules,
            findings: Vec::new(),
            unreadable: Vec::new(),
        }
    }

    /// Adds findings; the order of adding does not matter.
    pub fn add(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
        self.findings.sort_by(|a, b| {
            (&a.place, &a.rule, &a.identity, &a.message).cmp(&(
                &b.place,
                &b.rule,
                &b.identity,
                &b.message,
            ))
        });
    }

    /// The same report with `prefix` before every path, for a tree that was checked from outside.
    #[must_use]
    pub fn beneath(mut self, prefix: &str) -> Self {
        let moved = |path: &mut String| path.insert_str(0, prefix);
        for finding in &mut self.findings {
            finding
                .place
                .iter_mut()
                .for_each(|place| moved(&mut place.path));
            for related in &mut finding.related {
                moved(&mut related.place.path);
            }
        }
        for unreadable in &mut self.unreadable {
            moved(&mut unreadable.path);
        }
        self
    }

    /// Names something that could not be read; the same from two sides once.
    pub fn add_unreadable(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        self.unreadable.push(Unreadable {
            path: path.into(),
            reason: reason.into(),
        });
        self.unreadable.sort();
        self.unreadable.dedup();
    }

    /// Findings by place, then rule.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What could not be read, by path.
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// How many findings have this level.
    pub fn count(&self, level: Level) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    }

    /// The verdict; under `strict` a warning fails too.
    pub fn verdict(&self, strict: bool) -> Verdict {
        let bar = if strict { Level::Warning } else { Level::Error };
        if self.findings.iter().any(|finding| finding.level >= bar) {
            Verdict::Findings
        } else if self.unreadable.is_empty() {
            Verdict::Clean
        } else {
            Verdict::CouldNotTell
        }
    }
}
