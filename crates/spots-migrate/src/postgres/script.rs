//! Running scripts: in one transaction, in journalled steps, in batches.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio_postgres::error::{ErrorPosition, SqlState};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::record::{fence, literal};
use super::{Backfill, Held, conditions, main_path};
use crate::set::{in_transaction_refused, line_of};
use crate::split::{Statement, split};
use crate::{
    ApplyError, Batch, Dialect, Direction, Event, Failure, Migration, Refusal, Run, Source,
};

/// The longest pause between two tries for a lock.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What can go wrong inside a change.
pub(super) enum Trouble {
    /// Another session is in the way; the change may be tried again.
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

impl Trouble {
    fn from_database(error: tokio_postgres::Error) -> Self {
        if is_busy(&error) {
            Self::Busy
        } else if is_fenced(&error) {
            Self::Apply(ApplyError::Refused(Refusal::Fenced))
        } else {
            Self::Apply(ApplyError::database("run a migration")(error))
        }
    }

    pub(super) fn into_error(self, migration: &Migration) -> ApplyError {
        match self {
            Self::Apply(error) => error,
            Self::Busy => ApplyError::Refused(Refusal::Locked {
                holder: "sessions that hold locks on its tables (see pg_locks)".to_owned(),
            }),
            Self::Statement {
                path,
                number,
                line,
                done,
                reason,
            } => ApplyError::Failed(Failure {
                id: migration.id.clone(),
                path: path.unwrap_or_else(|| main_path(migration).to_owned()),
                line,
                statement: number,
                done,
                reason,
            }),
        }
    }
}

/// One transaction: conditions, script, verification, record.
pub(super) struct Change<'a> {
    /// Whether the conditions for rolling back are checked first.
    pub(super) conditions: bool,
    pub(super) source: Option<&'a Source>,
    pub(super) verify: Option<&'a Source>,
    /// The statements that record it, which also fence.
    pub(super) record: String,
}

impl Change<'_> {
    /// A transaction that only records.
    pub(super) fn record(record: String) -> Self {
        Self {
            conditions: false,
            source: None,
            verify: None,
            record,
        }
    }
}

/// Makes one change in one transaction; tries again, with growing pauses, when another session
/// holds a lock on its tables.
pub(super) async fn change(
    held: &mut Held<'_>,
    migration: &Migration,
    change: &Change<'_>,
    run: &mut Run<'_>,
) -> Result<(), Trouble> {
    let mut pause = Duration::from_millis(100);
    for attempt in 1.. {
        let done = once(held.client, migration, change, run.lock_timeout).await;
        if done.is_err() {
            // Without an open transaction this is a mere warning; a dead session says so later.
            drop(held.client.batch_execute("ROLLBACK").await);
        }
        match done {
            Err(Trouble::Busy) if attempt < run.lock_tries => {
                run.progress.tell(Event::Retrying {
                    id: migration.id.clone(),
                    attempt,
                });
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            done => return done,
        }
    }
    Err(Trouble::Busy)
}

async fn once(
    client: &Client,
    migration: &Migration,
    change: &Change<'_>,
    lock_timeout: Duration,
) -> Result<(), Trouble> {
    let mut head = format!(
        "BEGIN;SET LOCAL lock_timeout = {};\n",
        lock_timeout.as_millis()
    );
    let mut head_statements = 2;
    if change.conditions {
        client
            .batch_execute(&head)
            .await
            .map_err(Trouble::from_database)?;
        conditions(client, migration)
            .await
            .map_err(Trouble::Apply)?;
        head.clear();
        head_statements = 0;
    }
    let reset = change.source.map_or("", reset_after);
    let tail = format!("{reset}{}COMMIT", change.record);
    let text = Text {
        head: &head,
        head_statements,
        source: change.source,
        tail: if change.verify.is_some() { "" } else { &tail },
    };
    run_text(client, &text).await?;
    if let Some(source) = change.verify {
        verify(client, source).await?;
        client
            .batch_execute(&tail)
            .await
            .map_err(Trouble::from_database)?;
    }
    Ok(())
}

/// Settings that a script makes for the session end with it.
fn reset_after(source: &Source) -> &'static str {
    let text = source.text().to_ascii_lowercase();
    if text.contains("set_config") || text.contains("set ") {
        "RESET ALL;RESET SESSION AUTHORIZATION;\n"
    } else {
        ""
    }
}

/// What is sent in one round trip.
struct Text<'a> {
    head: &'a str,
    head_statements: usize,
    source: Option<&'a Source>,
    tail: &'a str,
}

async fn run_text(client: &Client, text: &Text<'_>) -> Result<(), Trouble> {
    let script = text.source.map_or("", Source::text);
    let sent = format!("{}{script}\n;\n{}", text.head, text.tail);
    let mut completed = 0_usize;
    let error = match client.simple_query_raw(&sent).await {
        Ok(stream) => {
            let mut stream = std::pin::pin!(stream);
            loop {
                match stream.try_next().await {
                    Ok(Some(SimpleQueryMessage::CommandComplete(_))) => completed += 1,
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok(()),
                    Err(error) => break error,
                }
            }
        }
        Err(error) => error,
    };
    Err(match text.source {
        Some(source) if !is_busy(&error) && !is_fenced(&error) && error.as_db_error().is_some() => {
            script_failed(source, text, completed, &error)
        }
        _ => Trouble::from_database(error),
    })
}

fn script_failed(
    source: &Source,
    text: &Text<'_>,
    completed: usize,
    error: &tokio_postgres::Error,
) -> Trouble {
    let statements = cut(source);
    let position = match error.as_db_error().and_then(|error| error.position()) {
        Some(ErrorPosition::Original(position)) => {
            // PostgreSQL counts characters from 1.
            let before = text.head.chars().count();
            (*position as usize).checked_sub(before + 1)
        }
        _ => None,
    };
    let byte = position.and_then(|position| source.text().char_indices().nth(position));
    let by_count = completed.saturating_sub(text.head_statements);
    let number = byte.map_or(by_count, |(byte, _)| {
        statements
            .iter()
            .position(|statement| (statement.start..=statement.end).contains(&byte))
            .unwrap_or(by_count)
    });
    let at_commit = number >= statements.len();
    let number = number.min(statements.len().saturating_sub(1));
    let line = match byte {
        Some((byte, _)) => line_of(source.text().as_bytes(), byte),
        None => statements.get(number).map_or(1, |statement| statement.line),
    };
    let reason = reason(error);
    Trouble::Statement {
        path: Some(source.path().to_owned()),
        number: number + 1,
        line,
        done: 0,
        reason: if at_commit {
            format!("at the commit: {reason}")
        } else {
            reason
        },
    }
}

fn reason(error: &tokio_postgres::Error) -> String {
    let Some(error) = error.as_db_error() else {
        return error.to_string();
    };
    let mut reason = format!("{} (SQLSTATE {})", error.message(), error.code().code());
    for more in error.detail().into_iter().chain(error.hint()) {
        reason.push_str("; ");
        reason.push_str(more);
    }
    reason
}

fn is_busy(error: &tokio_postgres::Error) -> bool {
    matches!(error.code(), Some(code) if *code == SqlState::LOCK_NOT_AVAILABLE
        || *code == SqlState::T_R_DEADLOCK_DETECTED
        || *code == SqlState::T_R_SERIALIZATION_FAILURE)
}

fn is_fenced(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|error| {
        *error.code() == SqlState::NOT_NULL_VIOLATION
            && error.schema() == Some("spots_migrate")
            && error.column() == Some("token")
    })
}

fn cut(source: &Source) -> Vec<Statement> {
    split(source.text(), Dialect::Postgres).unwrap_or_default()
}

/// Runs queries of which every row is a mistake.
async fn verify(client: &Client, source: &Source) -> Result<(), Trouble> {
    for (number, statement) in cut(source).iter().enumerate() {
        let query = source.text().get(statement.start..statement.end);
        let failed = |reason| Trouble::Statement {
            path: Some(source.path().to_owned()),
            number: number + 1,
            line: statement.line,
            done: 0,
            reason,
        };
        let found = client
            .simple_query(query.unwrap_or_default())
            .await
            .map_err(|error| {
                if is_busy(&error) {
                    Trouble::Busy
                } else {
                    failed(reason(&error))
                }
            })?;
        let row = found.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        if let Some(row) = row {
            let shown = (0..row.len())
                .map(|column| row.get(column).unwrap_or("NULL"))
                .collect::<Vec<_>>();
            return Err(failed(format!(
                "verification found a row: {}",
                shown.join(", ")
            )));
        }
    }
    Ok(())
}

/// Runs a script as journalled steps, going on after those that are done. Says how many it has.
pub(super) async fn steps(
    held: &mut Held<'_>,
    migration: &Migration,
    source: &Source,
    run: &mut Run<'_>,
) -> Result<usize, Trouble> {
    let statements = cut(source);
    let total = statements.len();
    for (number, statement) in statements.iter().enumerate() {
        let step = (Direction::Up, number + 1);
        let begun = read_step(held.client, &migration.id, step).await?;
        if begun.as_ref().is_some_and(|begun| begun.finished) {
            continue;
        }
        let text = source.text().get(statement.start..statement.end);
        let one = One {
            source,
            statement,
            text: text.unwrap_or_default(),
            number,
        };
        let outside = in_transaction_refused(statement, Dialect::Postgres).is_some();
        let done = if outside {
            super::outside::run(held, migration, &one, begun.is_some()).await
        } else {
            inside(held, migration, &one, run).await
        };
        done.map_err(|trouble| kept(trouble, number))?;
        run.progress.tell(Event::Step {
            id: migration.id.clone(),
            number: number + 1,
            total,
        });
    }
    Ok(total)
}

/// One statement of a script.
pub(super) struct One<'a> {
    pub(super) source: &'a Source,
    pub(super) statement: &'a Statement,
    pub(super) text: &'a str,
    /// From 0.
    pub(super) number: usize,
}

impl One<'_> {
    pub(super) fn failed(&self, error: &tokio_postgres::Error) -> Trouble {
        if is_busy(error) {
            return Trouble::Busy;
        }
        Trouble::Statement {
            path: Some(self.source.path().to_owned()),
            number: self.number + 1,
            line: self.statement.line,
            done: self.number,
            reason: reason(error),
        }
    }
}

/// A statement that can be in a transaction commits together with its journal entry.
async fn inside(
    held: &mut Held<'_>,
    migration: &Migration,
    one: &One<'_>,
    run: &mut Run<'_>,
) -> Result<(), Trouble> {
    let journal = write_step(
        held.token,
        &migration.id,
        (Direction::Up, one.number + 1),
        &Progressed::finished(),
    );
    let mut pause = Duration::from_millis(100);
    for attempt in 1.. {
        let sent = format!(
            "BEGIN;SET LOCAL lock_timeout = {};{}\n;{journal}COMMIT",
            run.lock_timeout.as_millis(),
            one.text
        );
        let Err(error) = held.client.batch_execute(&sent).await else {
            return Ok(());
        };
        drop(held.client.batch_execute("ROLLBACK").await);
        if is_fenced(&error) {
            return Err(Trouble::from_database(error));
        }
        if !is_busy(&error) || attempt >= run.lock_tries {
            return Err(one.failed(&error));
        }
        run.progress.tell(Event::Retrying {
            id: migration.id.clone(),
            attempt,
        });
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
    Err(Trouble::Busy)
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
pub(super) async fn backfill(
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

/// How far a step has come.
#[derive(Debug, Default)]
pub(super) struct Progressed {
    next: Option<String>,
    done: u64,
    total: u64,
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

async fn read_step(
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
