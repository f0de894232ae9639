//! Running scripts: in one transaction, in journalled steps, in batches.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio_postgres::error::{ErrorPosition, SqlState};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::journal::{Progressed, read_step, write_step};
use super::{Held, conditions, main_path};
use crate::set::{in_transaction_refused, line_of};
use crate::split::{Statement, split};
use crate::{ApplyError, Dialect, Direction, Event, Failure, Migration, Refusal, Run, Source};

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
    pub(super) fn from_database(error: tokio_postgres::Error) -> Self {
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

pub(super) fn reason(error: &tokio_postgres::Error) -> String {
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

pub(super) fn is_busy(error: &tokio_postgres::Error) -> bool {
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
