//! The runner on SQLite.

use std::error::Error;
use std::thread;

use rusqlite::{Connection, Transaction};
use spots_migrate::sqlite::{Backfill, Backfills, apply, roll_back, status};
use spots_migrate::{
    ApplyError, Batch, Event, MigrationSet, Refusal, RollBack, Run, Silent, State,
};

use crate::support::{quiet, set};

fn go(connection: &mut Connection, set: &MigrationSet) -> Result<Vec<String>, ApplyError> {
    apply(connection, set, &Backfills::new(), &mut quiet(&mut Silent)).map(|applied| applied.ids)
}

fn back(connection: &mut Connection, set: &MigrationSet, target: &RollBack) -> Vec<String> {
    roll_back(
        connection,
        set,
        &Backfills::new(),
        target,
        &mut quiet(&mut Silent),
    )
    .unwrap()
    .ids
}

fn refusal<T: std::fmt::Debug>(result: Result<T, ApplyError>) -> Refusal {
    match result.unwrap_err() {
        ApplyError::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

fn count(connection: &Connection, table: &str) -> i64 {
    connection
        .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get(0)
        })
        .unwrap()
}

const TWO: &[(&str, &str, &str, &str)] = &[
    (
        "1",
        "",
        "CREATE TABLE a (id INTEGER PRIMARY KEY)",
        "DROP TABLE a",
    ),
    (
        "2",
        "after = ['1']",
        "CREATE TABLE b (a INTEGER REFERENCES a)",
        "DROP TABLE b",
    ),
];

#[test]
fn applies_once_and_rolls_back_dependants_first() {
    let mut connection = Connection::open_in_memory().unwrap();
    let set = set(TWO);
    assert_eq!(go(&mut connection, &set).unwrap(), ["1", "2"]);
    assert!(go(&mut connection, &set).unwrap().is_empty());
    let target = RollBack::Id("1".into());
    assert_eq!(back(&mut connection, &set, &target), ["2", "1"]);
    let records = status(&connection).unwrap();
    assert!(
        records
            .iter()
            .all(|record| record.state == State::RolledBack)
    );
    assert_eq!(go(&mut connection, &set).unwrap(), ["1", "2"]);
}

#[test]
fn a_failed_statement_is_undone_recorded_and_blocks_until_mended() {
    let mut connection = Connection::open_in_memory().unwrap();
    let broken = set(&[
        (
            "1",
            "",
            "CREATE TABLE a (id);\n\nINSERT INTO nowhere VALUES (1);",
            "",
        ),
        ("2", "", "CREATE TABLE b (id)", ""),
    ]);
    let error = go(&mut connection, &broken).unwrap_err();
    let ApplyError::Failed(failure) = &error else {
        panic!("{error}")
    };
    assert_eq!(
        (failure.path.as_str(), failure.line, failure.statement),
        ("1/up.sql", 3, 2)
    );
    assert_eq!(count(&connection, "sqlite_schema WHERE name = 'a'"), 0);
    assert!(matches!(
        refusal(go(&mut connection, &broken)),
        Refusal::FailedBefore { .. }
    ));
    let mended = set(&[
        ("1", "", "CREATE TABLE a (id);", ""),
        ("2", "", "CREATE TABLE b (id)", ""),
    ]);
    assert_eq!(go(&mut connection, &mended).unwrap(), ["1", "2"]);
}

#[test]
fn edited_removed_and_newer_are_told_apart() {
    let mut connection = Connection::open_in_memory().unwrap();
    go(&mut connection, &set(TWO)).unwrap();
    let edited = set(&[("1", "", "CREATE TABLE a (id TEXT)", ""), TWO[1]]);
    assert_eq!(
        refusal(go(&mut connection, &edited)),
        Refusal::Edited {
            ids: vec!["1".into()],
            paths: vec!["1/up.sql".into()],
        }
    );
    assert_eq!(
        refusal(go(&mut connection, &set(&TWO[..1]))),
        Refusal::Newer {
            ids: vec!["2".into()]
        }
    );
    let removed = set(&[TWO[0], ("3", "", "SELECT 1", "")]);
    assert_eq!(
        refusal(go(&mut connection, &removed)),
        Refusal::Removed {
            ids: vec!["2".into()]
        }
    );
}

/// A migration that comes into the set before one that is applied: harmless, it runs; else it is
/// refused with the way out, and the way out works.
#[test]
fn a_latecomer_runs_unless_an_applied_one_builds_on_its_place() {
    let released = [
        ("1", "", "CREATE TABLE a (id INTEGER)", "DROP TABLE a"),
        (
            "3",
            "",
            "ALTER TABLE a ADD COLUMN c TEXT",
            "ALTER TABLE a DROP COLUMN c",
        ),
    ];
    let mut connection = Connection::open_in_memory().unwrap();
    go(&mut connection, &set(&released)).unwrap();
    let harmless = ("2", "", "CREATE TABLE b (id INTEGER)", "DROP TABLE b");
    let with = |late| set(&[released[0], late, released[1]]);
    assert_eq!(go(&mut connection, &with(harmless)).unwrap(), ["2"]);
    back(&mut connection, &with(harmless), &RollBack::Id("2".into()));

    let late = |manifest| {
        let up = "ALTER TABLE a ADD COLUMN b TEXT";
        ("2", manifest, up, "ALTER TABLE a DROP COLUMN b")
    };
    let refused = refusal(go(&mut connection, &with(late(""))));
    assert_eq!(
        refused.to_string(),
        "2 should have come before 3, which is applied; give it a dependency that puts it after, \
         or roll 3 back first"
    );
    assert_eq!(
        count(&connection, "pragma_table_info('a') WHERE name = 'b'"),
        0
    );
    assert_eq!(
        go(&mut connection, &with(late("after = ['3']"))).unwrap(),
        ["2"]
    );
}

#[test]
fn a_rebuild_keeps_every_child() {
    let mut connection = Connection::open_in_memory().unwrap();
    let base = (
        "1",
        "",
        "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT);
         CREATE TABLE child (id INTEGER PRIMARY KEY,
             parent INTEGER NOT NULL REFERENCES parent ON DELETE CASCADE);
         INSERT INTO parent VALUES (1, 'a'), (2, 'b');
         INSERT INTO child VALUES (1, 1), (2, 1), (3, 2);",
        "",
    );
    let rebuild = "CREATE TABLE next (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
         INSERT INTO next SELECT id, name FROM parent;
         DROP TABLE parent;
         ALTER TABLE next RENAME TO parent;";
    for pragma in [
        "",
        "PRAGMA foreign_keys = OFF;\n",
        "PRAGMA foreign_keys = ON;\n",
    ] {
        let mut connection = Connection::open_in_memory().unwrap();
        connection
            .pragma_update(None, "foreign_keys", true)
            .unwrap();
        let script = format!("{pragma}{rebuild}");
        go(&mut connection, &set(&[base, ("2", "", &script, "")])).unwrap();
        assert_eq!(count(&connection, "child"), 3);
        assert_eq!(count(&connection, "pragma_foreign_key_check"), 0);
        let on = connection
            .pragma_query_value(None, "foreign_keys", |row| row.get::<_, i64>(0))
            .unwrap();
        assert_eq!(on, 1, "the connection's setting is restored");
    }
    let drop = ("2", "", "DROP TABLE parent", "");
    assert!(matches!(
        refusal(go(&mut connection, &set(&[base, drop]))),
        Refusal::Orphans { .. }
    ));
    assert_eq!(count(&connection, "parent"), 2);
}

#[test]
fn conditions_and_consent_guard_the_way_back() {
    let mut connection = Connection::open_in_memory().unwrap();
    let set = set(&[(
        "1",
        "[rollback]\ndata = 'lost'\nconditions = [{ holds = 'NOT EXISTS (SELECT 1 FROM a)', message = 'a is empty' }]",
        "CREATE TABLE a (id)",
        "DROP TABLE a",
    )]);
    go(&mut connection, &set).unwrap();
    let all = RollBack::All;
    let none = Backfills::new();
    let mut silent = Silent;
    let result = roll_back(&mut connection, &set, &none, &all, &mut quiet(&mut silent));
    assert!(matches!(refusal(result), Refusal::WouldLose { .. }));
    connection.execute("INSERT INTO a VALUES (1)", []).unwrap();
    let mut run = quiet(&mut silent).accept_data_loss(["1".to_owned()]);
    let result = roll_back(&mut connection, &set, &none, &all, &mut run);
    assert!(matches!(refusal(result), Refusal::Condition { .. }));
    connection.execute("DELETE FROM a", []).unwrap();
    roll_back(&mut connection, &set, &none, &all, &mut run).unwrap();
    assert_eq!(count(&connection, "sqlite_schema WHERE name = 'a'"), 0);
}

/// A way back, what is declared about it, and what is said of a table with two rows.
pub(crate) const LOSSES: &[(&str, &str, Option<&str>)] = &[
    (
        "lost",
        "DROP TABLE a",
        Some("rolling 2 back loses data (a (id, n): 2 rows); consent with --accept-data-loss 2"),
    ),
    (
        "lost",
        "ALTER TABLE a DROP COLUMN n",
        Some("rolling 2 back loses data (a.n: 1 rows); consent"),
    ),
    (
        "none",
        "DROP TABLE a",
        Some("would drop a (id, n): 2 rows, and its manifest does not say that data is lost"),
    ),
    (
        "none",
        "CREATE TABLE next (id INTEGER, n TEXT); INSERT INTO next SELECT id, n FROM a;
         DROP TABLE a; ALTER TABLE next RENAME TO a",
        None,
    ),
    (
        "kept",
        "CREATE TABLE aside AS SELECT * FROM a; DROP TABLE a",
        None,
    ),
];

/// The set of one of them.
pub(crate) fn losing((data, down, _): &(&'static str, &'static str, Option<&str>)) -> MigrationSet {
    let manifest = format!("[rollback]\ndata = '{data}'");
    set(&[
        ("1", "", "CREATE TABLE b (id INTEGER)", "DROP TABLE b"),
        ("2", &manifest, "CREATE TABLE a (id INTEGER, n TEXT)", down),
    ])
}

#[test]
fn a_loss_is_named_by_rows_and_columns_and_asks_for_consent() {
    for case in LOSSES {
        let mut connection = Connection::open_in_memory().unwrap();
        let set = losing(case);
        go(&mut connection, &set).unwrap();
        let rows = "INSERT INTO a VALUES (1, 'x'), (2, NULL)";
        connection.execute(rows, []).unwrap();
        let all = RollBack::All;
        let none = Backfills::new();
        let mut silent = Silent;
        let result = roll_back(&mut connection, &set, &none, &all, &mut quiet(&mut silent));
        match case.2 {
            None => assert_eq!(result.unwrap().ids, ["2", "1"], "{case:?}"),
            Some(said) => {
                let refused = refusal(result).to_string();
                assert!(refused.contains(said), "{said}: {refused}");
                assert_eq!(count(&connection, "a"), 2, "nothing was touched");
                assert_eq!(count(&connection, "b"), 0);
                let mut run = quiet(&mut silent).accept_data_loss(["2".to_owned()]);
                let ids = roll_back(&mut connection, &set, &none, &all, &mut run);
                assert_eq!(ids.unwrap().ids, ["2", "1"]);
            }
        }
    }
}

#[test]
fn verification_fails_on_a_row_and_undoes_the_change() {
    let mut connection = Connection::open_in_memory().unwrap();
    let set = MigrationSet::from_embedded(&[
        ("1/migration.toml", ""),
        ("1/up.sql", "CREATE TABLE a (id); INSERT INTO a VALUES (7)"),
        ("1/verify.sql", "SELECT id FROM a WHERE id > 5"),
    ])
    .unwrap();
    let error = go(&mut connection, &set).unwrap_err().to_string();
    assert!(
        error.contains("1/verify.sql:1") && error.contains('7'),
        "{error}"
    );
    assert_eq!(count(&connection, "sqlite_schema WHERE name = 'a'"), 0);
}

struct Double {
    fail_at: Option<i64>,
}

impl Backfill for Double {
    fn count(&self, connection: &Connection) -> Result<u64, Box<dyn Error + Send + Sync>> {
        Ok(count(connection, "a").unsigned_abs())
    }

    fn batch(
        &self,
        transaction: &Transaction<'_>,
        from: Option<&str>,
        rows: u32,
    ) -> Result<Batch, Box<dyn Error + Send + Sync>> {
        let from = from.map_or(Ok(0), str::parse::<i64>)?;
        let last = from + i64::from(rows);
        if self.fail_at.is_some_and(|at| (from..last).contains(&at)) {
            return Err("asked to fail".into());
        }
        let done = transaction.execute(
            "UPDATE a SET twice = coalesce(twice, 0) + 2 * id WHERE id > ?1 AND id <= ?2",
            [from, last],
        )?;
        let more = count(transaction, &format!("a WHERE id > {last}")) > 0;
        Ok(Batch {
            rows: done as u64,
            next: more.then(|| last.to_string()),
        })
    }
}

#[test]
fn a_backfill_goes_on_where_it_stopped() {
    let mut connection = Connection::open_in_memory().unwrap();
    let set = set(&[(
        "1",
        "backfill = 'double'",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, twice INTEGER);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
         INSERT INTO a (id) SELECT i FROM n;",
        "DROP TABLE a",
    )]);
    assert!(matches!(
        refusal(go(&mut connection, &set)),
        Refusal::UnknownBackfill { .. }
    ));
    let failing = Backfills::new().with("double", Double { fail_at: Some(55) });
    let mut silent = Silent;
    let mut run = quiet(&mut silent).batch_rows(10);
    apply(&mut connection, &set, &failing, &mut run).unwrap_err();
    assert_eq!(count(&connection, "a WHERE twice IS NOT NULL"), 50);
    connection
        .execute(
            "UPDATE spots_migrate_migration SET state = 'running', failure = NULL",
            [],
        )
        .unwrap();
    let mut told = Vec::new();
    let mut tell = |event| told.push(event);
    let mut run = Run::by("test", &mut tell).batch_rows(10);
    let working = Backfills::new().with("double", Double { fail_at: None });
    apply(&mut connection, &set, &working, &mut run).unwrap();
    assert_eq!(count(&connection, "a WHERE twice = 2 * id"), 100);
    let last = told.iter().rev().find_map(|event| match event {
        Event::Batch { done, total, .. } => Some((*done, *total)),
        _ => None,
    });
    assert_eq!(last, Some((100, 100)));
}

#[test]
fn five_runners_at_once_apply_each_migration_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("db");
    let migrations = (0..20)
        .map(|number| {
            (
                format!("{number:02}"),
                format!("CREATE TABLE t{number} (id)"),
            )
        })
        .collect::<Vec<_>>();
    let migrations = migrations
        .iter()
        .map(|(id, up)| (id.as_str(), "", up.as_str(), ""))
        .collect::<Vec<_>>();
    let set = set(&migrations);
    let runners = (0..5)
        .map(|_| {
            let (file, set) = (file.clone(), set.clone());
            thread::spawn(move || {
                go(&mut Connection::open(file).unwrap(), &set)
                    .unwrap()
                    .len()
            })
        })
        .collect::<Vec<_>>();
    let applied = runners
        .into_iter()
        .map(|runner| runner.join().unwrap())
        .sum::<usize>();
    assert_eq!(applied, 20);
}

#[test]
fn a_dead_owner_is_taken_over_and_a_fenced_one_stops() {
    let mut connection = Connection::open_in_memory().unwrap();
    go(&mut connection, &set(&TWO[..1])).unwrap();
    connection
        .execute("UPDATE spots_migrate_lock SET owner = 'gone', process = 'elsewhere 1 1', heartbeat = unixepoch() - 100", [])
        .unwrap();
    let mut told = Vec::new();
    let mut tell = |event| told.push(event);
    apply(
        &mut connection,
        &set(TWO),
        &Backfills::new(),
        &mut Run::by("test", &mut tell),
    )
    .unwrap();
    assert!(matches!(&told[0], Event::TookOver { holder } if holder.starts_with("gone")));
    connection
        .execute("UPDATE spots_migrate_lock SET owner = 'slow', process = 'elsewhere 1 1', heartbeat = unixepoch()", [])
        .unwrap();
    let more = set(&[TWO[0], TWO[1], ("3", "", "SELECT 1", "")]);
    let mut silent = Silent;
    let mut run = quiet(&mut silent).wait_at_most(std::time::Duration::from_millis(300));
    let result = apply(&mut connection, &more, &Backfills::new(), &mut run);
    assert!(matches!(refusal(result), Refusal::Locked { .. }));
}

#[test]
fn statements_outside_a_transaction_are_journalled_steps() {
    let dir = tempfile::tempdir().unwrap();
    let mut connection = Connection::open(dir.path().join("db")).unwrap();
    let set = set(&[(
        "1",
        "transactional = false",
        "CREATE TABLE a (id);\nVACUUM;\nPRAGMA journal_mode = WAL;\nINSERT INTO a VALUES (1);\nINSERT INTO b VALUES (1);",
        "",
    )]);
    let error = go(&mut connection, &set).unwrap_err();
    let ApplyError::Failed(failure) = &error else {
        panic!("{error}")
    };
    assert_eq!((failure.line, failure.done), (5, 4));
    assert_eq!(count(&connection, "a"), 1);
}
