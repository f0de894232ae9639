//! Documents that say a file uses the clock, beside files that read another one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ignore::WalkBuilder;
use spots_findings::{Finding, Level, Place};

use super::config::{Claims, Config};
use super::rules::FALSE_CLAIM;
use super::{Audit, Read};
use crate::tree::{DEPTH_MAX, Language, Tree, read_text};

/// A claim in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Claim {
    line: u32,
    /// Files and classes that it names.
    subjects: BTreeSet<String>,
}

/// Every claim that the code contradicts: direct reads and no word of the clock.
pub fn claims(tree: &Tree, audit: &Audit, config: &Config) -> Vec<Finding> {
    let mut by_file = BTreeMap::<&str, Vec<&Read>>::new();
    for read in audit.direct().filter(|read| read.exception.is_none()) {
        by_file.entry(&read.path).or_default().push(read);
    }
    by_file.retain(|path, _| !mentions_clock(tree, path, &config.claims));
    let mut findings = Vec::new();
    for (path, text) in documents(tree.root()) {
        for claim in claims_of(&text, &config.claims) {
            findings.extend(judge(&path, &claim, &by_file));
        }
    }
    findings
}

fn judge(document: &str, claim: &Claim, by_file: &BTreeMap<&str, Vec<&Read>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, reads) in by_file {
        let subject = claim.subjects.iter().find(|subject| {
            *file == subject.as_str()
                || file.ends_with(&format!("/{subject}"))
                || reads.iter().any(|read| read.place.class == **subject)
        });
        let (Some(subject), Some(first)) = (subject, reads.first()) else {
            continue;
        };
        let message = format!(
            "The document says that {subject} uses the clock; {file} reads the wall clock {} and \
             never names the clock.",
            times(reads.len()),
        );
        let identity = format!("{document}\t{subject}\t{file}");
        findings.push(
            Finding::new(FALSE_CLAIM.id, Level::Error, identity, message)
                .at(Place::line(document, claim.line))
                .related(
                    Place::at(first.path.clone(), first.line, first.column),
                    "the first read",
                )
                .fix("Migrate the file, or take the claim back."),
        );
    }
    findings
}

fn times(count: usize) -> String {
    if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times")
    }
}

fn mentions_clock(tree: &Tree, path: &str, claims: &Claims) -> bool {
    let file = tree.files().iter().find(|file| file.path == path);
    let text = file
        .and_then(|file| tree.read(file).ok())
        .unwrap_or_default();
    claims.clock.iter().any(|name| text.contains(name.as_str()))
}

/// Markdown documents below `root`, by path.
fn documents(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in WalkBuilder::new(root)
        .max_depth(Some(DEPTH_MAX))
        .build()
        .flatten()
    {
        let is_document = entry.path().extension().is_some_and(|end| end == "md");
        if !is_document || !entry.path().is_file() {
            continue;
        }
        let Ok(inner) = entry.path().strip_prefix(root) else {
            continue;
        };
        let Ok(text) = read_text(entry.path()) else {
            continue;
        };
        found.push((inner.to_string_lossy().replace('\\', "/"), text));
    }
    found.sort();
    found
}

/// The claims of a document: lines that affirm, with what they or their heading name.
fn claims_of(text: &str, words: &Claims) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut heading = BTreeSet::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with('#') {
            heading = subjects(line, words);
        }
        let lower = line.to_lowercase();
        let names_clock = words.clock.iter().any(|name| line.contains(name.as_str()));
        let affirms = words.affirm.iter().any(|word| line.contains(word.as_str()));
        let denies = words.deny.iter().any(|word| lower.contains(word.as_str()));
        if !names_clock || !affirms || denies {
            continue;
        }
        let own = subjects(line, words);
        let subjects = if own.is_empty() { heading.clone() } else { own };
        let line = u32::try_from(index + 1).unwrap_or(u32::MAX);
        claims.push(Claim { line, subjects });
    }
    claims
}

/// File names and class names of a line, without the clock's own.
fn subjects(line: &str, words: &Claims) -> BTreeSet<String> {
    line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '/' | '.' | '-')))
        .map(|word| word.trim_matches(|c| matches!(c, '.' | '-' | '/')))
        .filter(|word| {
            let class = word.starts_with(char::is_uppercase)
                && word.chars().skip(1).any(char::is_uppercase)
                && word.chars().any(char::is_lowercase)
                && word.chars().all(char::is_alphanumeric);
            let file = Language::of_path(word).is_some();
            (class || file) && !words.clock.iter().any(|name| name == word)
        })
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_affirmations_are_claims() {
        let config = Config::parse("", Path::new("plan/clock.toml")).unwrap();
        let text = "\
# PaymentService
- ✅ uses AtomicClockService
- MUST use AtomicClockService
- [ ] `refund.dart` uses AtomicClockService
| lib/a/refund.dart | ✅ AtomicClockService |
";
        let claims = claims_of(text, &config.claims);
        let found = claims.iter().map(|claim| {
            (
                claim.line,
                claim
                    .subjects
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>(),
            )
        });
        assert_eq!(
            found.collect::<Vec<_>>(),
            [(2, vec!["PaymentService"]), (5, vec!["lib/a/refund.dart"])]
        );
    }
}
