//! Running scripts: in one transaction, in journalled steps, in batches.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::Backfill;
use super::lock::{Held, is_busy};
use crate::set::in_transaction_refused;
use crate::split::{Statement, split};
use crate::{
    ApplyError, Batch, Dialect, Direction, Event, Failure, Migration, Refusal, Run, Source,
};

/// What can go wrong inside a change.
pub(super) enum Trouble {
    /// Another connection is in the way; the change may be tried again.
    Busy,
    /// A statement, counted from 1, failed.
    Statement {
        path: Option<String>,
        number: usize,
        line: u32,
        done: usize,
        reason: String,
    },
    /// Anything that is not the script's fault.
    Apply(ApplyError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        if is_busy(&error) {
            Self::Busy
        } else {
            Self::Apply(ApplyError::database("run a migration")(error))
        }
    }
}

impl Trouble {
    pub(super) fn into_error(self, migration: &Migration, source: Option<&Source>) -> ApplyError {
        match self {
            Self::Apply(error) => error,
            Self::Busy => ApplyError::Refused(Refusal::Locked {
                holder: "a connection that writes to the database".to_owned(),
            }),
            Self::Statement {
                path,
                number,
                line,
                done,
                reason,
            } => ApplyError::Failed(Failure {
                id: migration.id.clone(),
                path: path
                    .or_else(|| source.map(|source| source.path().to_owned()))
                    .unwrap_or_else(|| migration.path.clone()),
                line,
                statement: number,
                done,
                reason,
            }),
        }
    }
}

/// The statements of a script that [`crate::MigrationSet::check_scripts`] found readable.
pub(super) fn cut(source: &Source) -> Vec<Statement> {
    split(source.text(), Dialect::Sqlite).unwrap_or_default()
}

/// Whether foreign keys must be off, so that dropping a table deletes no row elsewhere.
pub(super) fn drops_a_table(statements: &[Statement]) -> bool {
    statements.iter().any(|statement| {
        statement.begins(&["DROP", "TABLE"]) || statement.begins(&["PRAGMA", "FOREIGN_KEYS"])
    })
}

/// Makes one change in one transaction: fence, body, foreign keys, commit. Tries again when another
/// connection is in the way.
pub(super) fn change(
    held: &mut Held<'_>,
    id: &str,
    foreign_keys_off: bool,
    run: &mut Run<'_>,
    mut body: impl FnMut(&Transaction<'_>, i64) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    held.connection.busy_timeout(run.lock_timeout)?;
    // Has no effect inside a transaction, therefore before it.
    held.connection
        .pragma_update(None, "foreign_keys", !foreign_keys_off)?;
    let mut attempt = 1;
    loop {
        match once(held, id, foreign_keys_off, &mut body) {
            Err(Trouble::Busy) if attempt < run.lock_tries => {
                run.progress.tell(Event::Retrying {
                    id: id.to_owned(),
                    attempt,
                });
                attempt += 1;
            }
            done => return done,
        }
    }
}

fn once(
    held: &mut Held<'_>,
    id: &str,
    foreign_keys_off: bool,
    body: &mut impl FnMut(&Transaction<'_>, i64) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let token = held.token;
    let transaction = Transaction::new_unchecked(held.connection, TransactionBehavior::Immediate)?;
    held.fence(&transaction).map_err(Trouble::Apply)?;
    let before = if foreign_keys_off {
        orphans(&transaction)?
    } else {
        BTreeMap::new()
    };
    body(&transaction, token)?;
    if foreign_keys_off {
        let what = orphans(&transaction)?
            .into_iter()
            .filter(|(pair, count)| before.get(pair).is_none_or(|before| count > before))
            .map(|((child, parent), count)| format!("{count} rows of {child} without {parent}"))
            .collect::<Vec<_>>();
        if !what.is_empty() {
            let id = id.to_owned();
            let refusal = Refusal::Orphans { id, what };
            return Err(Trouble::Apply(ApplyError::Refused(refusal)));
        }
    }
    Ok(transaction.commit()?)
}

/// Rows that point nowhere, counted by child and parent table.
fn orphans(connection: &Connection) -> rusqlite::Result<BTreeMap<(String, String), i64>> {
    let mut statement = connection.prepare_cached(
        "SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)?))
    })?;
    rows.collect()
}

/// Runs the statements of a script; the engine sets foreign keys itself.
pub(super) fn execute(
    transaction: &Transaction<'_>,
    source: &Source,
    statements: &[Statement],
) -> Result<(), Trouble> {
    for (number, statement) in statements.iter().enumerate() {
        if !statement.begins(&["PRAGMA", "FOREIGN_KEYS"]) {
            execute_one(transaction, source, statement)
                .map_err(|error| statement_failed(source, number, statement, &error))?;
        }
    }
    Ok(())
}

fn execute_one(
    connection: &Connection,
    source: &Source,
    statement: &Statement,
) -> rusqlite::Result<()> {
    let text = source.text().get(statement.start..statement.end);
    connection.execute_batch(text.unwrap_or_default())
}

fn statement_failed(
    source: &Source,
    number: usize,
    statement: &Statement,
    error: &rusqlite::Error,
) -> Trouble {
    if is_busy(error) {
        return Trouble::Busy;
    }
    Trouble::Statement {
        path: Some(source.path().to_owned()),
        number: number + 1,
        line: statement.line,
        done: 0,
        reason: error.to_string(),
    }
}

/// Runs queries of which every row is a mistake.
pub(super) fn verify(transaction: &Transaction<'_>, source: &Source) -> Result<(), Trouble> {
    for (number, statement) in cut(source).iter().enumerate() {
        let text = source.text().get(statement.start..statement.end);
        let found = transaction
            .prepare(text.unwrap_or_default())
            .and_then(|mut query| {
                let columns = query.column_count();
                query
                    .query_row([], |row| {
                        (0..columns)
                            .map(|column| Ok(shown(row.get_ref(column)?)))
                            .collect::<rusqlite::Result<Vec<_>>>()
                    })
                    .optional()
            })
            .map_err(|error| statement_failed(source, number, statement, &error))?;
        if let Some(row) = found {
            return Err(Trouble::Statement {
                path: Some(source.path().to_owned()),
                number: number + 1,
                line: statement.line,
                done: 0,
                reason: format!("verification found a row: {}", row.join(", ")),
            });
        }
    }
    Ok(())
}

fn shown(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(value) => String::from_utf8_lossy(value).into_owned(),
        ValueRef::Blob(value) => format!("{} bytes", value.len()),
    }
}

/// Runs a script as journalled steps, going on after those that are done. Says how many it has.
pub(super) fn steps(
    held: &mut Held<'_>,
    migration: &Migration,
    source: &Source,
    run: &mut Run<'_>,
) -> Result<usize, Trouble> {
    let statements = cut(source);
    let total = statements.len();
    for (number, statement) in statements.iter().enumerate() {
        let step = (Direction::Up, number + 1);
        if step_done(held.connection, &migration.id, step)? {
            continue;
        }
        let outside = statement.begins(&["PRAGMA"])
            || in_transaction_refused(statement, Dialect::Sqlite).is_some();
        let done = if outside {
            // These can be repeated: a crash before the journal's entry does no harm.
            execute_one(held.connection, source, statement)
                .map_err(|error| statement_failed(source, number, statement, &error))
        } else {
            Ok(())
        };
        let off = drops_a_table(std::slice::from_ref(statement));
        done.and_then(|()| {
            script_step(held, migration, (step, off), run, |transaction| {
                if outside {
                    return Ok(());
                }
                execute_one(transaction, source, statement)
                    .map_err(|error| statement_failed(source, number, statement, &error))
            })
        })
        .map_err(|trouble| kept(trouble, number))?;
        run.progress.tell(Event::Step {
            id: migration.id.clone(),
            number: number + 1,
            total,
        });
    }
    Ok(total)
}

fn script_step(
    held: &mut Held<'_>,
    migration: &Migration,
    (step, off): ((Direction, usize), bool),
    run: &mut Run<'_>,
    mut body: impl FnMut(&Transaction<'_>) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    change(held, &migration.id, off, run, |transaction, _| {
        body(transaction)?;
        let batch = Batch {
            rows: 1,
            next: None,
        };
        write_step(transaction, &migration.id, step, &batch, (1, 1))
    })
}

fn kept(trouble: Trouble, earlier: usize) -> Trouble {
    match trouble {
        Trouble::Statement {
            path,
            number,
            line,
            reason,
            ..
        } => Trouble::Statement {
            path,
            number,
            line,
            done: earlier,
            reason,
        },
        other => other,
    }
}

/// Runs a backfill in batches, going on where the last committed one ended.
pub(super) fn backfill(
    held: &mut Held<'_>,
    id: &str,
    step: (Direction, usize),
    backfill: &dyn Backfill,
    run: &mut Run<'_>,
) -> Result<(), Trouble> {
    let begun = read_step(held.connection, id, step)?;
    let (mut from, mut done, total, finished) = if let Some(begun) = begun {
        begun
    } else {
        let total = backfill
            .count(held.connection)
            .map_err(|error| backfill_failed(&*error))?;
        (None, 0, total, false)
    };
    let mut left = !finished;
    while left {
        let rows = run.batch_rows;
        let mut next = None;
        change(held, id, false, run, |transaction, _| {
            let batch = backfill
                .batch(transaction, from.as_deref(), rows)
                .map_err(|error| backfill_failed(&*error))?;
            let so_far = done + batch.rows;
            write_step(transaction, id, step, &batch, (so_far, total))?;
            next = Some((batch.next, so_far));
            Ok(())
        })?;
        if let Some((cursor, so_far)) = next {
            left = cursor.is_some();
            from = cursor;
            done = so_far;
        }
        run.progress.tell(Event::Batch {
            id: id.to_owned(),
            done,
            total,
        });
    }
    Ok(())
}

fn backfill_failed(error: &(dyn std::error::Error + 'static)) -> Trouble {
    if let Some(error) = error.downcast_ref::<rusqlite::Error>()
        && is_busy(error)
    {
        return Trouble::Busy;
    }
    Trouble::Statement {
        path: None,
        number: 1,
        line: 1,
        done: 0,
        reason: format!("the backfill says: {error}"),
    }
}

type Begun = (Option<String>, u64, u64, bool);

fn read_step(
    connection: &Connection,
    id: &str,
    (direction, number): (Direction, usize),
) -> rusqlite::Result<Option<Begun>> {
    connection
        .prepare_cached(
            "SELECT next, done, total, finished FROM spots_migrate_step
             WHERE migration = ?1 AND direction = ?2 AND number = ?3",
        )?
        .query_row(params![id, word(direction), stored(number)], |row| {
            let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
            Ok((row.get(0)?, count(1)?, count(2)?, row.get(3)?))
        })
        .optional()
}

fn step_done(
    connection: &Connection,
    id: &str,
    step: (Direction, usize),
) -> rusqlite::Result<bool> {
    Ok(read_step(connection, id, step)?.is_some_and(|(.., finished)| finished))
}

fn write_step(
    transaction: &Transaction<'_>,
    id: &str,
    (direction, number): (Direction, usize),
    batch: &Batch,
    (done, total): (u64, u64),
) -> Result<(), Trouble> {
    transaction
        .prepare_cached(
            "INSERT INTO spots_migrate_step
                 (migration, direction, number, next, done, total, finished)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET
                 next = excluded.next, done = excluded.done, finished = excluded.finished",
        )?
        .execute(params![
            id,
            word(direction),
            stored(number),
            batch.next,
            stored(done),
            stored(total),
            batch.next.is_none()
        ])?;
    Ok(())
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Down => "down",
        Direction::Up | Direction::Verify => "up",
    }
}

/// A count as SQLite holds it.
fn stored<T: TryInto<i64>>(count: T) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
