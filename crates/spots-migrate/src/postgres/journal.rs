//! The journal of steps: what each has done, and where the next batch goes on.

use tokio_postgres::Client;

use super::record::{fence, literal};
use super::script::Trouble;
use crate::Direction;

/// How far a step has come.
#[derive(Debug, Default)]
pub(super) struct Progressed {
    pub(super) next: Option<String>,
    pub(super) done: u64,
    pub(super) total: u64,
    pub(super) finished: bool,
}

impl Progressed {
    pub(super) fn begun() -> Self {
        Self {
            total: 1,
            ..Self::default()
        }
    }

    pub(super) fn finished() -> Self {
        Self {
            done: 1,
            total: 1,
            finished: true,
            next: None,
        }
    }
}

/// How far an earlier run came with a step; `None` when none began it.
pub(super) async fn read_step(
    client: &Client,
    id: &str,
    (direction, number): (Direction, usize),
) -> Result<Option<Progressed>, Trouble> {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let row = client
        .query_opt(
            "SELECT next, done, total, finished FROM spots_migrate.step
             WHERE migration = $1 AND direction = $2 AND number = $3",
            &[&id, &word(direction), &number],
        )
        .await
        .map_err(Trouble::from_database)?;
    row.map(|row| {
        Ok(Progressed {
            next: row.try_get(0)?,
            done: row.try_get::<_, i64>(1)?.unsigned_abs(),
            total: row.try_get::<_, i64>(2)?.unsigned_abs(),
            finished: row.try_get(3)?,
        })
    })
    .transpose()
    .map_err(Trouble::from_database)
}

/// The statements that journal a step; they fail where `token` is not the lock's.
pub(super) fn write_step(
    token: i64,
    id: &str,
    (direction, number): (Direction, usize),
    at: &Progressed,
) -> String {
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

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Down => "down",
        Direction::Up | Direction::Verify => "up",
    }
}
