//! `spots migrate`.

pub(crate) mod blobs;
mod check;
mod database;
mod first_password;
mod legacy;
mod rehearse;
mod roles;
mod scratch;
mod standing;
mod told;
mod views;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use spots_migrate::{ApplyError, Dialect, Layout, MigrationSet, SetError};

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum MigrateCommand {
    /// Find what is wrong with a set before any database is touched.
    Check(check::CheckArgs),
    /// List every migration with its phase, what it touches and its way back.
    Inventory(views::InventoryArgs),
    /// Show what comes after what, and why.
    Graph(views::GraphArgs),
    /// Show the stages: what may run side by side, what waits for what.
    Plan(views::PlanArgs),
    /// Show what a database has applied and what is left.
    Status(database::StatusArgs),
    /// Apply what is pending.
    Apply(database::ApplyArgs),
    /// Try everything pending on a scratch database: up, down, up again, all compared.
    Rehearse(rehearse::RehearseArgs),
    /// Roll back, dependants first.
    Down(database::DownArgs),
    /// Take over a database that other means brought to the state that the set gives.
    Adopt(database::AdoptArgs),
    /// Move an old SPOTS database, of users and lists of attendees, to this one's form.
    UpgradeLegacy(legacy::UpgradeArgs),
    /// Give a person of an old database, who came without a password, their first one.
    FirstPassword(first_password::FirstPasswordArgs),
    /// Show who holds the lock, or free what an operator has mended.
    Unlock(database::UnlockArgs),
    /// PostgreSQL: make the login roles that hosts' and attendees' reads run as.
    Roles(roles::RolesArgs),
    /// Say what a database is for: production takes only a set that was rehearsed.
    Environment(standing::EnvironmentArgs),
    /// Put migrations into testing, so that nothing that conflicts may start.
    #[command(subcommand)]
    Testing(standing::TestingCommand),
}

pub(crate) fn run(command: MigrateCommand, output: &mut Output) -> anyhow::Result<ExitCode> {
    let done = match command {
        MigrateCommand::Check(args) => check::run(&args, output),
        MigrateCommand::Inventory(args) => views::inventory(&args, output),
        MigrateCommand::Graph(args) => views::graph(&args, output),
        MigrateCommand::Plan(args) => views::plan(&args, output),
        MigrateCommand::Status(args) => database::status(&args, output),
        MigrateCommand::Apply(args) => database::apply(&args, output),
        MigrateCommand::Rehearse(args) => rehearse::run(&args, output),
        MigrateCommand::Down(args) => database::down(&args, output),
        MigrateCommand::Adopt(args) => database::adopt(&args, output),
        MigrateCommand::UpgradeLegacy(args) => legacy::run(&args, output),
        MigrateCommand::FirstPassword(args) => first_password::run(&args, output),
        MigrateCommand::Unlock(args) => database::unlock(&args, output),
        MigrateCommand::Roles(args) => roles::run(&args, output),
        MigrateCommand::Environment(args) => standing::environment(&args, output),
        MigrateCommand::Testing(command) => standing::testing(&command, output),
    };
    match done {
        Err(error) if is_answer(&error) => {
            output.note(&format!("refused: {error}"))?;
            Ok(ExitCode::from(1))
        }
        done => done,
    }
}

/// Whether an error says no and names the next step: exit status 1. Any other is 2.
fn is_answer(error: &anyhow::Error) -> bool {
    let read = |set: &SetError| {
        let mut findings = set.findings.iter();
        findings.all(|finding| finding.rule != "unreadable-file")
    };
    match error.downcast_ref::<ApplyError>() {
        Some(ApplyError::Database { .. }) => false,
        Some(ApplyError::Set(set)) => read(set),
        Some(ApplyError::Refused(_) | ApplyError::Failed(_)) => true,
        None => error.downcast_ref::<SetError>().is_some_and(read),
    }
}

/// Which set, and how to read it.
#[derive(Debug, Args)]
pub(super) struct SetArgs {
    /// The folder of the migrations.
    #[arg(long, default_value = "migrations")]
    dir: PathBuf,
    /// How the folder is laid out.
    #[arg(long, value_enum, default_value = "auto")]
    layout: LayoutWord,
    /// Which database the scripts are read for; found out by reading them unless told.
    #[arg(long, value_enum, default_value = "auto")]
    dialect: DialectWord,
}

impl SetArgs {
    fn read(&self) -> anyhow::Result<MigrationSet> {
        Ok(MigrationSet::from_dir_as(&self.dir, self.layout.layout())?)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LayoutWord {
    /// Found out from the files.
    Auto,
    /// A folder per migration, with migration.toml.
    Spots,
    /// `20240131120000_name.sql`, in the order of file names.
    Supabase,
    /// `V1__name.sql`, `U1__name.sql`, `R__name.sql`.
    Flyway,
    /// `1_name.sql`, or `1_name.up.sql` and `1_name.down.sql`.
    Sqlx,
    /// golang-migrate's `.up.sql` and `.down.sql`, dbmate's `-- migrate:up`.
    Pair,
}

impl LayoutWord {
    fn layout(self) -> Option<Layout> {
        match self {
            Self::Auto => None,
            Self::Spots => Some(Layout::Spots),
            Self::Supabase => Some(Layout::Supabase),
            Self::Flyway => Some(Layout::Flyway),
            Self::Sqlx => Some(Layout::Sqlx),
            Self::Pair => Some(Layout::Pair),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DialectWord {
    /// Found out by reading the scripts.
    Auto,
    /// PostgreSQL.
    Postgres,
    /// SQLite.
    Sqlite,
}

impl DialectWord {
    fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Auto => None,
            Self::Postgres => Some(Dialect::Postgres),
            Self::Sqlite => Some(Dialect::Sqlite),
        }
    }
}

/// How findings name the folder: as it was given when that is a relative path, else not at all.
fn shown_prefix(dir: &Path) -> String {
    let shown = dir.to_string_lossy().replace('\\', "/");
    let shown = shown.trim_start_matches("./").trim_end_matches('/');
    if dir.is_absolute() || shown.is_empty() || shown == "." {
        String::new()
    } else {
        format!("{shown}/")
    }
}
