//! Every rule of the check, each with a set that breaks it: the finding, its level, its place, its fix.

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::Level;
use spots_migrate::{CheckOptions, FILE_BYTES_MAX, RULES, Sides, check, read_folder};

use crate::support::folder;

type Files = BTreeMap<String, Vec<u8>>;
type Texts = &'static [(&'static str, &'static str)];

fn files(texts: Texts) -> Files {
    texts
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

/// The rule, its level, the files, and the place of the finding.
const ALONE: &[(&str, Level, Texts, &str)] = &[
    (
        "bad-manifest",
        Level::Error,
        &[
            ("1-a/migration.toml", "title = 'A'\nafterr = ['0-b']"),
            ("1-a/up.sql", "SELECT 1"),
        ],
        "1-a/migration.toml:2",
    ),
    (
        "breaking-change",
        Level::Warning,
        &[
            ("1_a.sql", "CREATE TABLE a (id int, n int);"),
            ("2_b.sql", "SELECT 1;\nALTER TABLE a DROP COLUMN n;"),
        ],
        "2_b.sql:2",
    ),
    (
        "constraint-scans",
        Level::Warning,
        &[
            ("1_a.sql", "CREATE TABLE a (id int);"),
            ("2_b.sql", "\nALTER TABLE a ADD CHECK (id > 0);"),
        ],
        "2_b.sql:2",
    ),
    (
        "created-nowhere",
        Level::Error,
        &[("1_a.sql", "SELECT 1;\nINSERT INTO nowhere VALUES (1);")],
        "1_a.sql:2",
    ),
    (
        "cycle",
        Level::Error,
        &[
            ("1-a/migration.toml", "after = ['2-b']"),
            ("1-a/up.sql", "SELECT 1"),
            ("2-b/migration.toml", "after = ['1-a']"),
            ("2-b/up.sql", "SELECT 1"),
        ],
        "1-a/migration.toml:1",
    ),
    (
        "duplicate-number",
        Level::Error,
        &[("1_a.sql", "SELECT 1"), ("1_b.sql", "SELECT 1")],
        "1_b.sql:1",
    ),
    (
        "duplicate-object",
        Level::Error,
        &[
            ("1_a.sql", "CREATE TABLE a (id int);"),
            ("2_b.sql", "\n\nCREATE TABLE a (id int);"),
        ],
        "2_b.sql:3",
    ),
    (
        "empty-script",
        Level::Error,
        &[("1_a.sql", "-- nothing\n")],
        "1_a.sql:1",
    ),
    (
        "index-blocks-writes",
        Level::Warning,
        &[
            ("1_a.sql", "CREATE TABLE a (id int);"),
            ("2_b.sql", "\nCREATE INDEX i ON a (id);"),
        ],
        "2_b.sql:2",
    ),
    (
        "not-in-transaction",
        Level::Error,
        &[
            ("1-a/migration.toml", ""),
            (
                "1-a/up.postgres.sql",
                "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);",
            ),
        ],
        "1-a/up.postgres.sql:2",
    ),
    (
        "not-null-scans",
        Level::Warning,
        &[
            ("1_a.sql", "CREATE TABLE a (id int);"),
            ("2_b.sql", "\nALTER TABLE a ALTER id SET NOT NULL;"),
        ],
        "2_b.sql:2",
    ),
    (
        "not-null-without-default",
        Level::Warning,
        &[
            ("1_a.sql", "CREATE TABLE a (id int);"),
            ("2_b.sql", "\nALTER TABLE a ADD n int NOT NULL;"),
        ],
        "2_b.sql:2",
    ),
    (
        "phases-write-same",
        Level::Error,
        &[
            ("1-a/migration.toml", "phase = '7'"),
            ("1-a/up.sql", "CREATE TABLE a (id int);"),
            ("2-b/migration.toml", "phase = '7.3'"),
            ("2-b/up.sql", "ALTER TABLE a ADD b int;"),
            ("3-c/migration.toml", "phase = '9'"),
            ("3-c/up.sql", "SELECT 1;\nALTER TABLE a ADD c int;"),
        ],
        "3-c/up.sql:2",
    ),
    (
        "smallest-moves",
        Level::Note,
        &[
            ("1_a.sql", "CREATE TABLE a (b int REFERENCES b (id));"),
            ("2_b.sql", "CREATE TABLE b (id int PRIMARY KEY);"),
        ],
        "2_b.sql:1",
    ),
    (
        "stray-file",
        Level::Warning,
        &[
            ("1-a/migration.toml", ""),
            ("1-a/up.sql", "SELECT 1"),
            ("1-a/upp.sql", "SELECT 1"),
        ],
        "1-a/upp.sql:1",
    ),
    (
        "syntax-error",
        Level::Error,
        &[("1_a.sql", "SELECT 1;\nCREATE TABEL a (id int);")],
        "1_a.sql:2",
    ),
    (
        "transaction-in-script",
        Level::Error,
        &[("1_a.sql", "SELECT 1;\nCOMMIT;\nSELECT 2;")],
        "1_a.sql:2",
    ),
    (
        "type-change-rewrites",
        Level::Warning,
        &[
            ("1_a.sql", "CREATE TABLE a (id int);"),
            ("2_b.sql", "\nALTER TABLE a ALTER id TYPE bigint;"),
        ],
        "2_b.sql:2",
    ),
    (
        "unknown-dependency",
        Level::Error,
        &[
            ("1-a/migration.toml", "after = ['0-z']"),
            ("1-a/up.sql", "SELECT 1"),
        ],
        "1-a/migration.toml:1",
    ),
    (
        "unreadable-sql",
        Level::Error,
        &[("1_a.sql", "SELECT 1;\n\nDO $$ BEGIN")],
        "1_a.sql:3",
    ),
    (
        "use-after-drop",
        Level::Error,
        &[
            ("1_a.sql", "CREATE TABLE a (id int);\nDROP TABLE a;"),
            ("2_b.sql", "\nINSERT INTO a VALUES (1);"),
        ],
        "2_b.sql:2",
    ),
    (
        "use-after-rename",
        Level::Error,
        &[
            (
                "1_a.sql",
                "CREATE TABLE a (id int);\nALTER TABLE a RENAME TO b;",
            ),
            ("2_b.sql", "\nINSERT INTO a VALUES (1);"),
        ],
        "2_b.sql:2",
    ),
    (
        "used-before-created",
        Level::Error,
        &[
            ("1_a.sql", "SELECT 1;\nINSERT INTO b VALUES (1);"),
            ("2_b.sql", "CREATE TABLE b (id int);"),
        ],
        "1_a.sql:2",
    ),
];

/// The rule, its level, the common state, what is added there and here, and the place.
const SIDES: &[(&str, Level, [Texts; 3], &str)] = &[
    (
        "branches-write-same",
        Level::Error,
        [
            &[("1_a.sql", "CREATE TABLE a (id int);")],
            &[("2_b.sql", "ALTER TABLE a ADD n int;")],
            &[("3_c.sql", "SELECT 1;\nALTER TABLE a ADD n text;")],
        ],
        "3_c.sql:2",
    ),
    (
        "branches-touch-same",
        Level::Warning,
        [
            &[("1_a.sql", "CREATE TABLE a (id int);")],
            &[("2_b.sql", "ALTER TABLE a RENAME TO b;")],
            &[("3_c.sql", "SELECT 1;\nCREATE VIEW v AS SELECT id FROM a;")],
        ],
        "3_c.sql:2",
    ),
    (
        "edited-after-release",
        Level::Error,
        [
            &[],
            &[("1_a.sql", "CREATE TABLE a (id int);")],
            &[("1_a.sql", "CREATE TABLE a (id bigint);")],
        ],
        "1_a.sql:1",
    ),
    (
        "order-changed",
        Level::Error,
        [
            &[],
            &[
                ("1-a/migration.toml", ""),
                ("1-a/up.sql", "SELECT 1"),
                ("2-b/migration.toml", ""),
                ("2-b/up.sql", "SELECT 1"),
            ],
            &[
                ("1-a/migration.toml", "after = ['2-b']"),
                ("1-a/up.sql", "SELECT 1"),
                ("2-b/migration.toml", ""),
                ("2-b/up.sql", "SELECT 1"),
            ],
        ],
        "2-b/migration.toml:1",
    ),
    (
        "overtakes-release",
        Level::Warning,
        [
            &[("1_a.sql", "SELECT 1"), ("9_z.sql", "SELECT 1")],
            &[],
            &[("3_c.sql", "SELECT 1")],
        ],
        "3_c.sql:1",
    ),
];

fn report(files: &Files, sides: Option<Sides<'_>>) -> Vec<(String, Level, String, bool)> {
    let options = CheckOptions {
        sides,
        ..CheckOptions::default()
    };
    let report = check(files, Vec::new(), &options);
    let found = report.findings().iter().map(|finding| {
        let place = finding.place.as_ref().expect("every finding has a place");
        (
            finding.rule.clone(),
            finding.level,
            format!("{}:{}", place.path, place.line),
            finding.fix.is_some(),
        )
    });
    found.collect()
}

fn expect(found: &[(String, Level, String, bool)], (rule, level, place): (&str, Level, &str)) {
    let wanted = (rule.to_owned(), level, place.to_owned(), true);
    assert!(found.contains(&wanted), "{wanted:?} in {found:?}");
    let others = found.iter().filter(|one| one.0 == rule);
    assert!(
        others.clone().count() <= 2,
        "{rule} once or twice: {found:?}"
    );
}

#[test]
fn every_rule_has_a_set_that_breaks_it() {
    let mut shown = BTreeSet::from([
        "oversized-file".to_owned(),
        "removed-after-release".to_owned(),
        "unreadable-file".to_owned(),
    ]);
    for (rule, level, texts, place) in ALONE {
        expect(&report(&files(texts), None), (rule, *level, place));
        shown.insert((*rule).to_owned());
    }
    for (rule, level, [common, there, here], place) in SIDES {
        let with = |more: Texts| [files(common), files(more)].into_iter().flatten().collect();
        let (ancestor, base, ours) = (files(common), with(there), with(here));
        let sides = Sides {
            name: "main",
            base: &base,
            ours: &ours,
            ancestor: &ancestor,
        };
        expect(&report(&ours, Some(sides)), (rule, *level, place));
        shown.insert((*rule).to_owned());
    }
    let rules = RULES.iter().map(|rule| rule.id.to_owned());
    assert_eq!(shown, rules.collect::<BTreeSet<_>>());
}

#[test]
fn what_was_released_and_is_gone_is_found_unless_the_other_side_added_it() {
    let released = files(&[("1_a.sql", "SELECT 1"), ("2_b.sql", "SELECT 1")]);
    let here = files(&[("1_a.sql", "SELECT 1")]);
    let sides = |ancestor| Sides {
        name: "main",
        base: &released,
        ours: &here,
        ancestor,
    };
    let gone = report(&here, Some(sides(&released)));
    expect(&gone, ("removed-after-release", Level::Error, "2_b.sql:1"));
    assert!(report(&here, Some(sides(&here))).is_empty());
}

#[test]
fn a_file_of_fifty_megabytes_is_one_finding_and_is_not_read() {
    let dir = folder();
    let set = dir.path().join("1-a");
    std::fs::create_dir(&set).unwrap();
    std::fs::write(set.join("migration.toml"), "").unwrap();
    let file = std::fs::File::create(set.join("up.sql")).unwrap();
    file.set_len(50 * 1024 * 1024).unwrap();
    assert!(file.metadata().unwrap().len() > FILE_BYTES_MAX);
    let (files, unread) = read_folder(dir.path());
    assert!(!files.contains_key("1-a/up.sql"));
    let report = check(&files, unread, &CheckOptions::default());
    let found = report.findings();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].rule, "oversized-file");
    assert_eq!(found[0].place.as_ref().unwrap().path, "1-a/up.sql");
    assert!(report.unreadable().is_empty());
}

#[test]
fn bytes_that_are_no_text_are_one_finding_on_their_line() {
    for (bytes, place) in [
        (b"SELECT 1;\nSELECT '\xe9';".as_slice(), "1-a/up.sql:2"),
        (b"SELECT 1;\n\n\0", "1-a/up.sql:3"),
    ] {
        let mut set = files(&[("1-a/migration.toml", "")]);
        set.insert("1-a/up.sql".to_owned(), bytes.to_vec());
        let found = report(&set, None);
        assert_eq!(found.len(), 1, "{found:?}");
        expect(&found, ("unreadable-file", Level::Error, place));
    }
}
