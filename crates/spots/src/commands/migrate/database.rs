//! `spots migrate status`, `apply`, `down` and `unlock`: what touches a database.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use rusqlite::{Connection, OpenFlags};
use spots_migrate::{
    Applied, ApplyError, Dialect, Event, MigrationSet, Record, Rehearsal, RollBack, Run, State,
    postgres, sqlite,
};
use spots_store::PostgresAddress;
use spots_store::legacy::{Mover, postgres_backfills, sqlite_backfills};
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use super::SetArgs;
use crate::output::Output;

/// Which database.
#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
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

#[derive(Debug, Args)]
pub(crate) struct RehearseArgs {
    #[command(flatten)]
    set: SetArgs,
    /// Rehearse on a copy of this database, which is only read: `postgres://…`, or the path of an
    /// SQLite file. Without it, on an empty SQLite database.
    #[arg(
        long,
        value_name = "URL",
        env = "SPOTS_DATABASE",
        hide_env_values = true
    )]
    database: Option<String>,
    /// On PostgreSQL, begin with an empty scratch database instead of a copy.
    #[arg(long)]
    empty: bool,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// An open database.
pub(super) enum Database {
    Sqlite(Connection),
    Postgres(Box<Client>, Runtime),
}

impl Database {
    pub(super) fn open(args: &DatabaseArgs, create: bool) -> anyhow::Result<Self> {
        let url = &args.database;
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
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

    pub(super) fn apply(
        &mut self,
        set: &MigrationSet,
        mover: Option<&Mover>,
        run: &mut Run<'_>,
    ) -> Result<Applied, ApplyError> {
        match self {
            Self::Sqlite(connection) => {
                sqlite::apply(connection, set, &sqlite_backfills(mover), run)
            }
            Self::Postgres(client, runtime) => {
                let backfills = postgres_backfills(mover);
                runtime.block_on(postgres::apply(client, set, &backfills, run))
            }
        }
    }

    pub(super) fn roll_back(
        &mut self,
        set: &MigrationSet,
        mover: Option<&Mover>,
        (target, run): (&RollBack, &mut Run<'_>),
    ) -> Result<Applied, ApplyError> {
        match self {
            Self::Sqlite(connection) => {
                sqlite::roll_back(connection, set, &sqlite_backfills(mover), target, run)
            }
            Self::Postgres(client, runtime) => {
                let backfills = postgres_backfills(mover);
                runtime.block_on(postgres::roll_back(client, set, &backfills, target, run))
            }
        }
    }
}

pub(crate) fn status(args: &StatusArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let set = args.set.read()?;
    let database = Database::open(&args.database, false)?;
    let records = database.records()?;
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
    let mut database = Database::open(&args.database, true)?;
    let mut tell = teller();
    let mut run =
        Run::by("spots migrate apply", &mut tell).wait_at_most(Duration::from_secs(args.wait));
    if let Some(to) = &args.to {
        run = run.to(to);
    }
    let applied = database.apply(&set, None, &mut run);
    finish(applied, "applied", output)
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
    let mut run = Run::by("spots migrate down", &mut tell)
        .accept_data_loss(args.accept_data_loss.iter().cloned());
    let done = database.roll_back(&set, None, (&target, &mut run));
    finish(done, "rolled back", output)
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

pub(crate) fn rehearse(args: &RehearseArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let set = args.set.read()?;
    let source = args
        .database
        .clone()
        .map(|database| Database::open(&DatabaseArgs { database }, false))
        .transpose()?;
    let rehearsal = match source {
        None => sqlite::rehearse(None, &set, &sqlite_backfills(None))?,
        Some(Database::Sqlite(connection)) => {
            let source = (!args.empty).then_some(&connection);
            sqlite::rehearse(source, &set, &sqlite_backfills(None))?
        }
        Some(Database::Postgres(client, runtime)) => {
            let url = args.database.as_deref().unwrap_or_default();
            runtime.block_on(on_scratch(*client, url, &set, args.empty))?
        }
    };
    if args.json {
        output.line(&serde_json::to_string_pretty(&rehearsal)?)?;
    } else {
        for step in &rehearsal.steps {
            let down = match step.down_seconds {
                Some(seconds) => format!("down {seconds:.3} s"),
                None => "no way back".to_owned(),
            };
            output.line(&format!("{}: up {:.3} s, {down}", step.id, step.up_seconds))?;
            for (table, (before, after)) in &step.changed {
                output.line(&format!("  {table}: {before} rows before, {after} after"))?;
            }
        }
        for problem in &rehearsal.problems {
            output.line(&format!("problem: {problem}"))?;
        }
        if rehearsal.stages_commute == Some(true) {
            output.line("stages give the same schema in either order")?;
        }
    }
    Ok(ExitCode::from(u8::from(!rehearsal.problems.is_empty())))
}

/// Rehearses in a database of its own on the same server, and drops it.
async fn on_scratch(
    client: Client,
    url: &str,
    set: &MigrationSet,
    empty: bool,
) -> anyhow::Result<Rehearsal> {
    let source = client
        .query_one("SELECT current_database()", &[])
        .await?
        .get::<_, String>(0);
    // A template may have no other session, this one included.
    drop(client);
    let template = if empty { None } else { Some(source.as_str()) };
    let scratch = Scratch::create(url, template).await?;
    let rehearsal = async {
        let mut client = connect(url, &scratch.name).await?;
        Ok(postgres::rehearse(&mut client, set, &postgres_backfills(None)).await?)
    }
    .await;
    let dropped = scratch.drop().await;
    rehearsal.and_then(|rehearsal| dropped.map(|()| rehearsal))
}

/// A database of its own on the same server.
struct Scratch {
    maintenance: Client,
    name: String,
}

impl Scratch {
    async fn create(url: &str, template: Option<&str>) -> anyhow::Result<Self> {
        let name = format!("spots_scratch_{}", std::process::id());
        let maintenance = connect(url, "postgres").await?;
        let template = template.map_or_else(|| "template0".to_owned(), quoted);
        let create = format!("CREATE DATABASE {name} TEMPLATE {template}");
        for left in (0..20).rev() {
            match maintenance.batch_execute(&create).await {
                Ok(()) => break,
                // This process's own session may still be ending.
                Err(error) if left > 0 && is_in_use(&error) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => {
                    return Err(error).context(
                        "failed to copy the database; end its other sessions, or use --empty",
                    );
                }
            }
        }
        Ok(Self { maintenance, name })
    }

    async fn drop(self) -> anyhow::Result<()> {
        self.maintenance
            .batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .await
            .context("failed to drop the scratch database")
    }
}

pub(crate) fn adopt(args: &ApplyArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let set = args.set.read()?;
    let mut tell = teller();
    let mut run =
        Run::by("spots migrate adopt", &mut tell).wait_at_most(Duration::from_secs(args.wait));
    if let Some(to) = &args.to {
        run = run.to(to);
    }
    let adopted = match Database::open(&args.database, false)? {
        Database::Sqlite(mut connection) => {
            sqlite::adopt(&mut connection, &set, &sqlite_backfills(None), &mut run)
        }
        Database::Postgres(mut client, runtime) => {
            let url = &args.database.database;
            runtime.block_on(adopt_on(&mut client, url, &set, &mut run))?
        }
    };
    finish(adopted, "adopted", output)
}

/// Takes a PostgreSQL database over, with a scratch database beside it.
pub(super) async fn adopt_on(
    client: &mut Client,
    url: &str,
    set: &MigrationSet,
    run: &mut Run<'_>,
) -> anyhow::Result<Result<Applied, ApplyError>> {
    let scratch = Scratch::create(url, None).await?;
    let backfills = postgres_backfills(None);
    let adopted = match connect(url, &scratch.name).await {
        Ok(mut empty) => Ok(postgres::adopt(client, &mut empty, set, &backfills, run).await),
        Err(error) => Err(error),
    };
    scratch.drop().await?;
    adopted
}

fn is_in_use(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&tokio_postgres::error::SqlState::OBJECT_IN_USE)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

async fn connect(url: &str, database: &str) -> anyhow::Result<Client> {
    let address = PostgresAddress::parse(url)?.database(database);
    Ok(address.connect().await?)
}

/// Progress on standard error, a line for each thing that happens.
pub(super) fn teller() -> impl FnMut(Event) + Send {
    let mut last_wait = String::new();
    move |event| {
        let mut output = Output::terminal();
        let line = match event {
            Event::Waiting { holder, waited } => {
                // The same holder is told every ten seconds.
                if holder == last_wait && waited.as_millis() % 10_000 != 0 {
                    return;
                }
                last_wait.clone_from(&holder);
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
            Event::Batch { done, total, .. } => format!("  {done} of {total} rows"),
            _ => return,
        };
        // Progress that nobody can read is no reason to stop.
        drop(output.note(&line));
    }
}

/// A refusal is an answer: exit status 1. An error is 2.
pub(super) fn finish(
    done: Result<Applied, ApplyError>,
    word: &str,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    match done {
        Ok(applied) if applied.ids.is_empty() => output.line("nothing to do")?,
        Ok(applied) => {
            for id in &applied.ids {
                output.line(&format!("{word} {id}"))?;
            }
        }
        Err(error @ (ApplyError::Refused(_) | ApplyError::Failed(_) | ApplyError::Set(_))) => {
            output.note(&format!("refused: {error}"))?;
            return Ok(ExitCode::from(1));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}
