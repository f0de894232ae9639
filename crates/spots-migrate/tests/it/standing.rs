//! What may start: environments, tests, rehearsed sets; and what runs side by side.

use std::collections::BTreeSet;
use std::time::Duration;

use rusqlite::Connection;
use spots_migrate::{
    ApplyError, Environment, Event, MigrationSet, Refusal, Run, Silent, postgres, sqlite,
};
use tokio_postgres::Client;

use crate::support::cluster::{Cluster, block_on};
use crate::support::{quiet, set};

fn three() -> MigrationSet {
    set(&[
        ("1", "", "CREATE TABLE a (id INTEGER)", "DROP TABLE a"),
        (
            "2",
            "",
            "ALTER TABLE a ADD COLUMN n TEXT",
            "ALTER TABLE a DROP COLUMN n",
        ),
        ("3", "", "CREATE TABLE b (id INTEGER)", "DROP TABLE b"),
    ])
}

fn apply(connection: &mut Connection, set: &MigrationSet) -> Result<Vec<String>, ApplyError> {
    let none = sqlite::Backfills::new();
    let applied = sqlite::apply(connection, set, &none, &mut quiet(&mut Silent));
    applied.map(|applied| applied.ids)
}

async fn apply_there(client: &mut Client, set: &MigrationSet) -> Result<Vec<String>, ApplyError> {
    let none = postgres::Backfills::new();
    let applied = postgres::apply(client, set, &none, &mut quiet(&mut Silent)).await;
    applied.map(|applied| applied.ids)
}

fn is_in_testing(done: &Result<Vec<String>, ApplyError>) {
    let Err(ApplyError::Refused(refusal @ Refusal::InTesting { .. })) = done else {
        panic!("{done:?}")
    };
    let said = refusal.to_string();
    assert!(
        said.contains("1 is in testing until") && said.contains("by tester"),
        "{said}"
    );
    assert!(said.contains("relation a"), "{said}");
}

#[test]
fn nothing_starts_that_touches_what_is_in_testing() {
    let mut connection = Connection::open_in_memory().unwrap();
    let (hour, one) = (Duration::from_hours(1), ["1".to_owned()]);
    let mut silent = Silent;
    let mut tester = Run::by("tester", &mut silent);
    sqlite::begin_testing(&mut connection, &three(), &one, hour, &mut tester).unwrap();
    // What is tested may itself be applied; what changes the same table may not.
    is_in_testing(&apply(&mut connection, &three()));
    let others = set(&[("3", "", "CREATE TABLE b (id INTEGER)", "")]);
    assert_eq!(apply(&mut connection, &others).unwrap(), ["3"]);
    let two = ["2".to_owned()];
    let mut silent = Silent;
    let mut other = Run::by("another tester", &mut silent);
    let both = sqlite::begin_testing(&mut connection, &three(), &two, hour, &mut other);
    assert!(matches!(
        both,
        Err(ApplyError::Refused(Refusal::InTesting { .. }))
    ));
    sqlite::end_testing(&mut connection, &one, &mut other).unwrap();
    assert_eq!(apply(&mut connection, &three()).unwrap(), ["1", "2"]);
    // A test that nobody ended ends by itself.
    sqlite::begin_testing(&mut connection, &three(), &one, Duration::ZERO, &mut other).unwrap();
    assert!(sqlite::standing(&connection).unwrap().testing.is_empty());
}

#[test]
fn nothing_starts_on_postgres_that_touches_what_is_in_testing() {
    let cluster = Cluster::start();
    block_on(async {
        let mut client = cluster.database("tested").await;
        let one = ["1".to_owned()];
        let mut silent = Silent;
        let mut tester = Run::by("tester", &mut silent);
        let hour = Duration::from_hours(1);
        postgres::begin_testing(&mut client, &three(), &one, hour, &mut tester)
            .await
            .unwrap();
        is_in_testing(&apply_there(&mut client, &three()).await);
        postgres::end_testing(&mut client, &one, &mut tester)
            .await
            .unwrap();
        assert_eq!(
            apply_there(&mut client, &three()).await.unwrap(),
            ["1", "2", "3"]
        );
    });
}

#[test]
fn production_takes_only_a_set_that_was_rehearsed_from_its_state() {
    let mut connection = Connection::open_in_memory().unwrap();
    let none = sqlite::Backfills::new();
    let mut silent = Silent;
    let mut run = quiet(&mut silent);
    sqlite::set_environment(&mut connection, Environment::Production, &mut run).unwrap();
    let refused = |done: Result<Vec<String>, ApplyError>| {
        assert!(
            matches!(done, Err(ApplyError::Refused(Refusal::NotRehearsed { .. }))),
            "{done:?}"
        );
    };
    refused(apply(&mut connection, &three()));
    let rehearsal = sqlite::rehearse(Some(&connection), &three(), &none).unwrap();
    assert!(rehearsal.problems.is_empty(), "{:?}", rehearsal.problems);
    sqlite::record_rehearsal(&mut connection, &rehearsal.certificate, &mut run).unwrap();
    // Another way back is another set.
    let other = set(&[(
        "1",
        "",
        "CREATE TABLE a (id INTEGER)",
        "DROP TABLE IF EXISTS a",
    )]);
    refused(apply(&mut connection, &other));
    assert_eq!(apply(&mut connection, &three()).unwrap(), ["1", "2", "3"]);
    // What was rehearsed from nothing is not rehearsed from here.
    let back = spots_migrate::RollBack::Id("3".to_owned());
    sqlite::roll_back(&mut connection, &three(), &none, &back, &mut run).unwrap();
    refused(apply(&mut connection, &three()));
    // A rehearsal made elsewhere is brought along.
    let rehearsal = sqlite::rehearse(Some(&connection), &three(), &none).unwrap();
    let mut run = run.rehearsed(rehearsal.certificate);
    let applied = sqlite::apply(&mut connection, &three(), &none, &mut run).unwrap();
    assert_eq!(applied.ids, ["3"]);
}

/// Two that wait for each other's lock table row can only be done side by side.
#[test]
fn a_stage_runs_side_by_side_and_the_next_one_waits_for_it() {
    let cluster = Cluster::start();
    block_on(async {
        let mut client = cluster.database("beside").await;
        client
            .batch_execute("CREATE TABLE meeting (who int)")
            .await
            .unwrap();
        // Each says that it is there on a lock, and waits until the other is there too.
        let meet = |own: u32, other: u32| {
            format!(
                "SELECT pg_advisory_xact_lock({own});
                 DO $$ BEGIN
                     FOR i IN 1..1000 LOOP
                         EXIT WHEN EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = {other});
                         IF i = 1000 THEN RAISE EXCEPTION 'nobody came'; END IF;
                         PERFORM pg_sleep(0.01);
                     END LOOP;
                 END $$;
                 CREATE TABLE t{own} (id int); SELECT pg_sleep(0.05)"
            )
        };
        let (one, two) = (meet(1, 2), meet(2, 1));
        let set = set(&[
            ("1", "", one.as_str(), ""),
            ("2", "", two.as_str(), ""),
            ("3", "", "CREATE TABLE t3 AS SELECT t1.id FROM t1, t2", ""),
        ]);
        let mut beside = [cluster.connect("beside").await];
        let mut events = Vec::new();
        let mut tell = |event| events.push(event);
        let mut run = quiet_to(&mut tell);
        let none = postgres::Backfills::new();
        let applied = postgres::apply_beside(&mut client, &mut beside, &set, &none, &mut run).await;
        assert_eq!(applied.unwrap().ids, ["1", "2", "3"]);
        let started = events.iter().filter_map(|event| match event {
            Event::Started { id, number, total } => Some((id.as_str(), *number, *total)),
            _ => None,
        });
        assert_eq!(started.clone().next_back(), Some(("3", 3, 3)));
    });
}

#[test]
fn what_runs_beside_a_failed_one_is_finished_and_recorded() {
    let cluster = Cluster::start();
    block_on(async {
        let mut client = cluster.database("failing").await;
        let set = set(&[
            ("1", "", "CREATE TABLE a (id int); SELECT 1 / 0", ""),
            ("2", "", "CREATE TABLE b (id int); SELECT pg_sleep(0.3)", ""),
            (
                "3",
                "transactional = false",
                "CREATE TABLE c (id int);\nCREATE INDEX CONCURRENTLY c_id ON c (id);",
                "",
            ),
            ("4", "after = ['1']", "CREATE TABLE d (id int)", ""),
        ]);
        let mut beside = [
            cluster.connect("failing").await,
            cluster.connect("failing").await,
        ];
        let none = postgres::Backfills::new();
        let mut silent = Silent;
        let mut run = quiet(&mut silent);
        let done = postgres::apply_beside(&mut client, &mut beside, &set, &none, &mut run).await;
        assert!(matches!(done, Err(ApplyError::Failed(failure)) if failure.id == "1"));
        let records = postgres::status(&client).await.unwrap();
        let states = records
            .iter()
            .map(|record| (record.id.as_str(), record.state.as_str()))
            .collect::<BTreeSet<_>>();
        assert_eq!(
            states,
            BTreeSet::from([("1", "failed"), ("2", "applied"), ("3", "applied")])
        );
        let again = apply_there(&mut client, &set).await;
        assert!(matches!(
            again,
            Err(ApplyError::Refused(Refusal::FailedBefore { .. }))
        ));
    });
}

fn quiet_to(tell: &mut (dyn spots_migrate::Progress + Send)) -> Run<'_> {
    Run::by("test", tell).lock_timeout(Duration::from_secs(5), 100)
}

#[test]
fn a_record_of_the_first_format_is_brought_up() {
    let mut connection = Connection::open_in_memory().unwrap();
    assert_eq!(apply(&mut connection, &three()).unwrap().len(), 3);
    // As format 1 had it.
    connection
        .execute_batch(
            "DROP TABLE spots_migrate_testing; DROP TABLE spots_migrate_rehearsal;
             ALTER TABLE spots_migrate_lock DROP COLUMN environment;
             UPDATE spots_migrate_lock SET format = 1",
        )
        .unwrap();
    let mut silent = Silent;
    sqlite::set_environment(
        &mut connection,
        Environment::Staging,
        &mut quiet(&mut silent),
    )
    .unwrap();
    let standing = sqlite::standing(&connection).unwrap();
    assert_eq!(standing.environment, Some(Environment::Staging));
    assert_eq!(sqlite::status(&connection).unwrap().len(), 3);
    let cluster = Cluster::start();
    block_on(async {
        let mut client = cluster.database("old").await;
        apply_there(&mut client, &three()).await.unwrap();
        client
            .batch_execute(
                "DROP TABLE spots_migrate.testing, spots_migrate.rehearsal;
                 DROP FUNCTION spots_migrate.one_run CASCADE; DROP SEQUENCE spots_migrate.position;
                 ALTER TABLE spots_migrate.lock DROP COLUMN environment;
                 UPDATE spots_migrate.lock SET format = 1;
                 CREATE UNIQUE INDEX one_unfinished ON spots_migrate.migration ((1))
                     WHERE state IN ('running', 'failed')",
            )
            .await
            .unwrap();
        let more = set(&[
            ("1", "", "CREATE TABLE a (id INTEGER)", ""),
            ("2", "", "ALTER TABLE a ADD COLUMN n TEXT", ""),
            ("3", "", "CREATE TABLE b (id INTEGER)", ""),
            ("4", "", "CREATE TABLE c (id INTEGER)", ""),
        ]);
        assert_eq!(apply_there(&mut client, &more).await.unwrap(), ["4"]);
        let positions = postgres::status(&client).await.unwrap();
        let positions = positions.iter().map(|record| record.position);
        assert_eq!(positions.collect::<Vec<_>>(), [1, 2, 3, 4]);
    });
}
