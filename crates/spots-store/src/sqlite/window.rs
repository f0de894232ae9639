//! What hosts and visitors read of an SQLite file: a connection that cannot do anything else.
//!
//! It is read-only and defensive, and sees nothing but views of its own. They carry no agent, no
//! key and no exact time of a person, and their rows are those of the current host; without one
//! they are an error. Which host it is cannot be said in SQL. `ATTACH`, `PRAGMA`, the schema's own
//! tables and every function that is not on a list are refused when a statement is prepared.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization, TransactionOperation};
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::connect;
use super::readers::Reading;
use crate::error::StoreError;

/// The views by their names, which hide the tables of the same name.
const VIEWS: &[(&str, &str)] = &[
    ("hosts", "SELECT host_id, kind, name FROM main.hosts"),
    (
        "requirements",
        "SELECT host_id, event_type, version, hash, body FROM main.requirements",
    ),
    (
        "events",
        "SELECT host_id, event_id, event_type, title, description, place, time_zone, schedule,
                capacity, party_max, called_off, last_end FROM main.events",
    ),
    (
        "event_slots",
        "SELECT host_id, event_id, starts_at, ends_at FROM main.event_slots",
    ),
    (
        "capacity_pools",
        "SELECT host_id, event_id, starts_at, pool, capacity, taken, next_position
         FROM main.capacity_pools",
    ),
    (
        "guests",
        "SELECT host_id, guest_id, code FROM main.guests
         WHERE host_id = (SELECT current_host())",
    ),
    (
        "reservations",
        "SELECT host_id, booking_id, event_id, event_type, starts_at, ends_at, guest_id, party,
                position, cancelled_at_ns IS NOT NULL AS cancelled
         FROM main.reservations WHERE host_id = (SELECT current_host())",
    ),
];
/// What a statement may call.
const FUNCTIONS: [&str; 12] = [
    "abs",
    "coalesce",
    "count",
    "current_host",
    "ifnull",
    "instr",
    "length",
    "lower",
    "max",
    "min",
    "nullif",
    "upper",
];
/// The longest value that a statement may make, in bytes.
const VALUE_BYTES_MAX: i32 = 16 * 1024 * 1024;

/// A connection that reads as one host, or as a visitor.
pub struct HostWindow {
    connection: Connection,
    host: Arc<Mutex<Option<String>>>,
}

impl std::fmt::Debug for HostWindow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostWindow").finish_non_exhaustive()
    }
}

impl HostWindow {
    /// Opens a window on a file that holds the platform's tables.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = connect(path, flags)?;
        let host = Arc::default();
        wall(&mut connection, &host)
            .map_err(|cause| StoreError::failed("wall off a connection for hosts", cause))?;
        Ok(Self { connection, host })
    }

    /// Says as whom the next statements read; nobody sees no guest.
    pub fn set_host(&self, host: Option<String>) {
        *self.host.lock().unwrap_or_else(PoisonError::into_inner) = host;
    }

    /// The connection behind the wall.
    pub fn walled(&self) -> &Connection {
        &self.connection
    }
}

impl Reading for HostWindow {
    fn connection(&self) -> &Connection {
        &self.connection
    }
}

fn wall(connection: &mut Connection, host: &Arc<Mutex<Option<String>>>) -> rusqlite::Result<()> {
    let current = Arc::clone(host);
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("current_host", 0, flags, move |_| {
        let host = current.lock().unwrap_or_else(PoisonError::into_inner);
        host.clone()
            .ok_or_else(|| rusqlite::Error::UserFunctionError("no host is set".into()))
    })?;
    let reads = add_views(connection)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, false),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, false),
    ] {
        connection.set_db_config(setting, on)?;
    }
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
    connection.pragma_update(None, "query_only", "on")?;
    connection.authorizer(Some(move |asked: AuthContext<'_>| {
        authorize(&asked, &reads)
    }))
}

/// What views read of the tables: the view, the table, the column.
type Reads = BTreeSet<(String, String, String)>;

/// Adds the views, and learns what they read, so that nothing else is read later.
///
/// SQLite names a subquery to the authorizer as it names a view. So the view that reads the table
/// has a name that nobody can guess, and stands behind the one that statements use.
fn add_views(connection: &mut Connection) -> rusqlite::Result<Reads> {
    let secret: String =
        connection.query_row("SELECT lower(hex(randomblob(16)))", [], |row| row.get(0))?;
    let seen: Arc<Mutex<Reads>> = Arc::default();
    for (name, select) in VIEWS {
        connection.execute_batch(&format!(
            "CREATE TEMP VIEW {name}_{secret} AS {select};
             CREATE TEMP VIEW {name} AS SELECT * FROM {name}_{secret};"
        ))?;
    }
    let noted = Arc::clone(&seen);
    connection.authorizer(Some(move |asked: AuthContext<'_>| {
        if let (
            AuthAction::Read {
                table_name,
                column_name,
            },
            Some("main"),
            Some(view),
        ) = (asked.action, asked.database_name, asked.accessor)
        {
            let read = (
                view.to_owned(),
                table_name.to_owned(),
                column_name.to_owned(),
            );
            noted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(read);
        }
        Authorization::Allow
    }))?;
    for (name, _) in VIEWS {
        connection.prepare(&format!("SELECT * FROM {name}"))?;
    }
    let reads = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(reads)
}

/// Decides when a statement is prepared.
fn authorize(asked: &AuthContext<'_>, reads: &Reads) -> Authorization {
    let allowed = match asked.action {
        AuthAction::Select => true,
        AuthAction::Read {
            table_name,
            column_name,
        } => match asked.database_name {
            // Only views are there: nothing can be added.
            Some("temp") => !table_name.starts_with("sqlite_"),
            _ => asked.accessor.is_some_and(|view| {
                let read = (
                    view.to_owned(),
                    table_name.to_owned(),
                    column_name.to_owned(),
                );
                reads.contains(&read)
            }),
        },
        AuthAction::Function { function_name } => {
            FUNCTIONS.contains(&function_name.to_ascii_lowercase().as_str())
        }
        AuthAction::Transaction { operation } => matches!(
            operation,
            TransactionOperation::Begin | TransactionOperation::Rollback
        ),
        _ => false,
    };
    if allowed {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}
