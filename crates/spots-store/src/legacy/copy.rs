//! Copies a mapped old database into the baseline's tables of a new one.

use super::moves::{Holds, Row, Table, Value, Write};
use super::source::Source;
use super::survey::Survey;
use super::{postgres, sqlite};
use crate::error::StoreError;

/// Rows that go in one statement.
const CHUNK: usize = 1_000;
const DOING: &str = "copy the old database";

const EVENT_COLUMNS: &[(&str, Holds)] = &[
    ("id", Holds::Text),
    ("host_user_id", Holds::Text),
    ("title", Holds::Text),
    ("starts_at", Holds::Int),
    ("ends_at", Holds::Int),
    ("attendee_ids", Holds::Text),
];
static TABLES: [(&str, Table); 5] = [
    (
        "users",
        Table {
            name: "users",
            columns: &[
                ("id", Holds::Text),
                ("email", Holds::Text),
                ("display_name", Holds::Text),
                ("phone_number", Holds::Text),
                ("birthday", Holds::Text),
            ],
            replaces: Some("id"),
        },
    ),
    (
        "personality_profiles",
        Table {
            name: "personality_profiles",
            columns: &[("user_id", Holds::Text), ("profile", Holds::Text)],
            replaces: Some("user_id"),
        },
    ),
    (
        "expertise_events",
        Table {
            name: "expertise_events",
            columns: EVENT_COLUMNS,
            replaces: Some("id"),
        },
    ),
    (
        "community_events",
        Table {
            name: "community_events",
            columns: EVENT_COLUMNS,
            replaces: Some("id"),
        },
    ),
    (
        "passwords",
        Table {
            name: "legacy_passwords",
            columns: &[("old_id", Holds::Text), ("password_hash", Holds::Text)],
            replaces: Some("old_id"),
        },
    ),
];

/// Where copied rows go.
#[derive(Debug)]
pub enum Target<'a> {
    /// An SQLite database at the baseline.
    Sqlite(&'a mut rusqlite::Connection),
    /// A PostgreSQL database at the baseline.
    Postgres(&'a mut tokio_postgres::Client),
}

/// Copies the passwords alone, or everything; again is the same as once.
pub async fn copy(
    source: &mut Source,
    survey: &Survey,
    target: &mut Target<'_>,
    everything: bool,
) -> Result<(), StoreError> {
    for (part, table) in TABLES
        .iter()
        .filter(|(part, _)| everything || *part == "passwords")
    {
        let rows = survey.rows(source, part).await?;
        for chunk in rows.chunks(CHUNK) {
            let values: Vec<Vec<Value>> = chunk.iter().map(|Row(values)| values.clone()).collect();
            write(target, Write::Insert(table, values)).await?;
        }
    }
    Ok(())
}

async fn write(target: &mut Target<'_>, write: Write) -> Result<(), StoreError> {
    match target {
        Target::Sqlite(connection) => {
            let transaction = connection
                .transaction()
                .map_err(|cause| StoreError::failed(DOING, cause))?;
            sqlite::perform(&transaction, write)
                .map_err(|cause| StoreError::failed(DOING, cause))?;
            transaction
                .commit()
                .map_err(|cause| StoreError::failed(DOING, cause))
        }
        Target::Postgres(client) => {
            let transaction = client
                .transaction()
                .await
                .map_err(|cause| StoreError::failed(DOING, cause))?;
            postgres::perform(&transaction, write)
                .await
                .map_err(|cause| StoreError::failed(DOING, cause))?;
            transaction
                .commit()
                .await
                .map_err(|cause| StoreError::failed(DOING, cause))
        }
    }
}
