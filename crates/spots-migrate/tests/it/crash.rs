//! Killed at any moment, what is recorded is what is applied, and the next run finishes.
//!
//! The victim is this test binary itself, started again as a process that applies a set and is
//! killed after a while that changes from round to round.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;
use spots_migrate::{MigrationSet, State, postgres, sqlite};
use tokio_postgres::Client;

use crate::support::cluster::{self, Cluster};
use crate::support::{folder, quiet, set};

/// Each migration makes a table and writes its own number into it; every fifth runs in steps.
fn many() -> MigrationSet {
    let migrations = (0..30)
        .map(|number| {
            let steps = if number % 5 == 4 {
                "transactional = false"
            } else {
                ""
            };
            (
                format!("{number:03}"),
                steps,
                format!("CREATE TABLE t{number} (id INTEGER); INSERT INTO t{number} VALUES ({number}); CREATE INDEX i{number} ON t{number} (id);"),
            )
        })
        .collect::<Vec<_>>();
    let migrations = migrations
        .iter()
        .map(|(id, manifest, up)| (id.as_str(), *manifest, up.as_str(), ""))
        .collect::<Vec<_>>();
    set(&migrations)
}

#[expect(clippy::disallowed_methods, reason = "the process that is killed")]
fn victim(test: &str, database: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env("SPOTS_CRASH_DATABASE", database)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "what the killer tells its victim"
)]
fn told() -> Option<String> {
    std::env::var("SPOTS_CRASH_DATABASE").ok()
}

/// How many kills: as told for a long proof, see docs/migrations.md, else so many.
#[expect(clippy::disallowed_methods, reason = "what a person tells a long run")]
fn rounds(default: u64) -> u64 {
    let told = std::env::var("SPOTS_KILLS").ok();
    told.map_or(default, |told| {
        told.parse().expect("SPOTS_KILLS is a number")
    })
}

/// Kills after a while; says whether it was in time.
fn kill_after(mut child: Child, micros: u64) -> bool {
    std::thread::park_timeout(Duration::from_micros(micros));
    let in_time = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    in_time
}

#[test]
#[ignore = "is started and killed by the test below"]
fn sqlite_victim() {
    let Some(file) = told() else { return };
    let mut connection = Connection::open(file).unwrap();
    let none = sqlite::Backfills::new();
    sqlite::apply(
        &mut connection,
        &many(),
        &none,
        &mut quiet(&mut spots_migrate::Silent),
    )
    .unwrap();
}

fn sqlite_is_consistent(file: &Path) -> usize {
    let connection = Connection::open(file).unwrap();
    let records = sqlite::status(&connection).unwrap();
    let exists = |name: String| {
        connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name = ?1",
                [name],
                |row| row.get::<_, i64>(0),
            )
            .unwrap()
            == 1
    };
    for number in 0..30 {
        let id = format!("{number:03}");
        let state = records
            .iter()
            .find(|record| record.id == id)
            .map(|record| record.state);
        let rows = exists(format!("t{number}")).then(|| {
            let query = format!("SELECT count(*) FROM t{number}");
            connection
                .query_row(&query, [], |row| row.get::<_, i64>(0))
                .unwrap()
        });
        match state {
            Some(State::Applied) => {
                assert!(exists(format!("i{number}")));
                assert_eq!(rows, Some(1), "{id} is recorded, so it is applied, once");
            }
            None => assert_eq!(rows, None, "{id} is not recorded, so it is not applied"),
            Some(State::Running) => assert_eq!(number % 5, 4),
            other => panic!("{id}: {other:?}"),
        }
    }
    records.len()
}

#[test]
fn sqlite_killed_at_any_moment_says_the_truth_and_goes_on() {
    let mut kills = 0;
    let mut partly = 0;
    for round in 0..rounds(200) {
        let dir = folder();
        let file = dir.path().join("db");
        let child = victim("crash::sqlite_victim", file.to_str().unwrap());
        kills += u64::from(kill_after(child, 2_000 + round * 211 % 40_000));
        let done = sqlite_is_consistent(&file);
        partly += u64::from(done > 0 && done < 30);
        let mut connection = Connection::open(&file).unwrap();
        let none = sqlite::Backfills::new();
        let mut silent = spots_migrate::Silent;
        sqlite::apply(&mut connection, &many(), &none, &mut quiet(&mut silent)).unwrap();
        assert_eq!(sqlite_is_consistent(&file), 30);
    }
    println!("{kills} killed in time, {partly} of them in the middle");
    assert!(partly > 0, "no kill came in the middle: move the times");
}

#[test]
#[ignore = "is started and killed by the test below"]
fn postgres_victim() {
    let Some(config) = told() else { return };
    cluster::block_on(async {
        let mut client = cluster::connect(&config).await;
        let none = postgres::Backfills::new();
        let mut silent = spots_migrate::Silent;
        postgres::apply(&mut client, &many(), &none, &mut quiet(&mut silent))
            .await
            .unwrap();
    });
}

#[test]
fn postgres_killed_at_any_moment_says_the_truth_and_goes_on() {
    let cluster = Cluster::start();
    cluster::block_on(async {
        let mut client = cluster.database("crash").await;
        let (mut kills, mut partly) = (0, 0);
        for round in 0..rounds(200) {
            let child = victim("crash::postgres_victim", &cluster.config("crash"));
            kills += u64::from(kill_after(child, 8_000 + round * 1_733 % 90_000));
            // Takes the lock once the server has seen that the victim is gone.
            let none = postgres::Backfills::new();
            let mut silent = spots_migrate::Silent;
            let before = postgres::status(&client).await.unwrap();
            for record in &before {
                let number = record.id.trim_start_matches('0');
                let number = if number.is_empty() { "0" } else { number };
                if record.state == State::Applied {
                    let query = format!("SELECT count(*) FROM t{number}");
                    let rows = client.query_one(&query, &[]).await.unwrap();
                    assert_eq!(rows.get::<_, i64>(0), 1);
                }
            }
            partly += u64::from(!before.is_empty() && before.len() < 30);
            postgres::apply(&mut client, &many(), &none, &mut quiet(&mut silent))
                .await
                .unwrap();
            let tables = client
                .query_one(
                    "SELECT count(*) FROM pg_indexes WHERE schemaname = 'public'",
                    &[],
                )
                .await
                .unwrap();
            assert_eq!(tables.get::<_, i64>(0), 30);
            for number in 0..30 {
                let query = format!("SELECT count(*) FROM t{number}");
                let rows = client.query_one(&query, &[]).await.unwrap();
                assert_eq!(rows.get::<_, i64>(0), 1, "t{number} was filled once");
            }
            let empty = "DROP SCHEMA public, spots_migrate CASCADE; CREATE SCHEMA public";
            client.batch_execute(empty).await.unwrap();
        }
        println!("{kills} killed in time, {partly} of them in the middle");
        assert!(partly > 0, "no kill came in the middle: move the times");
    });
}

/// A table, and an index that is built beside its writers.
fn index_build() -> MigrationSet {
    set(&[
        (
            "1",
            "",
            "CREATE TABLE a AS SELECT i AS id FROM generate_series(1, 20000) i",
            "",
        ),
        (
            "2",
            "transactional = false",
            "CREATE TABLE b (id int);\nCREATE INDEX CONCURRENTLY by_id ON a (id);",
            "",
        ),
    ])
}

/// The server process of the build, once it waits for the open write.
async fn builder(watcher: &Client) -> i32 {
    loop {
        let found = watcher
            .query_opt(
                "SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONC%'
                         AND wait_event_type = 'Lock'",
                &[],
            )
            .await
            .unwrap();
        if let Some(row) = found {
            return row.get::<_, i32>(0);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A statement's server process is killed in the middle of the build; the whole server goes down with
/// it and recovers, as after a power cut.
#[test]
fn postgres_killed_during_a_concurrent_index_build_recovers_and_finishes() {
    let set = index_build();
    let cluster = Cluster::start();
    cluster::block_on(async {
        let mut client = cluster.database("build").await;
        let none = postgres::Backfills::new();
        let mut silent = spots_migrate::Silent;
        let mut run = quiet(&mut silent).to("1");
        postgres::apply(&mut client, &set, &none, &mut run)
            .await
            .unwrap();
        // An open write keeps the build waiting in its first phase.
        let mut other = cluster.connect("build").await;
        let open = other.transaction().await.unwrap();
        open.execute("UPDATE a SET id = id WHERE id = 1", &[])
            .await
            .unwrap();
        let theirs = set.clone();
        let runner = tokio::spawn(async move {
            let none = postgres::Backfills::new();
            let mut silent = spots_migrate::Silent;
            postgres::apply(&mut client, &theirs, &none, &mut quiet(&mut silent)).await
        });
        let watcher = cluster.connect("build").await;
        kill(builder(&watcher).await);
        assert!(runner.await.unwrap().is_err());
        drop(open);
        // Every session goes down with it; before, a new one might still be let in to die.
        while !watcher.is_closed() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut client = cluster.again("build").await;
        let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
        let left = client
            .query_one(invalid, &[])
            .await
            .unwrap()
            .get::<_, i64>(0);
        assert_eq!(left, 1, "the crash left an invalid index");
        let states = postgres::status(&client).await.unwrap();
        assert_eq!(states[1].state, State::Running);
        let done = postgres::apply(&mut client, &set, &none, &mut quiet(&mut silent)).await;
        assert_eq!(done.unwrap().ids, ["2"]);
        let left = client
            .query_one(invalid, &[])
            .await
            .unwrap()
            .get::<_, i64>(0);
        assert_eq!(left, 0);
        let named = "SELECT count(*) FROM pg_class WHERE relname = 'by_id'";
        let count = client.query_one(named, &[]).await.unwrap().get::<_, i64>(0);
        assert_eq!(count, 1);
    });
}

#[expect(clippy::disallowed_methods, reason = "the process that is killed")]
fn kill(process: i32) {
    let done = Command::new("kill")
        .args(["-9", &process.to_string()])
        .status()
        .unwrap();
    assert!(done.success());
}
