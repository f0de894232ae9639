//! A platform on either database, with the database itself in reach.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use serde_json::json;
use spots_booking::EventType;
use spots_migrate::Silent;
use spots_privacy::ledger::PublicKey;
use spots_store::{PostgresOptions, PostgresStore, SqliteStore, Store};
use spots_testkit::app::{Person, TestApp};
use spots_testkit::postgres::Database;
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// A database that nobody is connected to.
pub(super) enum Engine {
    Sqlite(TempDir),
    Postgres(Database),
}

impl Engine {
    pub(super) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    pub(super) fn postgres() -> Self {
        Self::Postgres(Database::create().unwrap())
    }

    /// A copy, as a backup is one: of the file, or by the server, which gives connections that are
    /// being closed some seconds to go.
    pub(super) fn copy(&self) -> Self {
        match self {
            Self::Sqlite(from) => {
                let to = tempfile::tempdir().unwrap();
                for entry in std::fs::read_dir(from.path()).unwrap() {
                    let entry = entry.unwrap();
                    std::fs::copy(entry.path(), to.path().join(entry.file_name())).unwrap();
                }
                Self::Sqlite(to)
            }
            Self::Postgres(database) => Self::Postgres(database.copy().unwrap()),
        }
    }

    fn file(directory: &TempDir) -> PathBuf {
        directory.path().join("spots.sqlite")
    }

    async fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(directory) => {
                Arc::new(SqliteStore::open(&Self::file(directory), &mut Silent).unwrap())
            }
            Self::Postgres(database) => {
                let options = PostgresOptions::default();
                let store = PostgresStore::connect(&database.url(), options, &mut Silent).await;
                Arc::new(store.unwrap())
            }
        }
    }

    /// What somebody who owns the database may type: first they switch off what refuses it.
    async fn attack(&self, statements: &[&str]) {
        match self {
            Self::Sqlite(directory) => {
                let connection = Connection::open(Self::file(directory)).unwrap();
                let guards: Vec<String> = connection
                    .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
                    .unwrap()
                    .query_map([], |row| row.get(0))
                    .unwrap()
                    .collect::<Result<_, _>>()
                    .unwrap();
                for guard in guards {
                    let drop = format!("DROP TRIGGER {guard}");
                    connection.execute_batch(&drop).unwrap();
                }
                let drop = "DROP INDEX ledger_entries_position";
                connection.execute_batch(drop).unwrap();
                for sql in statements {
                    connection.execute_batch(sql).unwrap();
                }
            }
            Self::Postgres(database) => {
                let (client, connection) = tokio_postgres::connect(&database.url(), NoTls)
                    .await
                    .unwrap();
                let connection = tokio::spawn(connection);
                let guards = "SET session_replication_role = replica;
                              DROP INDEX ledger_entries_position";
                client.batch_execute(guards).await.unwrap();
                for sql in statements {
                    client.batch_execute(sql).await.unwrap();
                }
                drop(client);
                connection.await.unwrap().unwrap();
            }
        }
    }
}

/// Ada shared a name and a phone number with a café, Bob a name.
pub(super) struct World {
    pub(super) app: TestApp,
    pub(super) ada: Person,
    bob: Person,
    closed: Closed,
}

/// The same without anybody connected.
pub(super) struct Closed {
    engine: Engine,
    ids: Ids,
}

#[derive(Clone)]
struct Ids {
    mira: Known,
    ada: Known,
    bob: Known,
    host: String,
    event: String,
    share: String,
}

/// Someone without the client, which would keep the platform and its connections alive.
#[derive(Clone)]
struct Known {
    token: String,
    user_id: String,
    agent_id: String,
}

impl Known {
    fn of(person: &Person) -> Self {
        Self {
            token: person.token.clone(),
            user_id: person.user_id.clone(),
            agent_id: person.agent_id.clone(),
        }
    }

    fn at(&self, app: &TestApp) -> Person {
        Person {
            client: app.bearer(&self.token),
            token: self.token.clone(),
            user_id: self.user_id.clone(),
            agent_id: self.agent_id.clone(),
        }
    }
}

impl Closed {
    /// A backup.
    pub(super) fn copy(&self) -> Self {
        Self {
            engine: self.engine.copy(),
            ids: self.ids.clone(),
        }
    }
}

impl World {
    pub(super) async fn build(engine: Engine) -> Self {
        let app = TestApp::on(engine.store().await).unwrap();
        let mira = app.person("Mira").await.unwrap();
        let ada = app.person("Ada").await.unwrap();
        let bob = app.person("Bob").await.unwrap();
        let host = mira.add_host("Café Mira", "business").await.unwrap();
        let asked = [("name", "optional"), ("phoneNumber", "optional")];
        mira.ask(&host, EventType::Reservation, &asked)
            .await
            .unwrap();
        let event = mira.add_event(&host, EventType::Reservation, None).await;
        let event = event.unwrap();
        let data = json!({
            "name": "Ada", "phoneNumber": "+4930555010101", "sharedWithHost": true,
        });
        ada.book(&event, &data).await.unwrap();
        let data = json!({"name": "Bob", "sharedWithHost": true});
        bob.book(&event, &data).await.unwrap();
        let shares = ada.client.get("/api/v1/me/shares").await.unwrap();
        let share = shares.json(200).unwrap()["items"][0]["shareId"]
            .as_str()
            .unwrap()
            .to_owned();
        let ids = Ids {
            mira: Known::of(&mira),
            ada: Known::of(&ada),
            bob: Known::of(&bob),
            host,
            event,
            share,
        };
        let closed = Closed { engine, ids };
        Self {
            app,
            ada,
            bob,
            closed,
        }
    }

    /// Opens a database again, some hours later, under the same keys.
    pub(super) async fn open(closed: Closed) -> Self {
        static OPENED: AtomicU64 = AtomicU64::new(1);
        let app = TestApp::on(closed.engine.store().await).unwrap();
        app.advance_hours(OPENED.fetch_add(1, Ordering::Relaxed));
        let (ada, bob) = (closed.ids.ada.at(&app), closed.ids.bob.at(&app));
        Self {
            app,
            ada,
            bob,
            closed,
        }
    }

    /// The same after somebody who owns the database typed something.
    pub(super) async fn attacked(closed: Closed, statements: &[&str]) -> Self {
        closed.engine.attack(statements).await;
        Self::open(closed).await
    }

    /// Closes every connection.
    pub(super) fn close(self) -> Closed {
        self.closed
    }

    pub(super) fn key(&self) -> PublicKey {
        self.app.platform().ledger_key().public().clone()
    }

    pub(super) async fn sequence(&self) {
        let platform = self.app.platform();
        spots_web::ledger::sequence(platform.store(), platform.ledger_key())
            .await
            .unwrap();
    }

    pub(super) async fn size(&self) -> u64 {
        let last = self.app.platform().store().last_checkpoint().await;
        last.unwrap().unwrap().size
    }

    pub(super) async fn checkpoint(&self) -> String {
        let last = self.app.platform().store().last_checkpoint().await;
        last.unwrap().unwrap().note
    }

    /// Ada takes a field back.
    pub(super) async fn revoke(&self, field: &str) {
        let path = format!("/api/v1/me/shares/{}?field={field}", self.closed.ids.share);
        let reply = self.ada.client.delete(&path).await.unwrap();
        assert_eq!(reply.json(200).unwrap()["revokedFields"], 1);
    }

    /// Ada's receipt, as she downloads it.
    pub(super) async fn receipt(&self) -> String {
        let path = format!("/api/v1/me/shares/{}/receipt", self.closed.ids.share);
        let reply = self.ada.client.get(&path).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.text()
    }

    /// How many guests the café reads under this name.
    pub(super) async fn host_sees(&self, name: &str) -> usize {
        let Ids {
            mira, host, event, ..
        } = &self.closed.ids;
        let path = format!("/api/v1/hosts/{host}/events/{event}/guests");
        let client = self.app.bearer(&mira.token);
        let text = client.get(&path).await.unwrap().text();
        text.matches(&format!("\"{name}\"")).count()
    }

    pub(super) async fn erase_second_person(&self) {
        let reply = self.bob.client.delete("/api/v1/me").await.unwrap();
        assert_eq!(reply.status, 200);
    }

    /// Whether the account still lets its session in.
    pub(super) async fn second_person_signs_in(&self) -> bool {
        self.bob
            .client
            .get("/api/v1/me/profile")
            .await
            .unwrap()
            .status
            == 200
    }
}
