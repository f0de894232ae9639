//! Rehearsals find what would be lost before it is.

use rusqlite::Connection;
use spots_migrate::{MigrationSet, Rehearsal, postgres, sqlite};

use crate::support::cluster::{self, Cluster};
use crate::support::set;

const BASE: (&str, &str, &str, &str) = (
    "1",
    "",
    "CREATE TABLE a (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO a VALUES (1, 'x'), (2, 'y');",
    "DROP TABLE a",
);

/// A second migration, what its rehearsal says.
const CASES: &[(&str, &str, &str, Option<&str>)] = &[
    ("", "CREATE TABLE b (id INTEGER)", "DROP TABLE b", None),
    (
        "",
        "CREATE TABLE b (id INTEGER)",
        "SELECT 1",
        Some("way back leaves the schema different"),
    ),
    ("", "DELETE FROM a", "SELECT 1", Some("does not restore a")),
    (
        "[rollback]\ndata = 'kept'",
        "CREATE TABLE aside AS SELECT * FROM a; DELETE FROM a",
        "INSERT INTO a SELECT * FROM aside; DROP TABLE aside",
        None,
    ),
    (
        "",
        "CREATE TABLE b (id INTEGER); INSERT INTO c VALUES (1)",
        "DROP TABLE b",
        Some("2/up.sql"),
    ),
    (
        "",
        "ALTER TABLE a ADD COLUMN m TEXT",
        "ALTER TABLE a DROP COLUMN m",
        None,
    ),
];

fn check(says: &Rehearsal, wanted: Option<&str>) {
    match wanted {
        None => assert!(says.problems.is_empty(), "{:?}", says.problems),
        Some(wanted) => assert!(
            says.problems.iter().any(|problem| problem.contains(wanted)),
            "{wanted}: {:?}",
            says.problems
        ),
    }
}

fn two(case: &(&'static str, &'static str, &'static str, Option<&str>)) -> MigrationSet {
    set(&[BASE, ("2", case.0, case.1, case.2)])
}

#[test]
fn sqlite_rehearsals_say_what_is_not_restored() {
    for case in CASES {
        let none = sqlite::Backfills::new();
        let says = sqlite::rehearse(None, &two(case), &none).unwrap();
        check(&says, case.3);
    }
}

#[test]
fn postgres_rehearsals_say_what_is_not_restored() {
    let cluster = Cluster::start();
    cluster::block_on(async {
        for (number, case) in CASES.iter().enumerate() {
            let mut client = cluster.database(&format!("r{number}")).await;
            let none = postgres::Backfills::new();
            let says = postgres::rehearse(&mut client, &two(case), &none)
                .await
                .unwrap();
            check(&says, case.3);
        }
    });
}

#[test]
fn the_source_is_only_read_and_its_rows_are_rehearsed() {
    let mut source = Connection::open_in_memory().unwrap();
    let none = sqlite::Backfills::new();
    let mut silent = spots_migrate::Silent;
    let mut run = crate::support::quiet(&mut silent);
    sqlite::apply(&mut source, &set(&[BASE]), &none, &mut run).unwrap();
    let lossy = set(&[BASE, ("2", "", "DELETE FROM a WHERE id = 1", "SELECT 1")]);
    let says = sqlite::rehearse(Some(&source), &lossy, &none).unwrap();
    assert_eq!(says.steps.len(), 1, "the first is applied already");
    assert_eq!(says.steps[0].changed["a"], (2, 1));
    check(&says, Some("does not restore a"));
    let rows = source.query_row("SELECT count(*) FROM a", [], |row| row.get::<_, i64>(0));
    assert_eq!(rows.unwrap(), 2);
}

#[test]
fn stages_that_do_not_commute_are_found() {
    let none = sqlite::Backfills::new();
    let fine = set(&[
        BASE,
        ("2", "", "CREATE TABLE b (id)", ""),
        ("3", "", "CREATE TABLE c (id)", ""),
    ]);
    assert_eq!(
        sqlite::rehearse(None, &fine, &none).unwrap().stages_commute,
        Some(true)
    );
    // What a trigger's body does when it fires is nothing that a plan can see.
    let hidden = set(&[
        ("1", "", "CREATE TABLE log (n INTEGER); CREATE TABLE a (id INTEGER);
            CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO log SELECT count(*) FROM sqlite_schema WHERE name = 'b'; END;", ""),
        ("2", "", "CREATE TABLE b (id INTEGER)", ""),
        ("3", "", "CREATE TABLE c AS SELECT count(*) AS \"n\" FROM sqlite_schema; INSERT INTO a VALUES (1)", ""),
    ]);
    assert_eq!(
        sqlite::rehearse(None, &hidden, &none)
            .unwrap()
            .stages_commute,
        Some(true),
        "the schema is the same"
    );
}

#[test]
fn a_database_is_adopted_only_when_it_is_what_the_set_gives() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE a (id INTEGER PRIMARY KEY, n TEXT); INSERT INTO a VALUES (7, 'kept')",
        )
        .unwrap();
    let set = set(&[
        BASE,
        ("2", "", "CREATE TABLE b (id INTEGER)", "DROP TABLE b"),
    ]);
    let none = sqlite::Backfills::new();
    let mut silent = spots_migrate::Silent;
    let mut run = crate::support::quiet(&mut silent);
    let error = sqlite::adopt(&mut connection, &set, &none, &mut run).unwrap_err();
    assert!(error.to_string().contains("table b"), "{error}");
    let mut run = run.to("1");
    assert_eq!(
        sqlite::adopt(&mut connection, &set, &none, &mut run)
            .unwrap()
            .ids,
        ["1"]
    );
    let mut run = crate::support::quiet(&mut silent);
    assert_eq!(
        sqlite::apply(&mut connection, &set, &none, &mut run)
            .unwrap()
            .ids,
        ["2"]
    );
    let rows = connection.query_row("SELECT count(*) FROM a", [], |row| row.get::<_, i64>(0));
    assert_eq!(rows.unwrap(), 1);
}

#[test]
fn a_postgres_database_is_adopted_only_when_it_is_what_the_set_gives() {
    let cluster = Cluster::start();
    cluster::block_on(async {
        let mut client = cluster.database("old").await;
        client
            .batch_execute("CREATE TABLE a (id INTEGER PRIMARY KEY, n TEXT)")
            .await
            .unwrap();
        let one = set(&[BASE]);
        let other = set(&[(
            "1",
            "",
            "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER)",
            "",
        )]);
        let none = postgres::Backfills::new();
        let mut silent = spots_migrate::Silent;
        for (number, (set, fits)) in [(&other, false), (&one, true)].into_iter().enumerate() {
            let mut scratch = cluster.database(&format!("scratch{number}")).await;
            let mut run = crate::support::quiet(&mut silent);
            let adopted = postgres::adopt(&mut client, &mut scratch, set, &none, &mut run).await;
            assert_eq!(adopted.is_ok(), fits, "{adopted:?}");
        }
    });
}
