//! An old database as it is read: never written.

use std::collections::BTreeMap;

use rusqlite::{Connection, OpenFlags};
use tokio_postgres::Client;

use super::moves::Row;
use super::{postgres, sqlite};
use crate::error::StoreError;
use crate::postgres::PostgresAddress;

const DOING: &str = "read the old database";

/// An open old database.
pub enum Source {
    /// An SQLite file.
    Sqlite(Connection),
    /// A PostgreSQL database.
    Postgres(Box<Client>),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source(…)")
    }
}

/// Table → column → type, as the database says.
pub(super) type Catalogue = BTreeMap<String, BTreeMap<String, String>>;

impl Source {
    /// Opens `postgres://…` or an SQLite file, for reading alone.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        if PostgresAddress::is_url(url) {
            let client = PostgresAddress::parse(url)?.connect().await?;
            client
                .batch_execute(
                    "SET default_transaction_read_only = on;
                     BEGIN ISOLATION LEVEL REPEATABLE READ",
                )
                .await
                .map_err(|cause| StoreError::failed(DOING, cause))?;
            return Ok(Self::Postgres(Box::new(client)));
        }
        let path = url
            .trim_start_matches("sqlite://")
            .trim_start_matches("sqlite:");
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(|cause| StoreError::failed(DOING, cause))?;
        Ok(Self::Sqlite(connection))
    }

    pub(super) async fn rows(&mut self, sql: &str) -> Result<Vec<Row>, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::query(connection, sql, &[])
                .map_err(|cause| StoreError::failed(DOING, cause)),
            Self::Postgres(client) => {
                let rows = client.query(sql, &[]).await;
                rows.and_then(|rows| rows.iter().map(postgres::row).collect())
                    .map_err(|cause| StoreError::failed(DOING, cause))
            }
        }
    }

    /// Every table that people made, by its name, with its schema unless that is `public`.
    pub(super) async fn catalogue(&mut self) -> Result<Catalogue, StoreError> {
        let sql = match self {
            Self::Sqlite(_) => {
                "SELECT m.name, c.name, upper(c.type) FROM sqlite_schema m
                 JOIN pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            }
            Self::Postgres(_) => {
                "SELECT CASE WHEN c.table_schema = 'public' THEN c.table_name::text
                             ELSE c.table_schema || '.' || c.table_name END,
                        c.column_name::text, upper(c.data_type::text)
                 FROM information_schema.columns c
                 JOIN information_schema.tables t USING (table_schema, table_name)
                 WHERE t.table_type = 'BASE TABLE'
                   AND c.table_schema NOT IN ('pg_catalog', 'information_schema')"
            }
        };
        let mut catalogue = Catalogue::new();
        for row in self.rows(sql).await? {
            let columns = catalogue.entry(row.key().to_owned()).or_default();
            columns.insert(row.text(1).to_owned(), row.text(2).to_owned());
        }
        Ok(catalogue)
    }

    /// Reads an old column as text or as a number of seconds.
    pub(super) fn expression(&self, to: &str, column: &str, kind: &str) -> String {
        let name = quoted(column);
        let is_time = matches!(to, "starts_at" | "ends_at");
        match self {
            Self::Sqlite(_) if is_time => format!("CAST({name} AS INTEGER)"),
            Self::Sqlite(_) => format!("CAST({name} AS TEXT)"),
            Self::Postgres(_) if is_time && kind.contains("TIME") => {
                format!("floor(extract(epoch FROM {name}))::bigint")
            }
            Self::Postgres(_) if is_time => format!("{name}::bigint"),
            Self::Postgres(_) if kind == "ARRAY" => format!("to_json({name})::text"),
            Self::Postgres(_) => format!("{name}::text"),
        }
    }
}

/// A table's name, with or without its schema, as SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    let parts = name.split('.').map(spots_migrate::quoted);
    parts.collect::<Vec<_>>().join(".")
}
