//! The command line, one module a command.

mod clock;
mod completions;
mod contract;
mod demo;
mod import;
mod keys;
mod ledger;
mod migrate;
mod operator;
mod plan;
mod serve;
mod statistics;
mod transport;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::output::Output;

/// Book with two identities; develop in phases without collisions.
#[derive(Debug, Parser)]
#[command(
    name = "spots",
    version,
    about = "Book with two identities; develop in phases without collisions.",
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve the platform.
    Serve(Box<crate::config::ServerSettings>),
    /// Try it: a server on a temporary database with hosts, events and people in it.
    Demo(demo::DemoArgs),
    /// Import a calendar as events of a host.
    Import(import::ImportArgs),
    /// Make the master keys that seal personal data.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Check receipts and the consent ledger; what to do after a restore.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Count bookings by event type and day, and nobody in particular.
    Statistics(statistics::StatisticsArgs),
    /// Say who may read the journal.
    #[command(subcommand)]
    Operator(operator::OperatorCommand),
    /// Read the atomic clock; find and replace direct reads of the wall clock.
    #[command(subcommand)]
    Clock(clock::ClockCommand),
    /// Extract, freeze and compare the contracts of services.
    #[command(subcommand)]
    Contract(contract::ContractCommand),
    /// Plan, rehearse and apply migrations.
    #[command(subcommand)]
    Migrate(migrate::MigrateCommand),
    /// Try to make the platform tell what it must not.
    #[command(subcommand)]
    Verify(verify::VerifyCommand),
    /// Ask the master plan who would break whom.
    #[command(subcommand)]
    Plan(plan::PlanCommand),
    /// Print what a shell needs to complete these commands.
    Completions(completions::CompletionsArgs),
}

/// Runs the command and says with which status to exit.
pub(crate) fn run(cli: Cli, output: &mut Output) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(settings) => serve::run(&settings, output),
        Command::Demo(args) => demo::run(&args, output),
        Command::Import(args) => import::run(&args, output),
        Command::Keys(command) => keys::run(&command, output),
        Command::Ledger(command) => ledger::run(&command, output),
        Command::Statistics(args) => statistics::run(&args, output),
        Command::Operator(command) => operator::run(&command, output),
        Command::Clock(command) => clock::run(command, output),
        Command::Contract(command) => contract::run(command, output),
        Command::Migrate(command) => migrate::run(command, output),
        Command::Verify(command) => verify::run(&command, output),
        Command::Plan(command) => plan::run(command, output),
        Command::Completions(args) => completions::run(&args, output),
    }
}
