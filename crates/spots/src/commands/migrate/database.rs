//! `spots migrate status`, `apply`, `down` and `unlock`: what touches a database.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use rusqlite::{Connection, OpenFlags};
use spots_migrate::{
    Applied, ApplyError, Certificate, Dialect, MigrationSet, Record, RollBack, Run, Standing,
    State, postgres, sqlite,
};
use spots_store::PostgresAddress;
use spots_store::legacy::{postgres_backfills, sqlite_backfills};
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use super::SetArgs;
use super::scratch::{self, Scratch};
use super::told::{finish, left, teller};
use crate::output::Output;

/// At most so many migrations run side by side.
const JOBS_MAX: i64 = 16;
/// So many unless told.
const JOBS_DEFAULT: u8 = 4;

/// Which database.
#[derive(Debug, Args)]
pub(super) struct DatabaseArgs {
    /// The database: `postgres://…`, or the path of an SQLite file.
    #[arg(
        long,
        value_name = "URL",
        env = "SPOTS_DATABASE",
        hide_env_values = true
    )]
    pub(super) database: String,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    set: SetArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    set: SetArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Stop after the migration with this id.
    #[arg(long, value_name = "ID")]
    to: Option<String>,
    /// Wait at most so many seconds for another run.
    #[arg(long, value_name = "SECONDS", default_value = "3600")]
    wait: u64,
    /// On PostgreSQL, run so many migrations of one stage side by side: 4 unless told, but one by
    /// one where another tool's numbers give the order.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=JOBS_MAX))]
    jobs: Option<u8>,
    /// The JSON of a rehearsal that was made elsewhere, for a production database.
    #[arg(long, value_name = "FILE")]
    rehearsal: Option<PathBuf>,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AdoptArgs {
    #[command(flatten)]
    set: SetArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Stop after the migration with this id.
    #[arg(long, value_name = "ID")]
    to: Option<String>,
    /// Wait at most so many seconds for another run.
    #[arg(long, value_name = "SECONDS", default_value = "3600")]
    wait: u64,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("target").required(true))]
pub(crate) struct DownArgs {
    #[command(flatten)]
    set: SetArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Roll this migration back, and what depends on it.
    #[arg(group = "target")]
    id: Option<String>,
    /// Roll every migration of this phase back.
    #[arg(long, group = "target")]
    phase: Option<String>,
    /// Roll everything back that was applied after this one.
    #[arg(long, value_name = "ID", group = "target")]
    to: Option<String>,
    /// Roll everything back.
    #[arg(long, group = "target")]
    all: bool,
    /// Consent to the loss of data that these migrations declare.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    accept_data_loss: Vec<String>,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UnlockArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Let this failed migration be tried again as it is: its cause lay outside the script.
    #[arg(long, value_name = "ID")]
    failed: Option<String>,
    /// Take the lock from its owner. Its run stops at its next step, with its open change undone.
    #[arg(long)]
    force: bool,
}

/// An open database.
pub(super) enum Database {
    Sqlite(Connection),
    Postgres(Box<Client>, Runtime),
}

/// Which kind of database an address means.
fn dialect_of(url: &str) -> Dialect {
    if PostgresAddress::is_url(url) {
        Dialect::Postgres
    } else {
        Dialect::Sqlite
    }
}

impl Database {
    pub(super) fn open(args: &DatabaseArgs, create: bool) -> anyhow::Result<Self> {
        let url = &args.database;
        if dialect_of(url) == Dialect::Postgres {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()?;
            let address = PostgresAddress::parse(url)?;
            let client = runtime.block_on(address.connect())?;
            return Ok(Self::Postgres(Box::new(client), runtime));
        }
        let path = PathBuf::from(
            url.trim_start_matches("sqlite://")
                .trim_start_matches("sqlite:"),
        );
        let mut flags = OpenFlags::default();
        flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
        if !create && !path.exists() {
            bail!(
                "there is no SQLite database {}; spots migrate apply makes it",
                path.display()
            );
        }
        Connection::open_with_flags(&path, flags)
            .map(Self::Sqlite)
            .with_context(|| format!("failed to open the SQLite database {}", path.display()))
    }

    fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(..) => Dialect::Postgres,
        }
    }

    pub(super) fn records(&self) -> Result<Vec<Record>, ApplyError> {
        match self {
            Self::Sqlite(connection) => sqlite::status(connection),
            Self::Postgres(client, runtime) => runtime.block_on(postgres::status(client)),
        }
    }

    fn apply(
        &mut self,
        set: &MigrationSet,
        beside: &mut [Client],
        run: &mut Run<'_>,
    ) -> Result<Applied, ApplyError> {
        match self {
            Self::Sqlite(connection) => {
                sqlite::apply(connection, set, &sqlite_backfills(None), run)
            }
            Self::Postgres(client, runtime) => {
                let none = postgres_backfills(None);
                runtime.block_on(postgres::apply_beside(client, beside, set, &none, run))
            }
        }
    }

    /// More connections to the same database.
    fn more(&self, url: &str, count: u8) -> anyhow::Result<Vec<Client>> {
        let Self::Postgres(_, runtime) = self else {
            return Ok(Vec::new());
        };
        runtime.block_on(async {
            let mut out = Vec::new();
            for _ in 0..count {
                out.push(scratch::connect(url, None).await?);
            }
            Ok(out)
        })
    }

    pub(super) fn standing(&mut self) -> Result<Standing, ApplyError> {
        match self {
            Self::Sqlite(connection) => sqlite::standing(connection),
            Self::Postgres(client, runtime) => runtime.block_on(postgres::standing(client)),
        }
    }

    fn roll_back(
        &mut self,
        set: &MigrationSet,
        target: &RollBack,
        run: &mut Run<'_>,
    ) -> Result<Applied, ApplyError> {
        match self {
            Self::Sqlite(connection) => {
                sqlite::roll_back(connection, set, &sqlite_backfills(None), target, run)
            }
            Self::Postgres(client, runtime) => {
                let none = postgres_backfills(None);
                runtime.block_on(postgres::roll_back(client, set, &none, target, run))
            }
        }
    }
}

pub(crate) fn status(args: &StatusArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let set = args.set.read()?;
    let mut database = Database::open(&args.database, false)?;
    let records = database.records()?;
    let standing = database.standing()?;
    let find = |id: &str| records.iter().find(|record| record.id == id);
    let mut rows = Vec::new();
    for migration in set.migrations() {
        let record = find(&migration.id);
        let edited = record.is_some_and(|record| {
            record.state == State::Applied
                && record.checksum != migration.checksum(database.dialect())
        });
        let state = match record {
            Some(_) if edited => "edited since",
            Some(record) => record.state.as_str(),
            None => "pending",
        };
        rows.push((migration.id.clone(), state, record));
    }
    for record in &records {
        if set.find(&record.id).is_none() {
            rows.push((record.id.clone(), "not in the set", Some(record)));
        }
    }
    if args.json {
        let rows = rows
            .iter()
            .map(|(id, state, record)| {
                serde_json::json!({
                    "id": id,
                    "state": state,
                    "changedAt": record.map(|record| &record.changed_at),
                    "failure": record.and_then(|record| record.failure.as_ref()),
                })
            })
            .collect::<Vec<_>>();
        output.line(&serde_json::to_string_pretty(&rows)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(environment) = standing.environment {
        output.line(&format!("{environment} database"))?;
    }
    for one in &standing.testing {
        let (owner, until) = (&one.owner, &one.until);
        output.line(&format!(
            "in testing     {}  until {until} by {owner}",
            one.id
        ))?;
    }
    for (id, state, record) in rows {
        let since = record.map(|record| record.changed_at.as_str());
        output.line(&format!("{state:<14} {id}  {}", since.unwrap_or_default()))?;
        if let Some(failure) = record.and_then(|record| record.failure.as_ref()) {
            output.line(&format!("               {failure}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn apply(args: &ApplyArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let set = args.set.read()?;
    // Before a file of SQLite comes into being.
    set.check_scripts(dialect_of(&args.database.database))?;
    let mut database = Database::open(&args.database, true)?;
    let mut tell = teller();
    let mut run = Run::by(owner("apply"), &mut tell).wait_at_most(Duration::from_secs(args.wait));
    if let Some(to) = &args.to {
        run = run.to(to);
    }
    if let Some(file) = &args.rehearsal {
        run = run.rehearsed(certificate(file)?);
    }
    let jobs = args.jobs.unwrap_or_else(|| jobs_of(&set));
    let mut beside = database.more(&args.database.database, jobs.saturating_sub(1))?;
    let applied = database.apply(&set, &mut beside, &mut run);
    if let Err(ApplyError::Failed(failure)) = &applied {
        let records = database.records()?;
        output.note(&left(&set, &records, &failure.id))?;
    }
    finish(applied, ("applied", args.json), output)
}

/// The proof in the JSON of a rehearsal, which must have found no problem.
fn certificate(file: &Path) -> anyhow::Result<Certificate> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("failed to read {}", file.display()))?;
    let said = serde_json::from_str::<serde_json::Value>(&text)
        .with_context(|| format!("{} is no JSON of spots migrate rehearse", file.display()))?;
    let problems = said.get("problems").and_then(serde_json::Value::as_array);
    anyhow::ensure!(
        problems.is_some_and(Vec::is_empty),
        "the rehearsal in {} found problems; mend them and rehearse again",
        file.display()
    );
    let certificate = said.get("certificate").cloned().unwrap_or_default();
    serde_json::from_value(certificate)
        .with_context(|| format!("{} carries no certificate", file.display()))
}

/// This process, for whoever waits for it.
pub(super) fn owner(command: &str) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "this machine",
        host => host,
    };
    let process = std::process::id();
    format!("spots migrate {command}, process {process} on {host}")
}

pub(crate) fn down(args: &DownArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let set = args.set.read()?;
    let mut database = Database::open(&args.database, false)?;
    let target = match (&args.id, &args.phase, &args.to) {
        (Some(id), ..) => RollBack::Id(id.clone()),
        (_, Some(phase), _) => RollBack::Phase(phase.clone()),
        (_, _, Some(to)) => RollBack::To(to.clone()),
        _ => RollBack::All,
    };
    let mut tell = teller();
    let mut run =
        Run::by(owner("down"), &mut tell).accept_data_loss(args.accept_data_loss.iter().cloned());
    let done = database.roll_back(&set, &target, &mut run);
    finish(done, ("rolled back", args.json), output)
}

pub(crate) fn unlock(args: &UnlockArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let mut database = Database::open(&args.database, false)?;
    let said = match &mut database {
        Database::Sqlite(connection) => {
            sqlite::unlock(connection, args.failed.as_deref(), args.force)?
        }
        Database::Postgres(client, runtime) => {
            runtime.block_on(postgres::unlock(client, args.failed.as_deref(), args.force))?
        }
    };
    for line in said {
        output.line(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn adopt(args: &AdoptArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let set = args.set.read()?;
    let mut tell = teller();
    let mut run = Run::by(owner("adopt"), &mut tell).wait_at_most(Duration::from_secs(args.wait));
    if let Some(to) = &args.to {
        run = run.to(to);
    }
    let adopted = match Database::open(&args.database, false)? {
        Database::Sqlite(mut connection) => {
            sqlite::adopt(&mut connection, &set, &sqlite_backfills(None), &mut run)
        }
        Database::Postgres(mut client, runtime) => runtime.block_on(async {
            let url = &args.database.database;
            let scratch = Scratch::create(url, None).await?;
            let none = postgres_backfills(None);
            let adopted = match scratch.connect(url).await {
                Ok(mut empty) => {
                    Ok(postgres::adopt(&mut client, &mut empty, &set, &none, &mut run).await)
                }
                Err(error) => Err(error),
            };
            scratch.drop().await?;
            adopted
        })?,
    };
    finish(adopted, ("adopted", args.json), output)
}

/// Numbers may say what no SQL shows: what another tool ordered by them alone is not run out of turn
/// unless somebody asks for it.
fn jobs_of(set: &MigrationSet) -> u8 {
    let mut migrations = set.migrations().iter();
    let declares = migrations.all(|one| one.path.ends_with("/migration.toml"));
    if declares { JOBS_DEFAULT } else { 1 }
}
