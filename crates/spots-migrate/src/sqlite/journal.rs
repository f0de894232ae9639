//! The journal of steps: what each has done, and where the next batch goes on.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::engine::target::{Progressed, Step, Trouble, word};

/// How far an earlier run came with a step; `None` when none began it.
pub(super) fn read(
    connection: &Connection,
    id: &str,
    (direction, number): Step,
) -> rusqlite::Result<Option<Progressed>> {
    connection
        .prepare_cached(
            "SELECT next, done, total, finished FROM spots_migrate_step
             WHERE migration = ?1 AND direction = ?2 AND number = ?3",
        )?
        .query_row(params![id, word(direction), stored(number)], |row| {
            let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
            Ok(Progressed {
                next: row.get(0)?,
                done: count(1)?,
                total: count(2)?,
                finished: row.get(3)?,
            })
        })
        .optional()
}

/// Writes it inside the transaction of the step.
pub(super) fn write(
    transaction: &Transaction<'_>,
    id: &str,
    (direction, number): Step,
    at: Progressed,
) -> Result<Progressed, Trouble> {
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
            at.next,
            stored(at.done),
            stored(at.total),
            at.finished
        ])?;
    Ok(at)
}

/// A count as SQLite holds it.
fn stored<T: TryInto<i64>>(count: T) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
