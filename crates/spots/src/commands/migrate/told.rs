//! What the commands that touch a database tell: progress, and what was done.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use spots_migrate::{Applied, ApplyError, Event, MigrationSet, Record, State};

use crate::output::Output;

/// What stays applied after a failure, and what was not begun.
pub(super) fn left(set: &MigrationSet, records: &[Record], failed: &str) -> String {
    const SHOWN: usize = 5;
    let state = |id: &str| {
        let record = records.iter().find(|record| record.id == id);
        record.map(|record| record.state)
    };
    let ids = set.migrations().iter().map(|one| one.id.as_str());
    let (applied, rest): (Vec<_>, Vec<_>) = ids
        .filter(|id| *id != failed)
        .partition(|id| state(id) == Some(State::Applied));
    let shown = rest.iter().take(SHOWN).copied().collect::<Vec<_>>();
    let more = match rest.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let begun = match rest.as_slice() {
        [] => "nothing else was left".to_owned(),
        _ => format!("not begun: {}{more}", shown.join(", ")),
    };
    format!(
        "applied and kept: {} migrations; {begun}; see spots migrate status",
        applied.len()
    )
}

/// Progress on standard error, a line for each thing that happens.
pub(super) fn teller() -> impl FnMut(Event) + Send {
    const AGAIN: Duration = Duration::from_secs(5);
    let mut told = None;
    move |event| {
        let mut output = Output::terminal();
        let line = match event {
            Event::Waiting { holder, waited } => {
                if told.is_some_and(|told| waited < told + AGAIN) {
                    return;
                }
                told = Some(waited);
                format!("waiting for {holder} ({} s)", waited.as_secs())
            }
            Event::TookOver { holder } => {
                format!("took the lock over from {holder}, which is gone")
            }
            Event::Started { id, number, total } => format!("[{number}/{total}] {id}"),
            Event::Retrying { id, attempt } => {
                format!("  {id}: a table is locked, let others go first (try {attempt})")
            }
            Event::Step { number, total, .. } => format!("  step {number} of {total}"),
            // A backfill may find more to do than it could count at its start.
            Event::Batch { done, total, .. } if done > total => format!("  {done} rows"),
            Event::Batch { done, total, .. } => format!("  {done} of {total} rows"),
            _ => return,
        };
        // Progress that nobody can read is no reason to stop.
        drop(output.note(&line));
    }
}

/// Says what was done, or that nothing was and why.
pub(super) fn finish(
    done: Result<Applied, ApplyError>,
    (word, as_json): (&str, bool),
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    if as_json {
        let said = match &done {
            Ok(applied) => json!({ "done": word, "ids": applied.ids }),
            Err(ApplyError::Failed(failure)) => {
                json!({ "done": word, "ids": [], "failure": failure })
            }
            Err(error) => json!({ "done": word, "ids": [], "refused": error.to_string() }),
        };
        output.line(&serde_json::to_string_pretty(&said)?)?;
    }
    let applied = done?;
    if as_json {
        return Ok(ExitCode::SUCCESS);
    }
    if applied.ids.is_empty() {
        output.line("nothing to do")?;
    }
    for id in &applied.ids {
        output.line(&format!("{word} {id}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
