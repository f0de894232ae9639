//! `spots migrate environment` and `testing`: what may start in a database.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use spots_migrate::{ApplyError, Certificate, Environment, MigrationSet, Run, postgres, sqlite};

use super::SetArgs;
use super::database::{Database, DatabaseArgs, owner};
use super::told::teller;
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct EnvironmentArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// What the database is for; without it, says what it is.
    #[arg(value_parser = ["development", "staging", "production"])]
    environment: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TestingCommand {
    /// Put migrations into testing: nothing that touches the same tables may start meanwhile.
    Begin(BeginArgs),
    /// End the testing of migrations.
    End(EndArgs),
    /// Show what is in testing.
    List(ListArgs),
}

#[derive(Debug, Args)]
pub(crate) struct BeginArgs {
    #[command(flatten)]
    set: SetArgs,
    #[command(flatten)]
    database: DatabaseArgs,
    /// The migrations.
    #[arg(required = true)]
    ids: Vec<String>,
    /// Who tests; this process unless told.
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// It ends by itself after so many hours.
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=336))]
    hours: u64,
}

#[derive(Debug, Args)]
pub(crate) struct EndArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The migrations.
    #[arg(required = true)]
    ids: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    database: DatabaseArgs,
}

pub(crate) fn environment(args: &EnvironmentArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let mut database = Database::open(&args.database, false)?;
    let Some(environment) = args.environment.as_deref().and_then(Environment::parse) else {
        let said = database.standing()?.environment;
        let said = said.map_or("nobody said what this database is for", Environment::as_str);
        output.line(said)?;
        return Ok(ExitCode::SUCCESS);
    };
    let mut tell = teller();
    let mut run = Run::by(owner("environment"), &mut tell);
    match &mut database {
        Database::Sqlite(connection) => sqlite::set_environment(connection, environment, &mut run),
        Database::Postgres(client, runtime) => {
            runtime.block_on(postgres::set_environment(client, environment, &mut run))
        }
    }?;
    output.line(environment.as_str())?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn testing(command: &TestingCommand, output: &mut Output) -> anyhow::Result<ExitCode> {
    let mut tell = teller();
    match command {
        TestingCommand::Begin(args) => {
            let set = args.set.read()?;
            let who = args.owner.clone().unwrap_or_else(|| owner("testing"));
            let mut run = Run::by(who, &mut tell);
            let time = Duration::from_hours(args.hours);
            let mut database = Database::open(&args.database, false)?;
            database.test(&set, &args.ids, Some(time), &mut run)?;
            list(&mut database, output)
        }
        TestingCommand::End(args) => {
            let mut run = Run::by(owner("testing"), &mut tell);
            let mut database = Database::open(&args.database, false)?;
            database.test(&MigrationSet::default(), &args.ids, None, &mut run)?;
            list(&mut database, output)
        }
        TestingCommand::List(args) => list(&mut Database::open(&args.database, false)?, output),
    }
}

fn list(database: &mut Database, output: &mut Output) -> anyhow::Result<ExitCode> {
    let testing = database.standing()?.testing;
    for one in &testing {
        let over = one.writes.iter().cloned().collect::<Vec<_>>().join(", ");
        output.line(&format!(
            "{}: until {} by {}; changes {over}",
            one.id, one.until, one.owner
        ))?;
    }
    if testing.is_empty() {
        output.line("nothing is in testing")?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Database {
    /// Puts migrations into testing for a time, or ends it.
    pub(super) fn test(
        &mut self,
        set: &MigrationSet,
        ids: &[String],
        time: Option<Duration>,
        run: &mut Run<'_>,
    ) -> Result<(), ApplyError> {
        match (self, time) {
            (Self::Sqlite(connection), Some(time)) => {
                sqlite::begin_testing(connection, set, ids, time, run)
            }
            (Self::Sqlite(connection), None) => sqlite::end_testing(connection, ids, run),
            (Self::Postgres(client, runtime), Some(time)) => {
                runtime.block_on(postgres::begin_testing(client, set, ids, time, run))
            }
            (Self::Postgres(client, runtime), None) => {
                runtime.block_on(postgres::end_testing(client, ids, run))
            }
        }
    }

    /// Notes that a rehearsal found no problem.
    pub(super) fn note_rehearsal(
        &mut self,
        certificate: &Certificate,
        run: &mut Run<'_>,
    ) -> Result<(), ApplyError> {
        match self {
            Self::Sqlite(connection) => sqlite::record_rehearsal(connection, certificate, run),
            Self::Postgres(client, runtime) => {
                runtime.block_on(postgres::record_rehearsal(client, certificate, run))
            }
        }
    }
}
