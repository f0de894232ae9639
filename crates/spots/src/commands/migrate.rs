//! `spots migrate`.

use std::process::ExitCode;

use clap::Subcommand;

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum MigrateCommand {}

pub(crate) fn run(command: MigrateCommand, _output: &mut Output) -> anyhow::Result<ExitCode> {
    match command {}
}
