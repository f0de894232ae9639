//! The runner on PostgreSQL.

use std::error::Error;
use std::time::Duration;

use spots_migrate::postgres::{Backfill, Backfills, apply, roll_back, status};
use spots_migrate::{
    ApplyError, Batch, Event, MigrationSet, Refusal, RollBack, Run, Silent, State,
};
use tokio_postgres::{Client, Transaction};

use crate::sqlite::{LOSSES, losing};
use crate::support::cluster::{self, Cluster};
use crate::support::{quiet, set};

async fn go(client: &mut Client, set: &MigrationSet) -> Result<Vec<String>, ApplyError> {
    let mut silent = Silent;
    apply(client, set, &Backfills::new(), &mut quiet(&mut silent))
        .await
        .map(|applied| applied.ids)
}

async fn count(client: &Client, table: &str) -> i64 {
    let query = format!("SELECT count(*) FROM {table}");
    client.query_one(&query, &[]).await.unwrap().get(0)
}

const TWO: &[(&str, &str, &str, &str)] = &[
    (
        "1",
        "",
        "CREATE TABLE a (id int PRIMARY KEY); SET search_path = ''",
        "DROP TABLE a",
    ),
    (
        "2",
        "after = ['1']",
        "CREATE TABLE b (a int REFERENCES a)",
        "DROP TABLE b",
    ),
];

fn in_runtime<F: Future<Output = ()>>(body: impl FnOnce(Cluster) -> F) {
    cluster::block_on(body(Cluster::start()));
}

#[test]
fn applies_once_rolls_back_and_names_failures() {
    in_runtime(|cluster| async move {
        let mut client = cluster.database("one").await;
        let two = set(TWO);
        assert_eq!(go(&mut client, &two).await.unwrap(), ["1", "2"]);
        assert!(go(&mut client, &two).await.unwrap().is_empty());
        let target = RollBack::Id("1".into());
        let mut silent = Silent;
        let back = roll_back(
            &mut client,
            &two,
            &Backfills::new(),
            &target,
            &mut quiet(&mut silent),
        )
        .await
        .unwrap();
        assert_eq!(back.ids, ["2", "1"]);
        let records = status(&client).await.unwrap();
        assert!(
            records
                .iter()
                .all(|record| record.state == State::RolledBack)
        );
        for (up, line, statement) in [
            (
                "CREATE TABLE é (id int);\n\nINSERT INTO nowhere VALUES (1);",
                3,
                2,
            ),
            (
                "CREATE TABLE c (id int PRIMARY KEY);\nINSERT INTO c VALUES (1);\nINSERT INTO c VALUES (1);\nSELECT 1;",
                3,
                3,
            ),
            ("SELECT 1;\nSELEC 2;", 2, 2),
            (
                "CREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE q (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO q VALUES (1)",
                3,
                3,
            ),
        ] {
            let broken = set(&[("1", "", up, "")]);
            let error = go(&mut client, &broken).await.unwrap_err();
            let ApplyError::Failed(failure) = &error else {
                panic!("{error}")
            };
            assert_eq!(
                (failure.line, failure.statement, failure.done),
                (line, statement, 0),
                "{failure}"
            );
            let again = go(&mut client, &broken).await.unwrap_err();
            assert!(matches!(
                again,
                ApplyError::Refused(Refusal::FailedBefore { .. })
            ));
        }
        assert_eq!(go(&mut client, &two).await.unwrap(), ["1", "2"]);
    });
}

#[test]
fn five_runners_at_once_with_a_concurrent_index_build() {
    in_runtime(|cluster| async move {
        let mut first = cluster.database("five").await;
        let one = set(&[(
            "1",
            "",
            "CREATE TABLE a AS SELECT i AS id FROM generate_series(1, 20000) i",
            "",
        )]);
        go(&mut first, &one).await.unwrap();
        let two = set(&[
            (
                "1",
                "",
                "CREATE TABLE a AS SELECT i AS id FROM generate_series(1, 20000) i",
                "",
            ),
            (
                "2",
                "transactional = false",
                "CREATE INDEX CONCURRENTLY by_id ON a (id);\nVACUUM a;\nCREATE TABLE b (id int);",
                "",
            ),
        ]);
        let mut runners = Vec::new();
        for _ in 0..5 {
            let mut client = cluster.connect("five").await;
            let two = two.clone();
            runners.push(tokio::spawn(async move {
                go(&mut client, &two).await.unwrap().len()
            }));
        }
        let mut applied = 0;
        for runner in runners {
            applied += runner.await.unwrap();
        }
        assert_eq!(applied, 1);
        assert_eq!(count(&first, "pg_index WHERE NOT indisvalid").await, 0);
    });
}

#[test]
fn an_invalid_index_of_a_dead_run_is_dropped_and_built_again() {
    in_runtime(|cluster| async move {
        let mut client = cluster.database("dead").await;
        let base = (
            "1",
            "",
            "CREATE TABLE a (id int); INSERT INTO a VALUES (1), (1)",
            "",
        );
        let build = (
            "2",
            "transactional = false",
            "CREATE UNIQUE INDEX CONCURRENTLY by_id ON a (id)",
            "",
        );
        let set = set(&[base, build]);
        go(&mut client, &set).await.unwrap_err();
        assert_eq!(
            count(&client, "pg_class WHERE relname = 'by_id'").await,
            0,
            "nothing left behind"
        );
        // As a run leaves it that died inside the build.
        client
            .batch_execute("CREATE UNIQUE INDEX CONCURRENTLY by_id ON a (id)")
            .await
            .unwrap_err();
        client
            .batch_execute("UPDATE spots_migrate.migration SET state = 'running', failure = NULL WHERE id = '2'; TRUNCATE a")
            .await
            .unwrap();
        assert_eq!(count(&client, "pg_index WHERE NOT indisvalid").await, 1);
        assert_eq!(go(&mut client, &set).await.unwrap(), ["2"]);
        assert_eq!(count(&client, "pg_index WHERE NOT indisvalid").await, 0);
        assert_eq!(count(&client, "pg_class WHERE relname = 'by_id'").await, 1);
    });
}

#[test]
fn a_lock_on_a_table_is_retried_until_it_is_had() {
    in_runtime(|cluster| async move {
        let mut client = cluster.database("busy").await;
        let base = ("1", "", "CREATE TABLE a (id int)", "");
        go(&mut client, &set(&[base])).await.unwrap();
        let mut other = cluster.connect("busy").await;
        let open = other.transaction().await.unwrap();
        open.batch_execute("LOCK TABLE a").await.unwrap();
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let runner = tokio::spawn(async move {
            let two = set(&[base, ("2", "", "ALTER TABLE a ADD COLUMN b int", "")]);
            let mut tell = |event| tell.send(event).unwrap();
            let mut run = Run::by("test", &mut tell).lock_timeout(Duration::from_millis(50), 100);
            apply(&mut client, &two, &Backfills::new(), &mut run)
                .await
                .unwrap()
        });
        while !matches!(told.recv().await, Some(Event::Retrying { attempt: 2, .. })) {}
        open.rollback().await.unwrap();
        assert_eq!(runner.await.unwrap().ids, ["2"]);
    });
}

#[test]
fn a_loss_is_named_by_rows_and_columns_and_asks_for_consent() {
    in_runtime(|cluster| async move {
        for (number, case) in LOSSES.iter().enumerate() {
            let mut client = cluster.database(&format!("loss{number}")).await;
            let set = losing(case);
            go(&mut client, &set).await.unwrap();
            let rows = "INSERT INTO a VALUES (1, 'x'), (2, NULL)";
            client.batch_execute(rows).await.unwrap();
            let all = RollBack::All;
            let none = Backfills::new();
            let mut silent = Silent;
            let mut run = quiet(&mut silent);
            let result = roll_back(&mut client, &set, &none, &all, &mut run).await;
            let Some(said) = case.2 else {
                assert_eq!(result.unwrap().ids, ["2", "1"], "{case:?}");
                continue;
            };
            let refused = result.unwrap_err().to_string();
            assert!(refused.contains(said), "{said}: {refused}");
            assert_eq!(count(&client, "a").await, 2, "nothing was touched");
            let mut run = quiet(&mut silent).accept_data_loss(["2".to_owned()]);
            let back = roll_back(&mut client, &set, &none, &all, &mut run).await;
            assert_eq!(back.unwrap().ids, ["2", "1"]);
        }
    });
}

struct Double;

#[async_trait::async_trait]
impl Backfill for Double {
    async fn count(&self, client: &Client) -> Result<u64, Box<dyn Error + Send + Sync>> {
        Ok(count(client, "a").await.unsigned_abs())
    }

    async fn batch(
        &self,
        transaction: &Transaction<'_>,
        from: Option<&str>,
        rows: u32,
    ) -> Result<Batch, Box<dyn Error + Send + Sync>> {
        let from = from.map_or(Ok(0), str::parse::<i32>)?;
        let last = from + i32::try_from(rows)?;
        let rows = transaction
            .execute(
                "UPDATE a SET twice = 2 * id WHERE id > $1 AND id <= $2",
                &[&from, &last],
            )
            .await?;
        Ok(Batch {
            rows,
            next: (rows > 0).then(|| last.to_string()),
        })
    }
}

#[test]
fn a_backfill_runs_in_batches_and_conditions_guard_the_way_back() {
    in_runtime(|cluster| async move {
        let mut client = cluster.database("fill").await;
        let set = set(&[(
            "1",
            "backfill = 'double'\n[rollback]\nconditions = [{ holds = 'NOT EXISTS (SELECT 1 FROM a)', message = 'a is empty' }]",
            "CREATE TABLE a AS SELECT i AS id, NULL::int AS twice FROM generate_series(1, 95) i",
            "DROP TABLE a",
        )]);
        let backfills = Backfills::new().with("double", Double);
        let mut silent = Silent;
        let mut run = quiet(&mut silent).batch_rows(10);
        apply(&mut client, &set, &backfills, &mut run)
            .await
            .unwrap();
        assert_eq!(count(&client, "a WHERE twice = 2 * id").await, 95);
        let error = roll_back(&mut client, &set, &backfills, &RollBack::All, &mut run)
            .await
            .unwrap_err();
        assert!(matches!(
            error,
            ApplyError::Refused(Refusal::Condition { .. })
        ));
        client.batch_execute("DELETE FROM a").await.unwrap();
        roll_back(&mut client, &set, &backfills, &RollBack::All, &mut run)
            .await
            .unwrap();
    });
}
