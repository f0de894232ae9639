//! Other tools' folders, read as they are.

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::{Finding, Level, Place};

use crate::set::{Files, Loaded, in_transaction_refused, load_spots};
use crate::split::split;
use crate::{Dialect, Migration, Rollback, Script, Source};

/// How a folder of migrations is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The project's own: a folder per migration.
    Spots,
    /// Supabase: `20240131120000_name.sql`, in the order of file names.
    Supabase,
    /// Flyway: `V1.2__name.sql`, `U1.2__name.sql`, `R__name.sql`.
    Flyway,
    /// sqlx: `1_name.sql`, or `1_name.up.sql` and `1_name.down.sql`.
    Sqlx,
    /// golang-migrate's `.up.sql` and `.down.sql`, dbmate's `-- migrate:up` and `-- migrate:down`.
    Pair,
}

impl Layout {
    /// All, in the order of their words.
    pub const ALL: [Self; 5] = [
        Self::Spots,
        Self::Supabase,
        Self::Flyway,
        Self::Sqlx,
        Self::Pair,
    ];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spots => "spots",
            Self::Supabase => "supabase",
            Self::Flyway => "flyway",
            Self::Sqlx => "sqlx",
            Self::Pair => "pair",
        }
    }

    /// The layout that the names of the files show.
    pub fn detect(files: &BTreeMap<String, Vec<u8>>) -> Self {
        let names = || files.keys().filter_map(|path| path.rsplit('/').next());
        if names().any(|name| name == "migration.toml") {
            Self::Spots
        } else if names().any(|name| flyway_name(name).is_some()) {
            Self::Flyway
        } else if names().any(|name| name.ends_with(".up.sql"))
            || files.values().any(|bytes| has_marker(bytes))
        {
            Self::Pair
        } else if numbers_say_otherwise(names()) {
            Self::Sqlx
        } else {
            Self::Supabase
        }
    }
}

/// Whether the numbers of the files give another order than their names as text: `2_b`, `10_c`.
fn numbers_say_otherwise<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let mut numbers = names
        .filter(|name| is_sql(name))
        .filter_map(|name| {
            let digits = name.bytes().take_while(u8::is_ascii_digit).count();
            let number = name.get(..digits)?;
            Some((number.parse::<u128>().ok()?, number))
        })
        .collect::<Vec<_>>();
    numbers.sort_unstable();
    !numbers.is_sorted_by_key(|(_, text)| *text)
}

fn has_marker(bytes: &[u8]) -> bool {
    bytes.starts_with(b"-- migrate:up") || find(bytes, b"\n-- migrate:up").is_some()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// Reads files in a layout.
pub(crate) fn load(files: &Files, layout: Layout) -> Loaded {
    if layout == Layout::Spots {
        return load_spots(files);
    }
    let mut numbered = BTreeMap::<Key, Vec<Scripts>>::new();
    let mut loaded = Loaded::default();
    for (path, bytes) in files.iter().filter(|(path, _)| is_sql(path)) {
        let name = path.rsplit('/').next().unwrap_or(path);
        let nested = path.contains('/') && layout != Layout::Flyway;
        let Some(parsed) = parse(name, layout).filter(|_| !nested) else {
            loaded.findings.push(stray(path));
            continue;
        };
        match Source::from_bytes(path, bytes) {
            Ok(source) => place(&mut numbered, parsed, source),
            Err(finding) => loaded.findings.push(*finding),
        }
    }
    for (key, scripts) in numbered {
        duplicates(&key, &scripts, &mut loaded.findings);
        loaded.migrations.extend(
            scripts
                .into_iter()
                .filter_map(|scripts| migration(scripts, layout)),
        );
    }
    loaded
}

fn is_sql(path: &str) -> bool {
    std::path::Path::new(path)
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
}

/// Where a file stands in the order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    /// Numbers between dots and underscores, compared one by one.
    Version(Vec<u128>),
    /// File names, compared as text.
    Text(String),
    /// After everything that has a version.
    Repeatable(String),
}

struct Parsed {
    key: Key,
    stem: String,
    down: bool,
}

struct Scripts {
    stem: String,
    up: Option<Source>,
    down: Option<Source>,
}

fn parse(name: &str, layout: Layout) -> Option<Parsed> {
    let stem = name.get(..name.len().checked_sub(4)?)?;
    if layout == Layout::Flyway {
        return flyway_name(name);
    }
    let (stem, down) = if let Some(stem) = stem.strip_suffix(".up") {
        (stem, false)
    } else if let Some(stem) = stem.strip_suffix(".down") {
        (stem, true)
    } else {
        (stem, false)
    };
    let digits = stem.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = stem.split_at_checked(digits)?;
    let separated = rest.is_empty() || rest.starts_with(['_', '-', '.']);
    if !separated {
        return None;
    }
    let number = number.parse().ok()?;
    let key = match layout {
        Layout::Supabase => Key::Text(stem.get(..digits)?.to_owned()),
        _ => Key::Version(vec![number]),
    };
    Some(Parsed {
        key,
        stem: stem.to_owned(),
        down,
    })
}

fn flyway_name(name: &str) -> Option<Parsed> {
    let stem = name.strip_suffix(".sql")?;
    let (head, description) = stem.split_once("__")?;
    if head == "R" {
        return Some(Parsed {
            key: Key::Repeatable(description.to_owned()),
            stem: stem.to_owned(),
            down: false,
        });
    }
    let kind = head.get(..1)?;
    let version = head.get(1..)?;
    if !matches!(kind, "V" | "U" | "B") || version.is_empty() {
        return None;
    }
    let numbers = version
        .split(['.', '_'])
        .map(|number| number.parse().ok())
        .collect::<Option<Vec<u128>>>()?;
    Some(Parsed {
        key: Key::Version(numbers),
        stem: stem.to_owned(),
        down: kind == "U",
    })
}

fn place(numbered: &mut BTreeMap<Key, Vec<Scripts>>, parsed: Parsed, source: Source) {
    let list = numbered.entry(parsed.key).or_default();
    let same = |scripts: &Scripts| {
        // Flyway's undo has a letter and a description of its own.
        scripts.stem == parsed.stem || parsed.stem.starts_with('U') || scripts.stem.starts_with('U')
    };
    let wanted = |scripts: &Scripts| {
        if parsed.down {
            scripts.down.is_none()
        } else {
            scripts.up.is_none()
        }
    };
    let at = list
        .iter()
        .position(|scripts| same(scripts) && wanted(scripts));
    let at = at.unwrap_or_else(|| {
        list.push(Scripts {
            stem: parsed.stem.clone(),
            up: None,
            down: None,
        });
        list.len() - 1
    });
    let Some(scripts) = list.get_mut(at) else {
        return;
    };
    if parsed.down {
        scripts.down = Some(source);
    } else {
        scripts.stem = parsed.stem;
        scripts.up = Some(source);
    }
}

fn duplicates(key: &Key, scripts: &[Scripts], findings: &mut Vec<Finding>) {
    let files = scripts.iter().filter_map(|scripts| scripts.up.as_ref());
    let files = files.collect::<Vec<_>>();
    let (Some(first), Key::Version(_) | Key::Text(_)) = (files.first(), key) else {
        return;
    };
    for file in files.iter().skip(1) {
        let message = format!("{} has the number of {}.", file.path(), first.path());
        findings.push(
            Finding::new("duplicate-number", Level::Error, file.path(), message)
                .at(Place::file(file.path()))
                .related(Place::file(first.path()), "has it too")
                .fix("Give it a number of its own, after every other."),
        );
    }
}

fn migration(scripts: Scripts, layout: Layout) -> Option<Migration> {
    let up = scripts.up?;
    let marked = layout != Layout::Flyway && has_marker(up.text().as_bytes());
    let (up, down) = if marked {
        let (up, down) = cut_at_markers(&up);
        (up, down.or(scripts.down))
    } else {
        (up, scripts.down)
    };
    let head = up.text().lines().take(3).collect::<String>();
    let asked = head.contains("no-transaction") || head.contains("transaction:false");
    let transactional = !asked && !needs_steps(&up);
    let path = up.path().to_owned();
    Some(Migration {
        title: scripts.stem.clone(),
        id: scripts.stem,
        phase: None,
        after: BTreeSet::new(),
        breaking: false,
        transactional,
        backfill: None,
        rollback: Rollback::default(),
        invariants: Vec::new(),
        changes: BTreeSet::new(),
        path,
        up: Script::plain(unwrapped(up)),
        down: down.map(unwrapped).map(Script::plain).unwrap_or_default(),
        verify: Script::default(),
    })
}

fn needs_steps(source: &Source) -> bool {
    split(source.text(), Dialect::Postgres).is_ok_and(|statements| {
        statements
            .iter()
            .any(|statement| in_transaction_refused(statement, Dialect::Postgres).is_some())
    })
}

/// Cuts a dbmate file in two; blank lines keep the numbers of lines right.
fn cut_at_markers(source: &Source) -> (Source, Option<Source>) {
    let text = source.text();
    let Some(at) = text.find("-- migrate:down") else {
        return (source.clone(), None);
    };
    let (up, down) = text.split_at(at);
    let blank = "\n".repeat(up.matches('\n').count());
    (
        source.with_text(up.to_owned()),
        Some(source.with_text(format!("{blank}{down}"))),
    )
}

/// A script inside one BEGIN … COMMIT, without them: the engine opens the transaction.
fn unwrapped(source: Source) -> Source {
    let Ok(statements) = split(source.text(), Dialect::Postgres) else {
        return source;
    };
    let control = |word: &str| {
        matches!(
            word,
            "BEGIN" | "START" | "COMMIT" | "END" | "ROLLBACK" | "ABORT"
        )
    };
    let controls = statements
        .iter()
        .filter(|statement| statement.words.first().is_some_and(|word| control(word)))
        .count();
    let (Some(first), Some(last)) = (statements.first(), statements.last()) else {
        return source;
    };
    let opens = first.begins(&["BEGIN"]) || first.begins(&["START", "TRANSACTION"]);
    let closes = last.begins(&["COMMIT"]) || last.begins(&["END"]);
    if !(controls == 2 && opens && closes) {
        return source;
    }
    let mut text = source.text().to_owned();
    for statement in [last, first] {
        let blank = " ".repeat(statement.end - statement.start);
        text.replace_range(statement.start..statement.end, &blank);
    }
    source.with_text(text)
}

fn stray(path: &str) -> Finding {
    let message = format!("{path} has no number and is never run.");
    Finding::new("stray-file", Level::Warning, path, message)
        .at(Place::file(path))
        .fix("Give it a number, or move it elsewhere.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(files: &[(&str, &str)], layout: Layout) -> Vec<String> {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
            .collect();
        assert_eq!(Layout::detect(&files), layout);
        load(&files, layout)
            .migrations
            .into_iter()
            .map(|migration| migration.id)
            .collect()
    }

    #[test]
    fn versions_are_ordered_as_their_tools_order_them() {
        assert_eq!(
            ids(
                &[
                    ("V10__c.sql", "SELECT 1"),
                    ("V1.2__b.sql", "SELECT 1"),
                    ("V1__a.sql", "SELECT 1"),
                    ("U1__a.sql", "SELECT 1"),
                    ("R__views.sql", "SELECT 1")
                ],
                Layout::Flyway
            ),
            ["V1__a", "V1.2__b", "V10__c", "R__views"]
        );
        assert_eq!(
            ids(
                &[
                    ("10_b.up.sql", "SELECT 1"),
                    ("10_b.down.sql", "SELECT 1"),
                    ("2_a.up.sql", "SELECT 1")
                ],
                Layout::Pair
            ),
            ["2_a", "10_b"]
        );
        assert_eq!(
            ids(
                &[
                    ("1_a.sql", "SELECT 1"),
                    ("10_c.sql", "SELECT 1"),
                    ("2_b.sql", "SELECT 1")
                ],
                Layout::Sqlx
            ),
            ["1_a", "2_b", "10_c"],
            "numbers of different lengths are meant as numbers"
        );
        assert_eq!(
            ids(
                &[("0001_a.sql", "SELECT 1"), ("0002_b.sql", "SELECT 1")],
                Layout::Supabase
            ),
            ["0001_a", "0002_b"]
        );
    }

    #[test]
    fn a_marked_file_is_cut_and_keeps_its_lines() {
        let source = Source::from_bytes(
            "1_a.sql",
            b"-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;",
        )
        .unwrap();
        let (up, down) = cut_at_markers(&source);
        assert_eq!(up.text(), "-- migrate:up\nSELECT 1;\n");
        assert_eq!(down.unwrap().text(), "\n\n-- migrate:down\nSELECT 2;");
    }

    #[test]
    fn a_transaction_around_the_whole_file_is_the_engines() {
        let source = Source::from_bytes("1_a.sql", b"BEGIN;\nSELECT 1;\nCOMMIT;").unwrap();
        assert_eq!(unwrapped(source).text(), "     ;\nSELECT 1;\n      ;");
    }
}
