//! `spots contract`.

use std::process::ExitCode;

use clap::Subcommand;

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum ContractCommand {}

pub(crate) fn run(command: ContractCommand, _output: &mut Output) -> anyhow::Result<ExitCode> {
    match command {}
}
