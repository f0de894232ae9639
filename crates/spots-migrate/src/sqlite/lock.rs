//! One runner at a time: a lock row with owner, fencing token and heartbeat.
//!
//! A runner that changes the database holds SQLite's own write lock, so whoever can read the lock
//! row for writing knows that its owner is between two changes. Its owner is dead when its process
//! is gone (same machine), or when it gave no sign for longer than the agreed time.

use std::fs;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior};

use super::target::Sqlite;
use super::{at_once, record};
use crate::engine::unlock;
use crate::{ApplyError, Event, Refusal, Run};

/// How long one try for the lock waits.
const POLL: Duration = Duration::from_millis(200);

/// Gives a sign of life inside a change, and fails when another run took the lock over.
pub(super) fn fence(transaction: &Transaction<'_>, token: i64) -> Result<(), ApplyError> {
    let kept = transaction
        .prepare_cached(
            "UPDATE spots_migrate_lock SET heartbeat = unixepoch('subsec') WHERE token = ?1",
        )
        .and_then(|mut statement| statement.execute([token]))
        .map_err(ApplyError::database("check the migration lock"))?;
    if kept == 1 {
        Ok(())
    } else {
        Err(ApplyError::Refused(Refusal::Fenced))
    }
}

/// Settings of the caller's connection that a run changes.
pub(super) struct Settings {
    foreign_keys: bool,
    busy_timeout: u64,
}

impl Settings {
    pub(super) fn read(connection: &Connection) -> Result<Self, ApplyError> {
        let pragma =
            |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let what = "read the connection's settings";
        Ok(Self {
            foreign_keys: pragma("foreign_keys").map_err(ApplyError::database(what))? != 0,
            busy_timeout: pragma("busy_timeout")
                .map_err(ApplyError::database(what))?
                .unsigned_abs(),
        })
    }

    pub(super) fn restore(&self, connection: &Connection) -> Result<(), ApplyError> {
        connection
            .pragma_update(None, "foreign_keys", self.foreign_keys)
            .and_then(|()| connection.busy_timeout(Duration::from_millis(self.busy_timeout)))
            .map_err(ApplyError::database("restore the connection's settings"))
    }
}

/// Takes the lock and returns the fencing token of this run.
pub(super) fn take(connection: &Connection, run: &mut Run<'_>) -> Result<i64, ApplyError> {
    connection
        .busy_timeout(POLL)
        .map_err(ApplyError::database("set the busy timeout"))?;
    let mut waited = Duration::ZERO;
    loop {
        let holder = match try_take(connection, run)? {
            Tried::Taken { token, from } => {
                if let Some(holder) = from {
                    run.progress.tell(Event::TookOver { holder });
                }
                return Ok(token);
            }
            Tried::Busy => holder(connection)?,
            Tried::Held { holder } => {
                // Nothing in SQLite waits for a row; a parked thread costs nothing.
                thread::park_timeout(POLL);
                holder
            }
        };
        if waited >= run.wait_max {
            return Err(ApplyError::Refused(Refusal::Locked { holder }));
        }
        waited += POLL;
        run.progress.tell(Event::Waiting { holder, waited });
    }
}

enum Tried {
    Taken { token: i64, from: Option<String> },
    Held { holder: String },
    Busy,
}

fn try_take(connection: &Connection, run: &Run<'_>) -> Result<Tried, ApplyError> {
    let what = "take the migration lock";
    let transaction = match Transaction::new_unchecked(connection, TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) if is_busy(&error) => return Ok(Tried::Busy),
        Err(error) => return Err(ApplyError::database(what)(error)),
    };
    record::create(&transaction)?;
    let owner = owner(&transaction)?;
    if let Some(owner) = &owner
        && !owner.is_gone(run.stale_after)
    {
        return Ok(Tried::Held {
            holder: owner.describe(),
        });
    }
    let token = transaction
        .query_row(
            "UPDATE spots_migrate_lock SET token = token + 1, owner = ?1, process = ?2,
                 since = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), heartbeat = unixepoch('subsec')
             RETURNING token",
            (&run.owner, this_process().unwrap_or_default()),
            |row| row.get(0),
        )
        .map_err(ApplyError::database(what))?;
    transaction.commit().map_err(ApplyError::database(what))?;
    Ok(Tried::Taken {
        token,
        from: owner.map(|owner| owner.describe()),
    })
}

/// Who holds the lock while a connection writes: readers may look meanwhile, for the most part.
fn holder(connection: &Connection) -> Result<String, ApplyError> {
    let busy = |error: &ApplyError| match error {
        ApplyError::Database { source, .. } => source
            .downcast_ref::<rusqlite::Error>()
            .is_some_and(is_busy),
        _ => false,
    };
    let set = ApplyError::database::<rusqlite::Error>;
    connection
        .busy_timeout(Duration::ZERO)
        .map_err(set("set the busy timeout"))?;
    let found = record::format(connection).and_then(|format| match format {
        Some(_) => owner(connection),
        None => Ok(None),
    });
    connection
        .busy_timeout(POLL)
        .map_err(set("set the busy timeout"))?;
    match found {
        Ok(Some(owner)) => Ok(owner.describe()),
        Err(error) if !busy(&error) => Err(error),
        // While it commits, a writer may keep readers out.
        Ok(None) | Err(_) => Ok("a connection that writes to the database".to_owned()),
    }
}

fn owner(connection: &Connection) -> Result<Option<Owner>, ApplyError> {
    connection
        .query_row(
            "SELECT owner, coalesce(process, ''), coalesce(since, ''),
                 coalesce(unixepoch('subsec') - heartbeat, 0.0)
             FROM spots_migrate_lock WHERE owner IS NOT NULL",
            [],
            |row| {
                Ok(Owner {
                    name: row.get(0)?,
                    process: row.get(1)?,
                    since: row.get(2)?,
                    silent: row.get(3)?,
                })
            },
        )
        .optional()
        .map_err(ApplyError::database("look who holds the migration lock"))
}

/// See [`super::unlock`].
pub(super) fn unlock(
    connection: &Connection,
    failed: Option<&str>,
    force: bool,
) -> Result<Vec<String>, ApplyError> {
    if record::format(connection)?.is_none() {
        return match failed {
            Some(id) => Err(ApplyError::Refused(Refusal::NotFailed {
                id: id.to_owned(),
            })),
            None => Ok(vec!["nobody holds the lock".to_owned()]),
        };
    }
    let target = Sqlite::new(connection);
    let owner = owner(connection)?;
    let mut said = match &owner {
        Some(owner) => vec![format!("held by {}; {}", owner.describe(), owner.life())],
        None => vec!["nobody holds the lock".to_owned()],
    };
    said.extend(at_once(unlock::half_done(&target))?);
    if failed.is_none() && !force {
        if owner.is_some() {
            said.push(
                "nothing was changed; --force takes the lock: the run loses the step that it is at, keeps those that are recorded, and stops".to_owned(),
            );
        }
        return Ok(said);
    }
    let what = "unlock the migrations";
    let transaction = match Transaction::new_unchecked(connection, TransactionBehavior::Immediate) {
        Ok(transaction) => transaction,
        Err(error) if is_busy(&error) => {
            let holder = owner.map_or_else(
                || "a connection that writes to the database".to_owned(),
                |owner| owner.describe(),
            );
            return Err(ApplyError::Refused(Refusal::InAStep { holder }));
        }
        Err(error) => return Err(ApplyError::database(what)(error)),
    };
    if let Some(id) = failed {
        said.push(at_once(unlock::free(&target, id))?);
    }
    if force {
        transaction
            .execute(
                "UPDATE spots_migrate_lock SET token = token + 1, owner = NULL, process = NULL,
                     since = NULL, heartbeat = NULL",
                [],
            )
            .map_err(ApplyError::database(what))?;
        said.push(
            "the lock is free; its run, if it still lives, stops at its next step".to_owned(),
        );
    }
    transaction.commit().map_err(ApplyError::database(what))?;
    Ok(said)
}

/// Frees the lock.
pub(super) fn release(connection: &Connection, token: i64) -> Result<(), ApplyError> {
    connection
        .execute(
            "UPDATE spots_migrate_lock
             SET owner = NULL, process = NULL, since = NULL, heartbeat = NULL WHERE token = ?1",
            [token],
        )
        .map(drop)
        .map_err(ApplyError::database("release the migration lock"))
}

struct Owner {
    name: String,
    process: String,
    since: String,
    /// Seconds since its last sign of life.
    silent: f64,
}

impl Owner {
    fn is_gone(&self, stale_after: Duration) -> bool {
        is_running(&self.process)
            .map_or_else(|| self.silent > stale_after.as_secs_f64(), |runs| !runs)
    }

    /// Whether it is dead, or merely slow.
    fn life(&self) -> &'static str {
        match is_running(&self.process) {
            Some(true) => "its process runs, so it is slow, not abandoned",
            Some(false) => "its process is gone: the next run takes over by itself",
            None => {
                "its process is on another machine: without a sign for 30 s the next run takes over"
            }
        }
    }

    fn describe(&self) -> String {
        let Self { name, since, .. } = self;
        format!(
            "{name}, since {since}, last sign {:.0} s ago",
            self.silent.max(0.0)
        )
    }
}

pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// This process, so that another on the same machine can see whether it lives: boot and process
/// namespace, number, start. `None` where the operating system does not tell.
fn this_process() -> Option<String> {
    let number = std::process::id();
    Some(format!("{} {number} {}", namespace()?, started(number)?.1))
}

/// Whether a process lives; `None` when this machine cannot know.
fn is_running(process: &str) -> Option<bool> {
    let (place, rest) = process.split_once(' ')?;
    let (number, start) = rest.split_once(' ')?;
    if place != namespace()? {
        return None;
    }
    let number = number.parse().ok()?;
    Some(started(number).is_some_and(|(zombie, since)| !zombie && since == start))
}

fn namespace() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), namespace.display()))
}

/// Whether a process is a zombie, and its start in ticks since boot (`/proc/N/stat`, proc(5)).
fn started(number: u32) -> Option<(bool, String)> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let zombie = matches!(fields.next()?, "Z" | "X");
    // State is field 3, the start field 22.
    fields.nth(18).map(|start| (zombie, start.to_owned()))
}
