//! The whole platform in one process: simulated time, seeded randomness, a database of its own.

mod client;
mod fixtures;
mod randomness;
mod serving;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use spots_clock::{AtomicClock, ManualSource};
use spots_migrate::Silent;
use spots_privacy::consent::sha256;
use spots_privacy::{MasterKeys, Randomness};
use spots_store::{PostgresAddress, PostgresOptions, PostgresStore, Roles, SqliteStore, Store};
use spots_web::{Platform, Settings};
use tempfile::TempDir;

use crate::postgres::Database;

pub use client::{Client, Reply};
pub use fixtures::Person;
pub use randomness::SeededRandomness;
pub use serving::Serving;

/// When the simulated world begins: 22 November 2026, 17:00 UTC, in nanoseconds.
pub const START: u64 = 1_795_366_800_000_000_000;

/// The platform under test.
pub struct TestApp {
    router: Router,
    platform: Platform,
    store: Arc<dyn Store>,
    clock: Arc<AtomicClock>,
    time: ManualSource,
    database: PathBuf,
    // Both go when the app goes.
    postgres: Option<Database>,
    directory: TempDir,
}

impl fmt::Debug for TestApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestApp")
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}

impl TestApp {
    /// The platform on SQLite in a temporary file.
    pub fn new() -> Result<Self> {
        Self::with_settings(Settings::default())
    }

    /// The platform on SQLite, as an operator set it.
    pub fn with_settings(settings: Settings) -> Result<Self> {
        let directory = TempDir::new().context("failed to make a directory for the database")?;
        let database = directory.path().join("spots.sqlite");
        let store = SqliteStore::open(&database, &mut Silent)?;
        let (clock, time) = AtomicClock::simulated(START);
        let clock = Arc::new(clock);
        let store = Arc::new(store.with_clock(Arc::clone(&clock)));
        Self::assemble(store, settings, (clock, time), (directory, database))
    }

    /// The platform on PostgreSQL, hosts' and attendees' reads behind logins of their own.
    ///
    /// Its time is simulated, and a database takes nobody into its order whose clock is far from
    /// its own. So the store keeps the machine's clock for the order.
    pub async fn on_postgres() -> Result<Self> {
        Self::on_postgres_with(Settings::default()).await
    }

    /// The same, as an operator set it.
    pub async fn on_postgres_with(settings: Settings) -> Result<Self> {
        let database = Database::create()?;
        let (url, options) = (database.url(), PostgresOptions::default());
        let store = PostgresStore::connect(&url, options, &mut Silent).await?;
        let roles = Roles::default();
        roles.set_up(&PostgresAddress::parse(&url)?).await?;
        let store = store.with_host_role(&database.url_as(&roles.host)).await?;
        let store = store
            .with_attendee_role(&database.url_as(&roles.attendee))
            .await?;
        let directory = TempDir::new().context("failed to make a directory")?;
        let path = directory.path().join("none.sqlite");
        let (clock, time) = AtomicClock::simulated(START);
        let clock = (Arc::new(clock), time);
        let mut app = Self::assemble(Arc::new(store), settings, clock, (directory, path))?;
        app.postgres = Some(database);
        Ok(app)
    }

    /// The database of an app on PostgreSQL.
    pub fn postgres(&self) -> Option<&Database> {
        self.postgres.as_ref()
    }

    /// The folder of an app on SQLite, with its database and nothing else.
    pub fn folder(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// The keys that seal what this app keeps.
    pub fn keys(&self) -> &MasterKeys {
        self.platform.keys()
    }

    /// The platform on another store; [`Self::fingerprint`] then sees nothing.
    pub fn on(store: Arc<dyn Store>) -> Result<Self> {
        let directory = TempDir::new().context("failed to make a directory")?;
        let database = directory.path().join("none.sqlite");
        let (clock, time) = AtomicClock::simulated(START);
        let clock = (Arc::new(clock), time);
        Self::assemble(store, Settings::default(), clock, (directory, database))
    }

    fn assemble(
        store: Arc<dyn Store>,
        settings: Settings,
        (clock, time): (Arc<AtomicClock>, ManualSource),
        (directory, database): (TempDir, PathBuf),
    ) -> Result<Self> {
        let random = Arc::new(SeededRandomness::new(1));
        let keys = MasterKeys::generate(random.as_ref());
        let keys = Arc::new(keys);
        let platform = Platform::new(
            Arc::clone(&store),
            Arc::clone(&clock),
            keys,
            random,
            settings,
        )?;
        Ok(Self {
            router: spots_web::router(platform.clone()),
            platform,
            store,
            clock,
            time,
            database,
            postgres: None,
            directory,
        })
    }

    /// The same store and clock with another source of randomness, and so with other keys: nobody
    /// who signed up before can sign in.
    pub fn with_randomness(self, random: Arc<dyn Randomness>) -> Result<Self> {
        let keys = Arc::new(MasterKeys::generate(random.as_ref()));
        let settings = self.platform.settings().clone();
        let (store, clock) = (Arc::clone(&self.store), Arc::clone(&self.clock));
        let platform = Platform::new(store, clock, keys, random, settings)?;
        Ok(Self {
            router: spots_web::router(platform.clone()),
            platform,
            ..self
        })
    }

    /// Someone without a session.
    pub fn anonymous(&self) -> Client {
        Client::new(self.router.clone(), None)
    }

    /// Someone with a token.
    pub fn bearer(&self, token: &str) -> Client {
        Client::new(self.router.clone(), Some(token.to_owned()))
    }

    /// The platform itself.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// All routes and layers.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Lets minutes pass.
    pub fn advance_minutes(&self, minutes: u64) {
        self.time.advance(minutes * 60 * 1_000_000_000);
    }

    /// Lets time pass.
    pub fn advance_hours(&self, hours: u64) {
        self.time.advance(hours * 3_600 * 1_000_000_000);
    }

    /// Listens on a port of this machine until the handle is dropped.
    pub async fn serve(&self) -> Result<Serving> {
        Serving::start(self.router.clone()).await
    }

    /// Every byte of the database's files, what was not yet moved out of the log included.
    pub fn database_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = std::fs::read(&self.database).context("failed to read the database")?;
        let mut log = self.database.clone().into_os_string();
        log.push("-wal");
        bytes.extend(std::fs::read(log).context("failed to read the database's log")?);
        Ok(bytes)
    }

    /// SHA-256 over every row of every table, so that a test can show that nothing was stored.
    pub fn fingerprint(&self) -> Result<[u8; 32]> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(&self.database, flags)
            .context("failed to open the database a second time")?;
        let tables: Vec<String> = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        let mut everything = Vec::new();
        for table in tables {
            everything.extend_from_slice(table.as_bytes());
            let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\""))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..columns {
                    push(&mut everything, row.get_ref(column)?);
                }
            }
        }
        Ok(sha256(&everything))
    }
}

fn push(bytes: &mut Vec<u8>, value: ValueRef<'_>) {
    match value {
        ValueRef::Null => bytes.push(0),
        ValueRef::Integer(number) => bytes.extend_from_slice(&number.to_be_bytes()),
        ValueRef::Real(number) => bytes.extend_from_slice(&number.to_be_bytes()),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text);
        }
    }
}
