//! Backfills: batches that commit with the place where the next goes on.

use std::time::Duration;

use super::journal::{Progressed, read_step, write_step};
use super::script::{Trouble, is_busy, reason};
use super::{Backfill, Held};
use crate::{Batch, Direction, Event, Run};

/// Runs a backfill in batches, going on where the last committed one ended.
pub(super) async fn run_backfill(
    held: &mut Held<'_>,
    id: &str,
    step: (Direction, usize),
    backfill: &dyn Backfill,
    run: &mut Run<'_>,
) -> Result<(), Trouble> {
    let mut at = match read_step(held.client, id, step).await? {
        Some(begun) => begun,
        None => Progressed {
            total: backfill
                .count(held.client)
                .await
                .map_err(|error| backfill_failed(&*error))?,
            ..Progressed::default()
        },
    };
    let mut busy = 0;
    while !at.finished {
        match batch(held, id, step, (backfill, &at), run.batch_rows).await {
            Ok(next) => at = next,
            Err(Trouble::Busy) if busy + 1 < run.lock_tries => {
                busy += 1;
                run.progress.tell(Event::Retrying {
                    id: id.to_owned(),
                    attempt: busy,
                });
                tokio::time::sleep(Duration::from_millis(100) * busy).await;
                continue;
            }
            Err(trouble) => return Err(trouble),
        }
        busy = 0;
        run.progress.tell(Event::Batch {
            id: id.to_owned(),
            done: at.done,
            total: at.total,
        });
    }
    Ok(())
}

async fn batch(
    held: &mut Held<'_>,
    id: &str,
    step: (Direction, usize),
    (backfill, at): (&dyn Backfill, &Progressed),
    rows: u32,
) -> Result<Progressed, Trouble> {
    let token = held.token;
    let transaction = held
        .client
        .transaction()
        .await
        .map_err(Trouble::from_database)?;
    let Batch { rows, next } = backfill
        .batch(&transaction, at.next.as_deref(), rows)
        .await
        .map_err(|error| backfill_failed(&*error))?;
    let after = Progressed {
        finished: next.is_none(),
        next,
        done: at.done + rows,
        total: at.total,
    };
    let journal = write_step(token, id, step, &after);
    transaction
        .batch_execute(&journal)
        .await
        .map_err(Trouble::from_database)?;
    transaction.commit().await.map_err(Trouble::from_database)?;
    Ok(after)
}

fn backfill_failed(error: &(dyn std::error::Error + 'static)) -> Trouble {
    let database = error.downcast_ref::<tokio_postgres::Error>();
    if database.is_some_and(is_busy) {
        return Trouble::Busy;
    }
    Trouble::Statement {
        path: None,
        number: 1,
        line: 1,
        done: 0,
        reason: match database {
            Some(error) => format!("the backfill says: {}", reason(error)),
            None => format!("the backfill says: {error}"),
        },
    }
}
