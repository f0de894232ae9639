//! What was not imported, with the reason.

use std::collections::BTreeMap;

use super::SKIPPED_MAX;

/// The longest name in a report, in characters.
const WHAT_CHARS_MAX: usize = 80;

/// Something in the file that was not imported as it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What: a kind and where it has one its title, for example `VTODO “Buy chairs”`.
    pub what: String,
    /// The line of the file, from 1; of the first, where there are several.
    pub line: u32,
    /// How many times the same thing was skipped for the same reason.
    pub times: u32,
    /// One sentence for the host.
    pub why: String,
}

/// Collects what is skipped; the same thing with the same reason is one entry.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Vec<Skipped>,
    places: BTreeMap<(String, String), usize>,
}

impl Log {
    /// Notes what was not imported.
    pub(super) fn add(&mut self, what: impl AsRef<str>, line: u32, why: impl AsRef<str>) {
        let what: String = what
            .as_ref()
            .chars()
            .filter(|c| !crate::value::is_deceptive(*c))
            .take(WHAT_CHARS_MAX)
            .collect();
        let key = if self.entries.len() < SKIPPED_MAX {
            (what, why.as_ref().to_owned())
        } else {
            let rest = "there is more than a report can hold; import the file in parts";
            ("the rest".to_owned(), rest.to_owned())
        };
        let known = self.places.get(&key).copied();
        if let Some(entry) = known.and_then(|at| self.entries.get_mut(at)) {
            entry.times = entry.times.saturating_add(1);
            return;
        }
        self.places.insert(key.clone(), self.entries.len());
        self.entries.push(Skipped {
            what: key.0,
            line,
            times: 1,
            why: key.1,
        });
    }

    /// Everything, by line.
    pub(super) fn finish(mut self) -> Vec<Skipped> {
        self.entries.sort_by_key(|entry| entry.line);
        self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_thing_is_told_once() {
        let mut log = Log::default();
        log.add("ATTENDEE", 9, "a reason");
        log.add("VTODO", 4, "a reason");
        log.add("ATTENDEE", 12, "a reason");
        let told: Vec<_> = log
            .finish()
            .into_iter()
            .map(|entry| (entry.what, entry.line, entry.times))
            .collect();
        assert_eq!(
            told,
            [("VTODO".to_owned(), 4, 1), ("ATTENDEE".to_owned(), 9, 2)]
        );
    }

    #[test]
    fn a_report_is_bounded() {
        let mut log = Log::default();
        for line in 0..u32::try_from(SKIPPED_MAX).unwrap() + 50 {
            log.add(format!("X-{line}"), line, "a reason");
        }
        let told = log.finish();
        assert_eq!(told.len(), SKIPPED_MAX + 1);
        assert_eq!(told.last().unwrap().times, 50);
    }
}
