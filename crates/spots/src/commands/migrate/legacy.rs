//! `spots migrate upgrade-legacy`: an old SPOTS database becomes one of this form.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::Args;
use spots_clock::{ClockSource as _, SystemSource};
use spots_findings::{Report, Rule, Tool, text};
use spots_migrate::{RollBack, Run, State, postgres, sqlite};
use spots_privacy::{MasterKeys, SystemRandomness};
use spots_store::legacy::{
    Mapping, Mover, Source, Survey, Target, copy, postgres_backfills, sqlite_backfills,
};
use spots_store::schema;

use super::database::{Database, DatabaseArgs, owner};
use super::scratch::Scratch;
use super::told::{finish, teller};
use crate::commands::serve;
use crate::keyring::KeyPlace;
use crate::output::Output;

/// Where the old database stands in the set.
const BASELINE: &str = "0001-baseline";
/// The first migration of the move; everything else of it comes after.
const WINDOW: &str = "0015-legacy-window";
/// The first that moves rows: once it has begun, the rest goes on by itself.
const MOVING: &str = "0020-agents-for-users";

#[derive(Debug, Args)]
pub(crate) struct UpgradeArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Copy from this old database, which is only read, into --database. Without it, the old
    /// database is --database itself.
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    /// Which old tables and columns hold what.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyPlace,
    /// Read the old database, say what is not mapped and what there is to move, and stop.
    #[arg(long)]
    dry_run: bool,
    /// Write the old tables again from what is sealed and booked now; the old application can run
    /// again.
    #[arg(long, conflicts_with_all = ["dry_run", "from", "mapping"])]
    back: bool,
    /// How many rows are moved in one transaction.
    #[arg(long, value_name = "ROWS", default_value = "1000")]
    batch_rows: u32,
}

pub(crate) fn run(args: &UpgradeArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    if args.back {
        return back(args, output);
    }
    if args.dry_run {
        let (survey, _) = survey(args, &serve::runtime()?)?;
        return report(&survey, output);
    }
    let mover = mover(args.keys.read()?)?;
    let mut database = Database::open(&args.database, args.from.is_some())?;
    if !is_applied(&database, MOVING)? {
        let runtime = serve::runtime()?;
        let (survey, source) = survey(args, &runtime)?;
        let verdict = report(&survey, output)?;
        if !survey.findings.is_empty() {
            return Ok(verdict);
        }
        if args.from.is_none() && !survey.is_baseline {
            bail!(
                "the old tables have other names or columns than SPOTS began with, so they are copied \
                 into a new database; say --from OLD --database NEW"
            );
        }
        prepare(args, &mut database, &mover)?;
        runtime.block_on(fill(source, &survey, &mut database, args.from.is_some()))?;
    }
    let done = up(args, &mut database, &mover, None);
    finish(done, ("applied", false), output)
}

/// What moves: the keys, and the second at which this run began.
pub(super) fn mover(keys: MasterKeys) -> anyhow::Result<Mover> {
    let second = SystemSource::new().wall() / 1_000_000_000;
    let moved_at = i64::try_from(second).context("failed to read the system's clock")?;
    Ok(Mover::new(
        Arc::new(keys),
        Arc::new(SystemRandomness),
        moved_at,
    ))
}

/// Reads the mapping and with it the old database.
fn survey(
    args: &UpgradeArgs,
    runtime: &tokio::runtime::Runtime,
) -> anyhow::Result<(Survey, Source)> {
    let mapping = match &args.mapping {
        None => Ok(Mapping::same()),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("failed to read the mapping {}", path.display()))?;
            Mapping::parse(&path.to_string_lossy(), &text)
        }
    };
    let url = args.from.as_ref().unwrap_or(&args.database.database);
    runtime.block_on(async {
        let mut source = Source::open(url).await?;
        let survey = match mapping {
            Ok(mapping) => Survey::of(&mut source, &mapping).await?,
            Err(finding) => Survey::refused(*finding),
        };
        Ok((survey, source))
    })
}

fn report(survey: &Survey, output: &mut Output) -> anyhow::Result<ExitCode> {
    for (what, count) in &survey.counts {
        output.line(&format!("{count:>12} {what}"))?;
    }
    if survey.findings.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let rules = [
        (
            "unmapped",
            "An old table or column that the mapping does not settle",
        ),
        ("bad-mapping", "A mapping that cannot be read"),
        ("one-address-twice", "Two users with one e-mail address"),
        (
            "attendees-unread",
            "A list of attendees that is no JSON list of texts",
        ),
        ("times-unread", "Times that are no seconds in order"),
    ];
    let why = "What is not settled here is lost or refused in the middle of the move.";
    let rules = rules.map(|(id, title)| Rule { id, title, why });
    let tool = Tool {
        name: "spots migrate upgrade-legacy",
        version: env!("CARGO_PKG_VERSION"),
    };
    let mut report = Report::new(tool, rules.into());
    report.add(survey.findings.iter().cloned());
    output.write(&text::render(&report, output.colour))?;
    Ok(ExitCode::from(report.verdict(false).code()))
}

fn is_applied(database: &Database, id: &str) -> anyhow::Result<bool> {
    let records = database.records()?;
    let of_id = records.iter().find(|record| record.id == id);
    Ok(of_id.is_some_and(|record| record.state != State::RolledBack))
}

/// Brings the database to where the move begins: taken over at the baseline, or made there.
fn prepare(args: &UpgradeArgs, database: &mut Database, mover: &Mover) -> anyhow::Result<()> {
    if args.from.is_none() && !is_applied(database, BASELINE)? {
        adopt(args, database)?;
    } else {
        up(args, database, mover, Some(BASELINE))?;
    }
    up(args, database, mover, Some(WINDOW))?;
    Ok(())
}

fn up(
    args: &UpgradeArgs,
    database: &mut Database,
    mover: &Mover,
    to: Option<&str>,
) -> Result<spots_migrate::Applied, spots_migrate::ApplyError> {
    let mut tell = teller();
    let mut run = Run::by(owner("upgrade-legacy"), &mut tell).batch_rows(args.batch_rows);
    if let Some(to) = to {
        run = run.to(to);
    }
    let set = schema::migrations();
    match database {
        Database::Sqlite(connection) => {
            sqlite::apply(connection, &set, &sqlite_backfills(Some(mover)), &mut run)
        }
        Database::Postgres(client, runtime) => {
            let backfills = postgres_backfills(Some(mover));
            runtime.block_on(postgres::apply(client, &set, &backfills, &mut run))
        }
    }
}

/// Records an old database as being at the baseline, once its schema is proven to be.
fn adopt(args: &UpgradeArgs, database: &mut Database) -> anyhow::Result<()> {
    let set = schema::migrations();
    let mut tell = teller();
    let mut run = Run::by(owner("upgrade-legacy"), &mut tell).to(BASELINE);
    match database {
        Database::Sqlite(connection) => {
            sqlite::adopt(connection, &set, &sqlite_backfills(None), &mut run)?;
        }
        Database::Postgres(client, runtime) => {
            let url = &args.database.database;
            runtime.block_on(async {
                let scratch = Scratch::create(url, None).await?;
                let backfills = postgres_backfills(None);
                let adopted = match scratch.connect(url).await {
                    Ok(mut empty) => {
                        Ok(postgres::adopt(client, &mut empty, &set, &backfills, &mut run).await)
                    }
                    Err(error) => Err(error),
                };
                scratch.drop().await?;
                adopted
            })??;
        }
    }
    Ok(())
}

async fn fill(
    mut source: Source,
    survey: &Survey,
    database: &mut Database,
    everything: bool,
) -> anyhow::Result<()> {
    let mut target = match database {
        Database::Sqlite(connection) => Target::Sqlite(connection),
        Database::Postgres(client, _) => Target::Postgres(client),
    };
    copy(&mut source, survey, &mut target, everything).await?;
    Ok(())
}

fn back(args: &UpgradeArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let mover = mover(args.keys.read()?)?;
    let mut database = Database::open(&args.database, false)?;
    let mut tell = teller();
    let mut run = Run::by(owner("upgrade-legacy --back"), &mut tell).batch_rows(args.batch_rows);
    let target = RollBack::Id(WINDOW.to_owned());
    let set = schema::migrations();
    let done = match &mut database {
        Database::Sqlite(connection) => {
            let backfills = sqlite_backfills(Some(&mover));
            sqlite::roll_back(connection, &set, &backfills, &target, &mut run)
        }
        Database::Postgres(client, runtime) => {
            let backfills = postgres_backfills(Some(&mover));
            runtime.block_on(postgres::roll_back(
                client, &set, &backfills, &target, &mut run,
            ))
        }
    };
    finish(done, ("rolled back", false), output)
}
