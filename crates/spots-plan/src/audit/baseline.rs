//! The ratchet: reads that were there before the mandate, which may only become fewer.
//!
//! A read is known by its class, its member and the text of its statement, with multiplicity:
//! moved files and shifted lines change nothing, a swap does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Audit, Read};

/// Where the baseline lies, relative to the tree.
pub const BASELINE_PATH: &str = "plan/clock.baseline";

/// Keeps git from calling two removals in one place a conflict; lies beside the baseline.
pub const ATTRIBUTES_PATH: &str = "plan/.gitattributes";

/// The line of [`ATTRIBUTES_PATH`] that does so.
pub const ATTRIBUTES_LINE: &str = "clock.baseline merge=union";

/// A baseline with more entries than this is refused.
pub const ENTRIES_MAX: usize = 1_000_000;

const HEAD: &str = "\
# Reads of the wall clock that were here before the mandate, one entry a line:
# class and member, statement, how often; then, if it was accepted later, why.
# It only shrinks: `spots clock baseline` drops what is fixed, --accept REASON adds.
";

/// Class and member, then the statement.
pub type Identity = (String, String);

/// How often, and why it was accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// How many such reads.
    pub count: usize,
    /// Why it came in after the mandate.
    pub reason: Option<String>,
}

/// The reads that may be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// By identity.
    pub entries: BTreeMap<Identity, Entry>,
}

/// Why a baseline cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{BASELINE_PATH}:{line}: {reason}")]
pub struct BaselineError {
    /// From 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub reason: &'static str,
}

/// What differs between a baseline and the code.
#[derive(Clone, Debug, Default)]
pub struct Comparison<'a> {
    /// Reads beyond the baseline, with how many such reads there are and may be.
    pub new: Vec<NewReads<'a>>,
    /// Entries beyond the reads, with how many of each are gone.
    pub stale: Vec<(Identity, usize)>,
}

/// Reads of one identity, of which there are too many.
#[derive(Clone, Debug)]
pub struct NewReads<'a> {
    /// All of them: which one is new, their text cannot tell.
    pub reads: Vec<&'a Read>,
    /// How many the baseline allows.
    pub allowed: usize,
}

impl Baseline {
    /// The reads of an audit that the ratchet holds down.
    pub fn of(audit: &Audit) -> Self {
        let mut baseline = Self::default();
        for read in audit.ratcheted() {
            baseline.entries.entry(identity(read)).or_default().count += 1;
        }
        baseline
    }

    /// Reads the file's text. Lines may come in any order, as a merge leaves them.
    pub fn parse(text: &str) -> Result<Self, BaselineError> {
        let mut baseline = Self::default();
        for (index, line) in text.lines().enumerate() {
            let fail = |reason| BaselineError {
                line: index + 1,
                reason,
            };
            if ["<<<<<<<", "=======", ">>>>>>>"]
                .iter()
                .any(|mark| line.starts_with(mark))
            {
                return Err(fail("an unresolved merge; keep the entries of both sides"));
            }
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let mut columns = line.split('\t');
            let (Some(scope), Some(text), Some(count)) =
                (columns.next(), columns.next(), columns.next())
            else {
                return Err(fail(
                    "not an entry: class and member, statement, count, with tabs",
                ));
            };
            let count = count
                .trim()
                .parse()
                .map_err(|_bad| fail("the count is not a number"))?;
            let entry = baseline
                .entries
                .entry((scope.to_owned(), text.to_owned()))
                .or_default();
            // A merge may leave both sides of one entry: neither side knew more than this.
            entry.count = entry.count.max(count);
            let reason = columns
                .next()
                .map(str::trim)
                .filter(|reason| !reason.is_empty());
            entry.reason = reason.map(str::to_owned).or(entry.reason.take());
            if baseline.entries.len() > ENTRIES_MAX {
                return Err(fail("more entries than there may be"));
            }
        }
        Ok(baseline)
    }

    /// Writes the file's text: sorted, one entry a line.
    pub fn render(&self) -> String {
        let mut out = HEAD.to_owned();
        for ((scope, text), entry) in &self.entries {
            let reason = entry
                .reason
                .as_ref()
                .map_or(String::new(), |reason| format!("\t{reason}"));
            writeln!(out, "{scope}\t{text}\t{}{reason}", entry.count)
                .expect("writing to a string cannot fail");
        }
        out
    }

    /// Compares with the code as it is.
    pub fn compare<'a>(&self, audit: &'a Audit) -> Comparison<'a> {
        let mut found = BTreeMap::<Identity, Vec<&Read>>::new();
        for read in audit.ratcheted() {
            found.entry(identity(read)).or_default().push(read);
        }
        let stale = self.entries.iter().filter_map(|(identity, entry)| {
            let there = found.get(identity).map_or(0, Vec::len);
            let gone = entry.count.checked_sub(there).filter(|gone| *gone > 0)?;
            Some((identity.clone(), gone))
        });
        let stale = stale.collect();
        let new = found.into_iter().filter_map(|(identity, reads)| {
            let allowed = self.entries.get(&identity).map_or(0, |entry| entry.count);
            (reads.len() > allowed).then_some(NewReads { reads, allowed })
        });
        Comparison {
            new: new.collect(),
            stale,
        }
    }

    /// The baseline for the code as it is: without what is gone, with what is new and why.
    #[must_use]
    pub fn renewed(&self, audit: &Audit, reason: Option<&str>) -> Self {
        let mut renewed = Self::of(audit);
        for (identity, entry) in &mut renewed.entries {
            let before = self.entries.get(identity);
            let grew = before.is_none_or(|before| before.count < entry.count);
            let reason = reason.filter(|_| grew).map(one_line);
            entry.reason = reason.or_else(|| before.and_then(|before| before.reason.clone()));
        }
        renewed
    }
}

impl NewReads<'_> {
    /// How many are too many.
    pub fn surplus(&self) -> usize {
        self.reads.len().saturating_sub(self.allowed)
    }
}

fn identity(read: &Read) -> Identity {
    (one_line(&read.scope()), one_line(&read.place.text))
}

/// Text that stays in its column and its line.
fn one_line(text: &str) -> String {
    text.split(['\t', '\n', '\r']).collect::<Vec<_>>().join(" ")
}
