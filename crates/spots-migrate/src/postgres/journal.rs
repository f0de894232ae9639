//! The journal of steps: what each has done, and where the next batch goes on.

use tokio_postgres::Client;

use super::record::{fence, literal};
use super::script::from_database;
use crate::engine::target::{Progressed, Step, Trouble, word};

/// How far an earlier run came with a step; `None` when none began it.
pub(super) async fn read(
    client: &Client,
    id: &str,
    (direction, number): Step,
) -> Result<Option<Progressed>, Trouble> {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let row = client
        .query_opt(
            "SELECT next, done, total, finished FROM spots_migrate.step
             WHERE migration = $1 AND direction = $2 AND number = $3",
            &[&id, &word(direction), &number],
        )
        .await
        .map_err(from_database)?;
    row.map(|row| {
        Ok(Progressed {
            next: row.try_get(0)?,
            done: row.try_get::<_, i64>(1)?.unsigned_abs(),
            total: row.try_get::<_, i64>(2)?.unsigned_abs(),
            finished: row.try_get(3)?,
        })
    })
    .transpose()
    .map_err(from_database)
}

/// The statements that journal a step; they fail where `token` is not the lock's.
pub(super) fn write(token: i64, id: &str, (direction, number): Step, at: &Progressed) -> String {
    // The migration's row takes the token, which no other run may have.
    format!(
        "UPDATE spots_migrate.migration SET token = {} WHERE id = {};
         INSERT INTO spots_migrate.step (migration, direction, number, next, done, total, finished)
         VALUES ({}, '{}', {number}, {}, {}, {}, {})
         ON CONFLICT (migration, direction, number) DO UPDATE SET
             next = excluded.next, done = excluded.done, finished = excluded.finished;\n",
        fence(token),
        literal(id),
        literal(id),
        word(direction),
        at.next
            .as_deref()
            .map_or_else(|| "NULL".to_owned(), literal),
        at.done,
        at.total,
        at.finished,
    )
}
