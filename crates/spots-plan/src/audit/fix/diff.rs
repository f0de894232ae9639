//! Unified diffs, as `diff -u` and `git diff` write them.

use std::fmt::Write as _;

use super::Rewritten;

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// One changed stretch: lines of the old text, and of the new one.
#[derive(Clone, Copy)]
struct Change {
    old: (usize, usize),
    new: (usize, usize),
}

/// Renders what changes in one file.
pub fn unified(file: &Rewritten) -> String {
    let old = file.before.split_inclusive('\n').collect::<Vec<_>>();
    let new = file.after.split_inclusive('\n').collect::<Vec<_>>();
    let mut out = format!("--- a/{}\n+++ b/{}\n", file.path, file.path);
    let changes = changes(&old, &new);
    for hunk in changes.chunk_by(|one, next| next.old.0 - one.old.1 <= 2 * CONTEXT) {
        render(&mut out, &old, &new, hunk);
    }
    out
}

/// Renders changes that share their context as one hunk.
fn render(out: &mut String, old: &[&str], new: &[&str], hunk: &[Change]) {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
        return;
    };
    let lead = first.old.0.min(CONTEXT);
    let tail = (old.len() - last.old.1).min(CONTEXT);
    let (from, to) = (first.old.0 - lead, last.old.1 + tail);
    let (new_from, new_to) = (first.new.0 - lead, last.new.1 + tail);
    let (removed, added) = (to - from, new_to - new_from);
    writeln!(
        out,
        "@@ -{},{removed} +{},{added} @@",
        from + 1,
        new_from + 1
    )
    .expect("writing to a string cannot fail");
    let mut lines = |sign: char, lines: &[&str], range: (usize, usize)| {
        for line in lines.get(range.0..range.1).unwrap_or_default() {
            let text = line.trim_end_matches('\n');
            let end = if text == *line {
                "\n\\ No newline at end of file"
            } else {
                ""
            };
            writeln!(out, "{sign}{text}{end}").expect("writing to a string cannot fail");
        }
    };
    let mut at = from;
    for change in hunk {
        lines(' ', old, (at, change.old.0));
        lines('-', old, change.old);
        lines('+', new, change.new);
        at = change.old.1;
    }
    lines(' ', old, (at, to));
}

/// Rewrites replace or add lines one by one, so looking a little ahead for the next common line
/// finds the shortest description.
fn changes(old: &[&str], new: &[&str]) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && old.get(i) == new.get(j) {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let (next_i, next_j) = resync(old, new, i, j);
        changes.push(Change {
            old: (i, next_i),
            new: (j, next_j),
        });
        (i, j) = (next_i, next_j);
    }
    changes
}

/// The nearest pair of places from which both texts go on alike.
fn resync(old: &[&str], new: &[&str], i: usize, j: usize) -> (usize, usize) {
    const AHEAD: usize = 200;
    for distance in 1..AHEAD {
        for skip_old in 0..=distance {
            let (a, b) = (i + skip_old, j + distance - skip_old);
            // Two lines alike: one alone may be any brace or blank.
            let alike = old.get(a) == new.get(b) && old.get(a + 1) == new.get(b + 1);
            if a < old.len() && b < new.len() && alike {
                return (a, b);
            }
        }
    }
    (old.len(), new.len())
}
