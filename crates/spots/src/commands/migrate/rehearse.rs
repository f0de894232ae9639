//! `spots migrate rehearse`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use spots_migrate::{
    MigrationSet, ROWS_MAX, Rehearsal, RehearseOptions, Run, State, postgres, sqlite,
};
use spots_privacy::{MasterKeys, SystemRandomness};
use spots_store::legacy::{Mover, postgres_backfills, sqlite_backfills};
use tokio_postgres::Client;

use super::SetArgs;
use super::database::{Database, DatabaseArgs, owner};
use super::legacy;
use super::scratch::{Scratch, connect};
use super::told::teller;
use crate::output::Output;

/// How long what is rehearsed counts as in testing, if nobody ends it.
const TESTING: Duration = Duration::from_hours(4);

#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct RehearseArgs {
    #[command(flatten)]
    set: SetArgs,
    /// Rehearse on a copy of this database: `postgres://…`, or the path of an SQLite file. Without
    /// it, on an empty SQLite database.
    #[arg(
        long,
        value_name = "URL",
        env = "SPOTS_DATABASE",
        hide_env_values = true
    )]
    database: Option<String>,
    /// Begin with an empty scratch database instead of a copy.
    #[arg(long)]
    empty: bool,
    /// Fill tables that are empty with so many rows before each migration; foreign keys hold.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(ROWS_MAX)))]
    rows: Option<u32>,
    /// The made rows are the same for the same seed.
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// Replace texts, bytes and days in the copy, keys apart, before anything else.
    #[arg(long, conflicts_with = "empty", requires = "database")]
    sanitise: bool,
    /// Write nothing into the database: neither that its migrations are in testing meanwhile, nor
    /// that the rehearsal found no problem.
    #[arg(long)]
    no_record: bool,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &RehearseArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let set = args.set.read()?;
    let options = RehearseOptions {
        rows: args.rows,
        seed: args.seed,
        sanitise: args.sanitise,
    };
    let rehearsal = match &args.database {
        Some(url) if !args.empty || url.starts_with("postgres") => {
            beside(args, url, &set, &options)?
        }
        _ => sqlite::rehearse_with(None, &set, &sqlite_backfills(Some(&throwaway()?)), &options)?,
    };
    if args.json {
        output.line(&serde_json::to_string_pretty(&rehearsal)?)?;
    } else {
        show(&rehearsal, output)?;
    }
    Ok(ExitCode::from(u8::from(!rehearsal.problems.is_empty())))
}

/// Rehearses on a copy of a database, or on an empty one beside it, and notes it there.
fn beside(
    args: &RehearseArgs,
    url: &str,
    set: &MigrationSet,
    options: &RehearseOptions,
) -> anyhow::Result<Rehearsal> {
    let open = || {
        let database = url.to_owned();
        Database::open(&DatabaseArgs { database }, false)
    };
    let mut source = open()?;
    let records = source.records()?;
    // A database that no run has touched stays as it is.
    let known = !records.is_empty() || source.standing()?.environment.is_some();
    let notes = known && !args.no_record && !args.empty;
    let applied = |id: &str| {
        let mut found = records.iter().filter(|one| one.id == id);
        found.any(|one| one.state == State::Applied)
    };
    let pending = set.migrations().iter().map(|one| one.id.clone());
    let pending = pending.filter(|id| !applied(id)).collect::<Vec<_>>();
    let mut tell = teller();
    let mut run = Run::by(owner("rehearse"), &mut tell);
    if notes {
        source.test(set, &pending, Some(TESTING), &mut run)?;
    }
    let rehearsed = on_copy(source, args.empty, (url, set, options));
    if notes {
        let mut source = open()?;
        source.test(set, &pending, None, &mut run)?;
        if let Ok(rehearsal) = &rehearsed
            && rehearsal.problems.is_empty()
        {
            source.note_rehearsal(&rehearsal.certificate, &mut run)?;
        }
    }
    rehearsed
}

/// Moves people of an old database under keys of this rehearsal alone: what they seal is dropped
/// with the copy.
fn throwaway() -> anyhow::Result<Mover> {
    legacy::mover(MasterKeys::generate(&SystemRandomness))
}

fn on_copy(
    source: Database,
    empty: bool,
    (url, set, options): (&str, &MigrationSet, &RehearseOptions),
) -> anyhow::Result<Rehearsal> {
    match source {
        Database::Sqlite(connection) => Ok(sqlite::rehearse_with(
            Some(&connection),
            set,
            &sqlite_backfills(Some(&throwaway()?)),
            options,
        )?),
        Database::Postgres(client, runtime) => {
            runtime.block_on(on_scratch(*client, empty, (url, set, options)))
        }
    }
}

/// Rehearses in a database of its own on the same server, and drops it.
async fn on_scratch(
    client: Client,
    empty: bool,
    (url, set, options): (&str, &MigrationSet, &RehearseOptions),
) -> anyhow::Result<Rehearsal> {
    let row = client.query_one("SELECT current_database()", &[]).await?;
    let source = row.get::<_, String>(0);
    let before = if empty {
        String::new()
    } else {
        postgres::fingerprint(&client).await?
    };
    // A template may have no other session, this one included.
    drop(client);
    let scratch = Scratch::create(url, (!empty).then_some(&source)).await?;
    let rehearsal = async {
        let mut client = scratch.connect(url).await?;
        let backfills = postgres_backfills(Some(&throwaway()?));
        let done = postgres::rehearse_with(&mut client, set, &backfills, options).await?;
        anyhow::Ok(done)
    }
    .await;
    scratch.drop().await?;
    let mut rehearsal = rehearsal?;
    if !empty {
        let client = connect(url, None)
            .await
            .context("failed to look at the source again")?;
        if postgres::fingerprint(&client).await? != before {
            rehearsal.problems.push(format!(
                "{source} itself changed while its copy was rehearsed: a migration reached out of the copy, or somebody else wrote"
            ));
        }
    }
    ensure!(
        !rehearsal.certificate.set.is_empty(),
        "the rehearsal came to no end"
    );
    Ok(rehearsal)
}

fn show(rehearsal: &Rehearsal, output: &mut Output) -> anyhow::Result<()> {
    for (table, rows) in &rehearsal.generated {
        output.line(&format!("made {rows} rows in {table}"))?;
    }
    for column in &rehearsal.not_sanitised {
        output.line(&format!(
            "not sanitised, its constraints do not let it: {column}"
        ))?;
    }
    for step in &rehearsal.steps {
        let down = match step.down_seconds {
            Some(seconds) => format!("down {seconds:.3} s"),
            None => "no way back".to_owned(),
        };
        output.line(&format!("{}: up {:.3} s, {down}", step.id, step.up_seconds))?;
        for (table, (before, after)) in &step.changed {
            output.line(&format!("  {table}: {before} rows before, {after} after"))?;
        }
        for lock in &step.locks {
            output.line(&format!("  holds {lock}"))?;
        }
        if step.invariants > 0 {
            output.line(&format!("  {} invariants compared", step.invariants))?;
        }
    }
    if !rehearsal.pairs.is_empty() {
        let commute = rehearsal.pairs.iter().filter(|pair| pair.commute).count();
        output.line(&format!(
            "{commute} of {} independent pairs give the same schema in either order",
            rehearsal.pairs.len()
        ))?;
    }
    if rehearsal.pairs_left > 0 {
        output.line(&format!(
            "{} more pairs were not tried",
            rehearsal.pairs_left
        ))?;
    }
    for problem in &rehearsal.problems {
        output.line(&format!("problem: {problem}"))?;
    }
    Ok(())
}
