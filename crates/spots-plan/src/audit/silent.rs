//! Patterns that matched nothing: never a silent zero.

use std::collections::{BTreeMap, BTreeSet};

use super::Read;
use super::scan::Scanner;
use crate::tree::Language;

/// A pattern of the team's own that matched nothing in this tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilentPattern {
    /// The pattern's id.
    pub id: String,
    /// What may be wrong.
    pub reason: String,
}

/// A team's own patterns that matched nothing, each with the likeliest cause.
pub(super) fn find(
    scanner: &Scanner,
    reads: &[Read],
    files: &BTreeMap<Language, usize>,
) -> Vec<SilentPattern> {
    let matched = reads
        .iter()
        .map(|read| read.rule.as_str())
        .collect::<BTreeSet<_>>();
    let silent = scanner
        .patterns()
        .iter()
        .filter(|p| p.own && !matched.contains(p.id.as_str()));
    silent
        .map(|pattern| {
            let languages = pattern
                .languages
                .iter()
                .map(|l| l.as_str())
                .collect::<Vec<_>>();
            let seen = pattern
                .languages
                .iter()
                .filter_map(|l| files.get(l))
                .sum::<usize>();
            let reason = if seen == 0 {
                format!("the tree holds no {} file", languages.join(" or "))
            } else if let Some(close) = closest(scanner, &pattern.read) {
                format!(
                    "{:?} occurs in none of {seen} files; did you mean {close:?}?",
                    pattern.read
                )
            } else {
                format!(
                    "{:?} occurs in none of {seen} {} files",
                    pattern.read,
                    languages.join(" or ")
                )
            };
            SilentPattern {
                id: pattern.id.clone(),
                reason,
            }
        })
        .collect()
}

/// A built-in pattern that differs from `read` by two letters at most.
fn closest<'s>(scanner: &'s Scanner, read: &str) -> Option<&'s str> {
    let others = scanner
        .patterns()
        .iter()
        .filter(|pattern| !pattern.own && pattern.read != read);
    others
        .map(|pattern| (distance(&pattern.read, read), pattern.read.as_str()))
        .min()
        .filter(|(distance, _)| *distance <= 2)
        .map(|(_, read)| read)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b = b.chars().collect::<Vec<_>>();
    let mut row = (0..=b.len()).collect::<Vec<_>>();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, to) in row.iter_mut().skip(1).zip(&b) {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = *cell;
            *cell = replaced.min(left + 1).min(diagonal + 1);
            left = *cell;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}
