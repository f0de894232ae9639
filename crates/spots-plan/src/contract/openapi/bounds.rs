//! Bounds of a value: limits, pattern, format.

use super::schema::{LIMITS, Schema};

/// A bound that is not what it was. A changed pattern may be both tighter and looser.
pub(super) struct Bound {
    pub(super) tighter: bool,
    pub(super) looser: bool,
    pub(super) words: String,
}

/// The limits, pattern and format that differ.
pub(super) fn bounds(old: &Schema, new: &Schema) -> Vec<Bound> {
    let words = |key: &str, before: Option<&String>, after: Option<&String>| {
        let shown = |text: Option<&String>| text.map_or_else(|| "none".to_owned(), Clone::clone);
        format!("{key} was {} and is {}", shown(before), shown(after))
    };
    let mut found = Vec::new();
    for (at, key) in LIMITS.iter().enumerate() {
        let lower = at < LIMITS.len() / 2;
        let (before, after) = (old.limits.get(*key), new.limits.get(*key));
        let number = |text: Option<&String>| text.and_then(|text| text.parse::<f64>().ok());
        // No bound is the widest of all.
        let none = if lower {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
        let (was, is) = (
            number(before).unwrap_or(none),
            number(after).unwrap_or(none),
        );
        let (tighter, looser) = if lower {
            (is > was, is < was)
        } else {
            (is < was, is > was)
        };
        if tighter || looser {
            found.push(Bound {
                tighter,
                looser,
                words: words(key, before, after),
            });
        }
    }
    let texts = [
        ("pattern", &old.pattern, &new.pattern),
        ("format", &old.format, &new.format),
    ];
    for (key, before, after) in texts {
        if before != after {
            found.push(Bound {
                tighter: after.is_some(),
                looser: before.is_some(),
                words: words(key, before.as_ref(), after.as_ref()),
            });
        }
    }
    found
}
