//! Rehearsals find what would be lost before it is.

use rusqlite::Connection;
use spots_migrate::{MigrationSet, Rehearsal, RehearseOptions, postgres, sqlite};

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
        "[rollback]\ndata = 'derived'",
        "CREATE TABLE b AS SELECT id, n FROM a",
        "DROP TABLE b",
        None,
    ),
    (
        "[rollback]\ndata = 'derived'",
        "CREATE TABLE b (id INTEGER, n TEXT); INSERT INTO b SELECT id, random() FROM a",
        "DROP TABLE b",
        Some("the second way up gives other rows in b"),
    ),
    (
        "[rollback]\ndata = 'lost'",
        "CREATE TABLE b (id INTEGER)",
        "DROP TABLE b; DELETE FROM a",
        Some("does not restore a"),
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

/// Ways back that keep rows, and what a rehearsal with made rows says of them.
const KEPT: &[(&str, &str, Option<&str>)] = &[
    (
        "CREATE TABLE b (id INTEGER, n TEXT);
         CREATE TABLE IF NOT EXISTS aside (id INTEGER, n TEXT);
         INSERT INTO b SELECT id, n FROM aside; DROP TABLE aside;",
        "CREATE TABLE aside AS SELECT id, n FROM b; DROP TABLE b;",
        None,
    ),
    (
        "CREATE TABLE b (id INTEGER, n TEXT);
         CREATE TABLE IF NOT EXISTS aside (id INTEGER, n TEXT);
         INSERT INTO b SELECT id, NULL FROM aside; DROP TABLE aside;",
        "CREATE TABLE aside AS SELECT id, n FROM b; DROP TABLE b;",
        Some("the second way up gives other rows in b"),
    ),
    (
        "CREATE TABLE b (id INTEGER, n TEXT);",
        "DROP TABLE b;",
        Some("the second way up gives other rows in b (20 the first time)"),
    ),
    (
        "CREATE TABLE b (id INTEGER, n TEXT);
         CREATE TABLE IF NOT EXISTS aside (id INTEGER, n TEXT);
         INSERT INTO b SELECT id, n FROM aside;",
        "DROP TABLE aside; CREATE TABLE aside AS SELECT id, n FROM b; DROP TABLE b;",
        Some("the second way up gives other rows in aside"),
    ),
];

fn keeping((up, down, _): &(&'static str, &'static str, Option<&str>)) -> MigrationSet {
    set(&[BASE, ("2", "[rollback]\ndata = 'kept'", up, down)])
}

const WITH_ROWS: RehearseOptions = RehearseOptions {
    rows: Some(20),
    seed: 3,
    sanitise: false,
};

#[test]
fn rows_that_are_kept_are_moved_aside_and_come_back() {
    for case in KEPT {
        let none = sqlite::Backfills::new();
        let says = sqlite::rehearse_with(None, &keeping(case), &none, &WITH_ROWS).unwrap();
        check(&says, case.2);
    }
    let cluster = Cluster::start();
    cluster::block_on(async {
        for (number, case) in KEPT.iter().enumerate() {
            let mut client = cluster.database(&format!("kept{number}")).await;
            let none = postgres::Backfills::new();
            let says = postgres::rehearse_with(&mut client, &keeping(case), &none, &WITH_ROWS)
                .await
                .unwrap();
            check(&says, case.2);
        }
    });
}

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
        sqlite::rehearse(None, &fine, &none)
            .unwrap()
            .pairs
            .iter()
            .map(|one| one.commute)
            .reduce(|a, b| a && b),
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
            .pairs
            .iter()
            .map(|one| one.commute)
            .reduce(|a, b| a && b),
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

/// Tables with what a real schema asks of its rows, and one more migration.
fn shop(manifest: &'static str, up: &'static str, down: &'static str) -> MigrationSet {
    const SHOP: &str = "
        CREATE TABLE people (id TEXT PRIMARY KEY, email VARCHAR(60) NOT NULL UNIQUE,
            kind TEXT NOT NULL CHECK (kind IN ('guest', 'host')), born DATE);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, person TEXT NOT NULL REFERENCES people (id),
            seats INTEGER NOT NULL CHECK (seats BETWEEN 1 AND 12));
        CREATE TABLE lines (order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
            number INTEGER NOT NULL, note TEXT, PRIMARY KEY (order_id, number));
        CREATE TABLE tree (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES tree (id));";
    set(&[
        (
            "1",
            "",
            SHOP,
            "DROP TABLE tree; DROP TABLE lines; DROP TABLE orders; DROP TABLE people",
        ),
        ("2", manifest, up, down),
    ])
}

fn with_rows() -> RehearseOptions {
    RehearseOptions {
        rows: Some(300),
        seed: 7,
        sanitise: false,
    }
}

async fn on_postgres(cluster: &Cluster, name: &str, set: &MigrationSet) -> Rehearsal {
    let mut client = cluster.database(name).await;
    let none = postgres::Backfills::new();
    postgres::rehearse_with(&mut client, set, &none, &with_rows())
        .await
        .unwrap()
}

fn on_sqlite(set: &MigrationSet) -> Rehearsal {
    let none = sqlite::Backfills::new();
    sqlite::rehearse_with(None, set, &none, &with_rows()).unwrap()
}

#[test]
fn made_rows_fill_every_table_and_find_what_an_empty_database_hides() {
    let cluster = Cluster::start();
    cluster::block_on(async {
        let fine = shop(
            "",
            "ALTER TABLE people ADD COLUMN n TEXT",
            "ALTER TABLE people DROP COLUMN n",
        );
        let lossy = shop("", "DELETE FROM lines WHERE number > 5", "SELECT 1");
        let broken = shop(
            "",
            "CREATE UNIQUE INDEX one_each ON people (kind)",
            "DROP INDEX one_each",
        );
        for (says, engine) in [
            (on_sqlite(&fine), "SQLite"),
            (on_postgres(&cluster, "fine", &fine).await, "PostgreSQL"),
        ] {
            check(&says, None);
            assert_eq!(says.generated.len(), 4, "{engine}: {:?}", says.generated);
            for (table, rows) in &says.generated {
                assert_eq!(*rows, 300, "{engine}: {table}");
            }
        }
        for set in [&lossy, &broken] {
            let empty = sqlite::rehearse(None, set, &sqlite::Backfills::new()).unwrap();
            check(&empty, None);
        }
        check(&on_sqlite(&lossy), Some("does not restore lines"));
        check(
            &on_postgres(&cluster, "lossy", &lossy).await,
            Some("does not restore lines"),
        );
        check(&on_sqlite(&broken), Some("2/up.sql:1"));
        check(
            &on_postgres(&cluster, "broken", &broken).await,
            Some("2/up.sql:1"),
        );
        assert_eq!(on_sqlite(&fine).generated, on_sqlite(&fine).generated);
    });
}

#[test]
fn invariants_speak_where_values_are_random_by_design() {
    const RANDOM: &str = "ALTER TABLE people ADD COLUMN handle TEXT;
        UPDATE people SET handle = CAST(random() AS TEXT)";
    const BACK: &str = "ALTER TABLE people DROP COLUMN handle";
    const KEPT: &str = "invariants = [{ title = 'everybody has a handle',
        before = 'SELECT count(*) FROM people', after = 'SELECT count(handle) FROM people' }]";
    const BROKEN: &str = "invariants = [{ title = 'nobody is added',
        before = 'SELECT count(*) FROM people', after = 'SELECT count(*) + 1 FROM people' }]";
    let cluster = Cluster::start();
    cluster::block_on(async {
        for (manifest, wanted) in [
            ("", Some("gives other rows in people")),
            (KEPT, None),
            (
                BROKEN,
                Some("does not hold: nobody is added (300 before, 301 after the way up)"),
            ),
        ] {
            let set = shop(manifest, RANDOM, BACK);
            check(&on_sqlite(&set), wanted);
            let name = format!("random{}", manifest.len());
            check(&on_postgres(&cluster, &name, &set).await, wanted);
        }
    });
}

#[test]
fn an_escape_from_the_scratch_database_is_found() {
    let dir = crate::support::folder();
    let file = dir.path().join("outside.db");
    let attach = format!(
        "ATTACH '{}' AS outside; CREATE TABLE outside.t (id)",
        file.display()
    );
    let escaping = set(&[("1", "transactional = false", attach.as_str(), "")]);
    let says = sqlite::rehearse(None, &escaping, &sqlite::Backfills::new()).unwrap();
    check(&says, Some("not authorized"));
    assert!(!file.exists());
    let cluster = Cluster::start();
    cluster::block_on(async {
        let mut client = cluster.database("escape").await;
        let none = postgres::Backfills::new();
        let escaping = set(&[("1", "", "CREATE ROLE escaped", "SELECT 1")]);
        let says = postgres::rehearse(&mut client, &escaping, &none)
            .await
            .unwrap();
        check(&says, Some("left over role escaped"));
    });
}

#[test]
fn pairs_are_tried_in_both_orders_and_locks_are_named() {
    let fine = [
        BASE,
        (
            "2",
            "",
            "ALTER TABLE a ADD COLUMN m TEXT",
            "ALTER TABLE a DROP COLUMN m",
        ),
        ("3", "", "CREATE TABLE c (id INTEGER)", "DROP TABLE c"),
    ];
    // Names put together at run time are invisible: both look independent.
    let hidden = |name: &str| {
        format!(
            "DO $$ BEGIN EXECUTE 'CREATE OR REPLACE VIEW v AS SELECT ' || '{name}'::text || '::int AS n'; END $$"
        )
    };
    let (one, two) = (hidden("1"), hidden("2"));
    let cluster = Cluster::start();
    cluster::block_on(async {
        let says = on_postgres(&cluster, "fine", &set(&fine)).await;
        check(&says, None);
        assert_eq!(says.pairs.len(), 1);
        let locks = &says.steps.iter().find(|step| step.id == "2").unwrap().locks;
        assert!(locks.contains("AccessExclusiveLock on a"), "{locks:?}");
        let mut client = cluster.database("hidden").await;
        let none = postgres::Backfills::new();
        let set = set(&[
            BASE,
            ("2", "", one.as_str(), ""),
            ("3", "", two.as_str(), ""),
        ]);
        let says = postgres::rehearse(&mut client, &set, &none).await.unwrap();
        check(
            &says,
            Some("said to be independent, but their order matters"),
        );
    });
}

const ROWS: &str = "INSERT INTO people VALUES ('p1', 'ann@example.org', 'guest', '1990-02-03');
        INSERT INTO orders VALUES (1, 'p1', 4); INSERT INTO lines VALUES (1, 1, 'a secret note')";

#[test]
fn a_sanitised_copy_keeps_its_keys_and_none_of_its_texts() {
    let fine = shop(
        "",
        "ALTER TABLE people ADD COLUMN n TEXT",
        "ALTER TABLE people DROP COLUMN n",
    );
    let options = RehearseOptions {
        sanitise: true,
        ..RehearseOptions::default()
    };
    let cluster = Cluster::start();
    cluster::block_on(async {
        let mut client = cluster.database("copy").await;
        let none = postgres::Backfills::new();
        let mut silent = spots_migrate::Silent;
        let mut run = crate::support::quiet(&mut silent).to("1");
        postgres::apply(&mut client, &fine, &none, &mut run)
            .await
            .unwrap();
        client.batch_execute(ROWS).await.unwrap();
        let says = postgres::rehearse_with(&mut client, &fine, &none, &options)
            .await
            .unwrap();
        check(&says, None);
        assert!(says.not_sanitised.is_empty(), "{:?}", says.not_sanitised);
        let row = client
            .query_one("SELECT email, note, kind, id FROM people, lines", &[])
            .await
            .unwrap();
        assert_ne!(row.get::<_, String>(0), "ann@example.org");
        assert_ne!(row.get::<_, String>(1), "a secret note");
        assert_eq!(row.get::<_, String>(1).len(), "a secret note".len());
        assert_eq!(row.get::<_, String>(2), "guest");
        assert_eq!(
            row.get::<_, String>(3),
            "p1",
            "keys stay: rows find each other"
        );
    });
    let mut connection = Connection::open_in_memory().unwrap();
    let none = sqlite::Backfills::new();
    let mut silent = spots_migrate::Silent;
    let mut run = crate::support::quiet(&mut silent).to("1");
    sqlite::apply(&mut connection, &fine, &none, &mut run).unwrap();
    connection.execute_batch(ROWS).unwrap();
    let says = sqlite::rehearse_with(Some(&connection), &fine, &none, &options).unwrap();
    check(&says, None);
}
