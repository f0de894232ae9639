//! The database that is searched, looked at from behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use rusqlite::{Connection, OpenFlags};
use spots_clock::AtomicClock;
use spots_privacy::{MasterKeys, remains};
use spots_store::{PostgresAddress, Store};
use spots_web::leaks::{Leak, Secret, Share};

use crate::commands::serve::Database;
use crate::output::Output;

const KEYS: &str = "SELECT wrapped_key FROM share_keys";
const PEOPLE: &str = "SELECT count(*) FROM user_credentials";

/// Which database, by how it is opened.
pub(super) struct Kept {
    database: Database,
}

impl Kept {
    /// The one that is named, or a file in this folder.
    pub(super) fn new(url: Option<&str>, folder: &Path) -> anyhow::Result<Self> {
        let database = match url {
            Some(url) => Database::parse(url)?,
            None => Database::Sqlite(folder.join("leaks.db")),
        };
        Ok(Self { database })
    }

    pub(super) async fn open(
        &self,
        clock: Arc<AtomicClock>,
        output: &mut Output,
    ) -> anyhow::Result<Arc<dyn Store>> {
        self.database.open(Some(clock), output).await
    }

    /// How many accounts there are.
    pub(super) async fn people(&self) -> anyhow::Result<i64> {
        match &self.database {
            Database::Sqlite(path) => {
                Ok(Connection::open(path)?.query_row(PEOPLE, [], |row| row.get(0))?)
            }
            Database::Postgres(url) => {
                let client = PostgresAddress::parse(url)?.connect().await?;
                Ok(client.query_one(PEOPLE, &[]).await?.try_get(0)?)
            }
        }
    }

    /// The wrapped keys of what is shared now, and will not be.
    pub(super) async fn wrapped_keys(&self) -> anyhow::Result<Vec<Secret>> {
        let secret = |bytes| Secret {
            what: "destroyed key",
            bytes,
        };
        match &self.database {
            Database::Sqlite(path) => {
                let connection = Connection::open(path)?;
                let mut statement = connection.prepare(KEYS)?;
                let rows = statement.query_map([], |row| Ok(secret(row.get(0)?)))?;
                Ok(rows.collect::<rusqlite::Result<_>>()?)
            }
            Database::Postgres(url) => {
                let client = PostgresAddress::parse(url)?.connect().await?;
                let rows = client.query(KEYS, &[]).await?;
                let keys = rows.iter().map(|row| Ok(secret(row.try_get(0)?)));
                keys.collect()
            }
        }
    }

    /// Lets the database settle, takes a backup, and says which files hold what it keeps.
    pub(super) async fn settle(&self, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
        match &self.database {
            Database::Sqlite(path) => {
                let backup = folder.join("backup.db");
                let connection = Connection::open_with_flags(path, OpenFlags::default())?;
                connection
                    .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                    .context("failed to empty the database's log")?;
                let target = backup.to_string_lossy().into_owned();
                connection
                    .execute("VACUUM INTO ?1", [target])
                    .context("failed to take a backup")?;
                let log = |suffix: &str| {
                    let mut name = path.clone().into_os_string();
                    name.push(suffix);
                    PathBuf::from(name)
                };
                let files = [path.clone(), log("-wal"), log("-shm"), backup];
                Ok(files.into_iter().filter(|path| path.exists()).collect())
            }
            Database::Postgres(url) => {
                let client = PostgresAddress::parse(url)?.connect().await?;
                let rows = folder.join("rows");
                fs::write(&rows, dump(&client).await?)?;
                Ok(vec![rows])
            }
        }
    }
}

/// Every row of every table as text.
async fn dump(client: &tokio_postgres::Client) -> anyhow::Result<String> {
    let tables = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()";
    let mut text = String::new();
    for table in client.query(tables, &[]).await? {
        let table: String = table.try_get(0)?;
        let rows = client
            .query(&format!("SELECT t::text FROM {table} t"), &[])
            .await?;
        for row in rows {
            text.push_str(&table);
            text.push_str(row.try_get(0)?);
            text.push('\n');
        }
    }
    Ok(text)
}

/// Destroyed keys in these files that the master key still opens.
pub(super) fn still_opening(
    keys: &MasterKeys,
    shares: &[Share],
    places: &[PathBuf],
) -> anyhow::Result<Vec<Leak>> {
    let mut leaks = Vec::new();
    for place in places.iter().filter(|place| place.is_file()) {
        let bytes =
            fs::read(place).with_context(|| format!("failed to search {}", place.display()))?;
        for Share { share, field } in shares {
            if let Some(at) = remains::find_opening(keys, (share, field), &bytes) {
                leaks.push(Leak {
                    what: "destroyed key",
                    form: "which the master key still opens",
                    place: place.display().to_string(),
                    at,
                });
            }
        }
    }
    Ok(leaks)
}
