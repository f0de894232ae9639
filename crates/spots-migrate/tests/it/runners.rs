//! Several runners at once: one works, the others wait and say for whom, none fails.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use spots_migrate::{Batch, Event, MigrationSet, Run, State, postgres, sqlite};

use crate::support::cluster::{self, Cluster};
use crate::support::{folder, set};

/// The last of three is a step of the program, in which the first runner is held up.
fn three() -> MigrationSet {
    set(&[
        ("1", "", "CREATE TABLE a (id INTEGER)", "DROP TABLE a"),
        (
            "2",
            "",
            "CREATE TABLE b (id INTEGER); INSERT INTO b VALUES (1)",
            "DROP TABLE b",
        ),
        (
            "3",
            "backfill = 'slow'",
            "CREATE TABLE c (id INTEGER)",
            "DROP TABLE c",
        ),
    ])
}

/// What the runners of a test share.
#[derive(Default)]
struct Shared {
    /// The step of the program is at work.
    works: AtomicBool,
    /// The step may end.
    go: AtomicBool,
    /// How many runners have said that they wait.
    waiting: AtomicUsize,
    /// For whom.
    holders: Mutex<Vec<String>>,
}

impl Shared {
    fn until(&self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// A runner's progress: only the first wait counts.
    fn hear(&self, first: &mut bool, event: Event) {
        if let Event::Waiting { holder, .. } = event {
            self.holders.lock().unwrap().push(holder);
            if std::mem::take(first) {
                self.waiting.fetch_add(1, Ordering::SeqCst);
            }
        }
    }

    /// Ends the step once so many wait, after a look at the lock.
    fn watch(&self, others: usize, look: impl FnOnce() -> Vec<String>) {
        self.until(|shared| {
            shared.works.load(Ordering::SeqCst) && shared.waiting.load(Ordering::SeqCst) == others
        });
        let said = look().join("\n");
        assert!(said.contains("held by runner"), "{said}");
        assert!(said.contains("slow, not abandoned"), "{said}");
        assert!(said.contains("nothing was changed; --force"), "{said}");
        self.go.store(true, Ordering::SeqCst);
    }

    fn named(&self) -> bool {
        let holders = self.holders.lock().unwrap();
        holders.iter().any(|holder| holder.contains("runner"))
    }
}

struct Slow(Arc<Shared>);

impl Slow {
    fn step(&self) -> Batch {
        self.0.works.store(true, Ordering::SeqCst);
        self.0.until(|shared| shared.go.load(Ordering::SeqCst));
        Batch {
            rows: 1,
            next: None,
        }
    }
}

impl sqlite::Backfill for Slow {
    fn count(&self, _: &Connection) -> Result<u64, Box<dyn Error + Send + Sync>> {
        Ok(1)
    }

    fn batch(
        &self,
        _: &rusqlite::Transaction<'_>,
        _: Option<&str>,
        _: u32,
    ) -> Result<Batch, Box<dyn Error + Send + Sync>> {
        Ok(self.step())
    }
}

#[async_trait::async_trait]
impl postgres::Backfill for Slow {
    async fn count(&self, _: &tokio_postgres::Client) -> Result<u64, Box<dyn Error + Send + Sync>> {
        Ok(1)
    }

    async fn batch(
        &self,
        transaction: &tokio_postgres::Transaction<'_>,
        _: Option<&str>,
        _: u32,
    ) -> Result<Batch, Box<dyn Error + Send + Sync>> {
        self.0.works.store(true, Ordering::SeqCst);
        // The server sees a session at work, as it would in a long statement.
        while !self.0.go.load(Ordering::SeqCst) {
            transaction.execute("SELECT pg_sleep(0.3)", &[]).await?;
        }
        Ok(Batch {
            rows: 1,
            next: None,
        })
    }
}

/// Starts so many runners, watches them, and counts who applied what.
fn together(
    count: usize,
    run: impl Fn(usize, Arc<Shared>) -> Vec<String> + Clone + Send + 'static,
    look: impl FnOnce() -> Vec<String>,
) {
    let shared = Arc::new(Shared::default());
    let runners = (0..count)
        .map(|number| {
            let (run, shared) = (run.clone(), Arc::clone(&shared));
            thread::spawn(move || run(number, shared))
        })
        .collect::<Vec<_>>();
    shared.watch(count - 1, look);
    let mut applied = runners
        .into_iter()
        .map(|runner| runner.join().expect("no runner fails"))
        .collect::<Vec<_>>();
    applied.sort();
    let (last, others) = applied.split_last().unwrap();
    assert_eq!(last, &["1", "2", "3"], "one does all of it");
    assert!(
        others.iter().all(Vec::is_empty),
        "the others find nothing left"
    );
    assert!(shared.named(), "whoever waits says for whom");
}

fn on_sqlite(file: &Path, number: usize, shared: &Arc<Shared>) -> Vec<String> {
    let backfills = sqlite::Backfills::new().with("slow", Slow(Arc::clone(shared)));
    let mut connection = Connection::open(file).unwrap();
    let mut first = true;
    let mut tell = |event| shared.hear(&mut first, event);
    let mut run = Run::by(format!("runner {number}"), &mut tell);
    sqlite::apply(&mut connection, &three(), &backfills, &mut run)
        .unwrap()
        .ids
}

fn together_on_sqlite(count: usize) {
    let dir = folder();
    let file = dir.path().join("db");
    let theirs = file.clone();
    together(
        count,
        move |number, shared| on_sqlite(&theirs, number, &shared),
        || {
            let mut connection = Connection::open(&file).unwrap();
            let refused = sqlite::unlock(&mut connection, None, true).unwrap_err();
            let refused = refused.to_string();
            assert!(refused.contains("in the middle of a step"), "{refused}");
            sqlite::unlock(&mut connection, None, false).unwrap()
        },
    );
    let records = sqlite::status(&Connection::open(&file).unwrap()).unwrap();
    assert!(records.iter().all(|record| record.state == State::Applied));
    let rows = Connection::open(&file)
        .unwrap()
        .query_row("SELECT count(*) FROM b", [], |row| row.get::<_, i64>(0));
    assert_eq!(rows.unwrap(), 1, "nothing runs twice");
}

#[test]
fn of_two_runners_on_sqlite_one_waits() {
    together_on_sqlite(2);
}

#[test]
fn of_five_runners_on_sqlite_four_wait() {
    together_on_sqlite(5);
}

fn together_on_postgres(count: usize) {
    let cluster = Cluster::start();
    let name = "runners";
    cluster::block_on(async { drop(cluster.database(name).await) });
    let config = cluster.config(name);
    let theirs = config.clone();
    together(
        count,
        move |number, shared| {
            cluster::block_on(async {
                let backfills = postgres::Backfills::new().with("slow", Slow(Arc::clone(&shared)));
                let mut client = cluster::connect(&theirs).await;
                let mut first = true;
                let mut tell = |event| shared.hear(&mut first, event);
                let mut run = Run::by(format!("runner {number}"), &mut tell);
                postgres::apply(&mut client, &three(), &backfills, &mut run)
                    .await
                    .unwrap()
                    .ids
            })
        },
        || {
            cluster::block_on(async {
                let mut client = cluster::connect(&config).await;
                loop {
                    let said = postgres::unlock(&mut client, None, false).await.unwrap();
                    // Between two of its statements the session is silent.
                    if said.iter().any(|line| line.contains("not abandoned")) {
                        return said;
                    }
                }
            })
        },
    );
    cluster::block_on(async {
        let client = cluster::connect(&config).await;
        let records = postgres::status(&client).await.unwrap();
        assert!(records.iter().all(|record| record.state == State::Applied));
        let rows = client.query_one("SELECT count(*) FROM b", &[]).await;
        assert_eq!(rows.unwrap().get::<_, i64>(0), 1, "nothing runs twice");
    });
}

#[test]
fn of_two_runners_on_postgres_one_waits() {
    together_on_postgres(2);
}

#[test]
fn of_five_runners_on_postgres_four_wait() {
    together_on_postgres(5);
}

#[test]
fn a_look_at_the_lock_of_a_new_database_leaves_nothing_in_it() {
    let mut connection = Connection::open_in_memory().unwrap();
    let said = sqlite::unlock(&mut connection, None, false).unwrap();
    assert_eq!(said, ["nobody holds the lock"]);
    sqlite::unlock(&mut connection, Some("1"), false).unwrap_err();
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| {
        row.get::<_, i64>(0)
    });
    assert_eq!(tables.unwrap(), 0);
    let cluster = Cluster::start();
    cluster::block_on(async {
        let mut client = cluster.database("new").await;
        let said = postgres::unlock(&mut client, None, false).await.unwrap();
        assert_eq!(said, ["nobody holds the lock"]);
        let refused = postgres::unlock(&mut client, Some("1"), false).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("1 has not failed"), "{refused}");
        let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'spots_migrate'";
        let schemas = client.query_one(schemas, &[]).await.unwrap();
        assert_eq!(schemas.get::<_, i64>(0), 0);
    });
}
