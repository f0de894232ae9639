//! `spots plan`.

use std::process::ExitCode;

use clap::Subcommand;

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {}

pub(crate) fn run(command: PlanCommand, _output: &mut Output) -> anyhow::Result<ExitCode> {
    match command {}
}
