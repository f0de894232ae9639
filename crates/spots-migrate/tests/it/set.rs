//! Reading sets.

use spots_migrate::{Dialect, MigrationSet};

use crate::support::set;

fn findings(files: &[(&str, &str)]) -> Vec<(String, String, u32)> {
    MigrationSet::from_embedded(files)
        .unwrap_err()
        .findings
        .into_iter()
        .map(|finding| {
            let place = finding.place.unwrap();
            (finding.rule, place.path, place.line)
        })
        .collect()
}

#[test]
fn declared_order_wins_over_ids_and_ties_go_by_id() {
    let set = set(&[
        ("0010-a", "after = ['0030-c']", "SELECT 1", ""),
        ("0020-b", "", "SELECT 1", ""),
        ("0030-c", "", "SELECT 1", ""),
    ]);
    let ids = set
        .migrations()
        .iter()
        .map(|migration| migration.id.as_str())
        .collect::<Vec<_>>();
    assert_eq!(ids, ["0020-b", "0030-c", "0010-a"]);
}

#[test]
fn a_gated_phase_comes_after_all_of_the_phase_that_it_waits_for() {
    let order = |gates: &str| {
        let set = MigrationSet::from_embedded(&[
            ("set.toml", gates),
            ("1-tables/migration.toml", "phase = '9'"),
            ("1-tables/up.sql", "SELECT 1"),
            ("2-agents/migration.toml", "phase = '7.3'"),
            ("2-agents/up.sql", "SELECT 1"),
            ("3-more/migration.toml", ""),
            ("3-more/up.sql", "SELECT 1"),
        ])
        .unwrap();
        let ids = set.migrations().iter().map(|one| one.id.clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(order(""), ["1-tables", "2-agents", "3-more"]);
    assert_eq!(
        order("[phases]\n9 = ['7.3']"),
        ["2-agents", "1-tables", "3-more"],
        "the phase waits, and what has none keeps its place"
    );
    let round = findings(&[
        ("set.toml", "[phases]\n9 = ['7.3']"),
        ("1-tables/migration.toml", "phase = '9'"),
        ("1-tables/up.sql", "SELECT 1"),
        (
            "2-agents/migration.toml",
            "phase = '7.3'\nafter = ['1-tables']",
        ),
        ("2-agents/up.sql", "SELECT 1"),
    ]);
    let cycle = ("cycle".to_owned(), "2-agents/migration.toml".to_owned(), 1);
    assert_eq!(round, [cycle]);
}

#[test]
fn a_variant_is_preferred_and_line_ends_do_not_change_checksums() {
    let unix = MigrationSet::from_embedded(&[
        ("1/migration.toml", ""),
        ("1/up.sql", "SELECT 1;\n"),
        ("1/up.postgres.sql", "SELECT 2;\n"),
    ])
    .unwrap();
    let windows = MigrationSet::from_embedded(&[
        ("1/migration.toml", ""),
        ("1/up.sql", "\u{feff}SELECT 1;\r\n"),
        ("1/up.postgres.sql", "SELECT 3;\r\n"),
    ])
    .unwrap();
    assert_eq!(
        unix.checksum(Dialect::Sqlite),
        windows.checksum(Dialect::Sqlite)
    );
    assert_ne!(
        unix.checksum(Dialect::Postgres),
        windows.checksum(Dialect::Postgres)
    );
}

#[test]
fn what_is_wrong_has_file_and_line() {
    assert_eq!(
        findings(&[
            ("1/migration.toml", "title = 'x'\nphasse = '9'"),
            ("1/up.sql", "SELECT 1")
        ]),
        [("bad-manifest".into(), "1/migration.toml".into(), 2)]
    );
    assert_eq!(
        findings(&[("1/up.sql", "SELECT 1")]),
        [("bad-manifest".into(), "1/migration.toml".into(), 1)]
    );
    assert_eq!(
        findings(&[
            ("1/migration.toml", "after = ['2']"),
            ("1/up.sql", "SELECT 1")
        ]),
        [("unknown-dependency".into(), "1/migration.toml".into(), 1)]
    );
    let cycle = findings(&[
        ("1/migration.toml", "after = ['2']"),
        ("1/up.sql", "SELECT 1"),
        ("2/migration.toml", "after = ['1']"),
        ("2/up.sql", "SELECT 1"),
    ]);
    assert_eq!(cycle[0].0, "cycle");
}

#[test]
fn scripts_that_would_tear_change_and_record_are_refused() {
    for (up, rule, line) in [
        ("SELECT 1;\nCOMMIT;", "transaction-in-script", 2),
        ("-- nothing\n", "empty-script", 1),
        (
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            "not-in-transaction",
            1,
        ),
        ("SELECT 1;\n\nSELECT $$ open", "unreadable-sql", 3),
        ("SELECT 1;\n\\i other.sql", "unreadable-sql", 2),
    ] {
        let set = set(&[("1", "", up, "")]);
        let error = set.check_scripts(Dialect::Postgres).unwrap_err();
        let finding = &error.findings[0];
        assert_eq!(finding.rule, rule, "{up}");
        assert_eq!(finding.place.as_ref().unwrap().line, line, "{up}");
    }
}
