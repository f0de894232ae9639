//! SQLite: one writer thread with group commit, readers beside it.

mod accounts;
mod agents;
mod bookings;
mod call_off;
mod credentials;
mod events;
mod guests;
mod hosts;
mod journal;
mod keys;
mod ledger;
mod readers;
mod rights;
mod shares;
mod store;
mod vouchers;
mod window;
mod writer;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use spots_booking::HostId;
use spots_clock::AtomicClock;
use spots_migrate::{Progress, Run};

use crate::error::StoreError;
use crate::{legacy, schema};

use self::readers::Readers;
pub use self::window::HostWindow;
use self::writer::Writer;

/// How long a connection waits for another program that holds the file.
const BUSY_MS: u32 = 5_000;
/// Pages that the writing connection keeps, in KiB: a batch of bookings must not spill.
const WRITER_CACHE_KIB: i32 = 64 * 1_024;
/// Reading connections.
const READERS: usize = 4;
/// Prepared statements that a connection keeps.
const STATEMENTS_MAX: usize = 256;

/// The platform's database in one SQLite file.
#[derive(Clone)]
pub struct SqliteStore {
    writer: Arc<Writer>,
    readers: Arc<Readers<Connection>>,
    windows: Arc<Readers<HostWindow>>,
    clock: Arc<AtomicClock>,
    path: Arc<Path>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens a database, creates it where there is none, and brings its schema up to date. The
    /// journal is stamped by a clock of its own until [`Self::with_clock`] gives it a better one.
    pub fn open(path: &Path, progress: &mut (dyn Progress + Send)) -> Result<Self, StoreError> {
        let mut connection = connect(path, OpenFlags::default())?;
        let is_old = legacy::is_old_sqlite(&connection)
            .map_err(|cause| StoreError::failed("look at the database", cause))?;
        legacy::refuse_old(is_old)?;
        let run = &mut Run::by("spots", progress);
        spots_migrate::sqlite::apply(
            &mut connection,
            &schema::migrations(),
            &legacy::sqlite_backfills(None),
            run,
        )
        .map_err(|cause| StoreError::failed("bring the database up to date", cause))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let readers = (0..READERS)
            .map(|_| connect(path, flags))
            .collect::<Result<_, _>>()?;
        let windows = (0..READERS)
            .map(|_| HostWindow::open(path))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            writer: Arc::new(Writer::start(connection)?),
            readers: Arc::new(Readers::new(readers)),
            windows: Arc::new(Readers::new(windows)),
            clock: Arc::new(
                AtomicClock::volatile()
                    .map_err(|cause| StoreError::failed("start a clock for the journal", cause))?,
            ),
            path: Arc::from(path),
        })
    }

    /// The same store with the process's clock for what is stamped in its own transaction.
    #[must_use]
    pub fn with_clock(self, clock: Arc<AtomicClock>) -> Self {
        Self { clock, ..self }
    }

    fn clock(&self) -> Arc<AtomicClock> {
        Arc::clone(&self.clock)
    }

    /// Runs an operation on the writer thread, in a savepoint of its own; answers after the
    /// commit.
    async fn write<T, F>(&self, doing: &'static str, operation: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        self.writer.run(doing, operation).await
    }

    /// Runs a read on a connection of its own, in one snapshot.
    async fn read<T, F>(&self, doing: &'static str, operation: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        self.readers.run(doing, operation).await
    }

    /// Runs a read that sees what everybody may see, on a connection that can see no more.
    async fn read_public<T, F>(&self, doing: &'static str, operation: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let read = move |window: &HostWindow| operation(window.walled());
        self.windows.run(doing, read).await
    }

    /// Runs a read as a host, on a connection that can see nothing of other hosts.
    async fn read_as_host<T, F>(
        &self,
        doing: &'static str,
        host: HostId,
        operation: F,
    ) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    {
        let read = move |window: &HostWindow| {
            window.set_host(Some(host.to_string()));
            let result = operation(window.walled());
            window.set_host(None);
            result
        };
        self.windows.run(doing, read).await
    }
}

/// Why an operation on SQLite does not succeed.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// An answer for a person.
    #[error(transparent)]
    Refused(#[from] spots_booking::Refusal),
    /// The database says no.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A row holds what this program never writes.
    #[error(transparent)]
    Row(#[from] crate::rows::Inconsistent),
    /// No timestamp.
    #[error(transparent)]
    Clock(#[from] spots_clock::ClockError),
    /// A defect; the operation is undone, the thread goes on.
    #[error("the operation panicked: {0}")]
    Panicked(String),
}

impl Fault {
    fn into_error(self, doing: &'static str) -> StoreError {
        match self {
            Self::Refused(refusal) => StoreError::Refused(refusal),
            Self::Sqlite(cause) => StoreError::failed(doing, cause),
            Self::Row(cause) => StoreError::failed(doing, cause),
            Self::Clock(cause) => StoreError::failed(doing, cause),
            Self::Panicked(text) => StoreError::failed(doing, format!("it panicked: {text}")),
        }
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(std::time::Duration::from_millis(u64::from(BUSY_MS)))?;
        if !connection.is_readonly(rusqlite::MAIN_DB)? {
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        }
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", "on")?;
        connection.pragma_update(None, "trusted_schema", "off")?;
        // What a savepoint would bring back, and what a query sorts, goes to no file.
        connection.pragma_update(None, "temp_store", "memory")?;
        // What is deleted is overwritten, so that a destroyed key does not stay in a free page.
        connection.pragma_update(None, "secure_delete", "on")?;
        // A plan holds for every value: SQLite would make each anew whenever a value is bound.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Ok(connection)
    };
    open().map_err(|cause| StoreError::failed("open the database file", cause))
}
