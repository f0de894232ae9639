//! Scripts, each with its verification and its record in one transaction.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use tokio_postgres::error::{ErrorPosition, SqlState};
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};

use super::target::Postgres;
use super::{record, rehearse};
use crate::engine::frame;
use crate::engine::target::{Change, One, Progressed, Trouble, cut, text};
use crate::set::line_of;
use crate::{ApplyError, Dialect, Refusal, Source};

/// One transaction: conditions, script, verification, record.
pub(super) async fn change(
    target: &Postgres<'_>,
    change: &Change<'_>,
    lock_timeout: Duration,
) -> Result<Progressed, Trouble> {
    let client = &*target.client;
    let mut head = format!(
        "BEGIN;SET LOCAL lock_timeout = {};\n",
        lock_timeout.as_millis()
    );
    let mut head_statements = 2;
    if change.conditions {
        client.batch_execute(&head).await.map_err(from_database)?;
        frame::conditions(target, change.migration)
            .await
            .map_err(Trouble::Apply)?;
        head.clear();
        head_statements = 0;
    }
    let reset = change.source.map_or("", reset_after);
    let tail = format!("{reset}{}COMMIT", record::write(change, target.token));
    let at_once = change.verify.is_none() && target.locks.is_none();
    let text = Text {
        head: &head,
        head_statements,
        source: change.source,
        tail: if at_once { &tail } else { "" },
    };
    run_text(client, &text).await?;
    if let Some(source) = change.verify {
        verify(client, source).await?;
    }
    if let Some(locks) = &target.locks {
        let noted = rehearse::note_locks(client, locks).await;
        noted.map_err(from_database)?;
    }
    if !at_once {
        client.batch_execute(&tail).await.map_err(from_database)?;
    }
    Ok(Progressed::finished())
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
        _ => from_database(error),
    })
}

fn script_failed(
    source: &Source,
    text: &Text<'_>,
    completed: usize,
    error: &tokio_postgres::Error,
) -> Trouble {
    let statements = cut(source, Dialect::Postgres);
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

/// What went wrong, when it is not the script's fault.
pub(super) fn from_database(error: tokio_postgres::Error) -> Trouble {
    if is_busy(&error) {
        Trouble::Busy
    } else if is_fenced(&error) {
        Trouble::Apply(ApplyError::Refused(Refusal::Fenced))
    } else {
        Trouble::Apply(ApplyError::database("run a migration")(error))
    }
}

/// What went wrong with one statement.
pub(super) fn run_failed(one: &One<'_>, error: tokio_postgres::Error) -> Trouble {
    if is_busy(&error) || is_fenced(&error) || error.as_db_error().is_none() {
        from_database(error)
    } else {
        one.failed(reason(&error))
    }
}

/// Runs queries of which every row is a mistake.
async fn verify(client: &Client, source: &Source) -> Result<(), Trouble> {
    for (number, statement) in cut(source, Dialect::Postgres).iter().enumerate() {
        let failed = |reason| Trouble::statement(source, number, statement, reason);
        let found = rows(client, text(source, statement))
            .await
            .map_err(|error| {
                if is_busy(&error) {
                    Trouble::Busy
                } else {
                    failed(reason(&error))
                }
            })?;
        if let Some(row) = found.first() {
            let shown = row
                .iter()
                .map(|cell| cell.as_deref().unwrap_or("NULL"))
                .collect::<Vec<_>>();
            return Err(failed(format!(
                "verification found a row: {}",
                shown.join(", ")
            )));
        }
    }
    Ok(())
}

/// The rows of a query, as text.
pub(super) async fn rows(
    client: &Client,
    query: &str,
) -> Result<Vec<Vec<Option<String>>>, tokio_postgres::Error> {
    let answers = client.simple_query(query).await?;
    let rows = answers.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let cells = |row: &SimpleQueryRow| {
        let cells = (0..row.len()).map(|column| row.get(column).map(str::to_owned));
        cells.collect()
    };
    Ok(rows.map(cells).collect())
}
