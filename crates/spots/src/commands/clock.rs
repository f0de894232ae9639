//! `spots clock`.

use std::process::ExitCode;

use clap::Subcommand;

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {}

pub(crate) fn run(command: ClockCommand, _output: &mut Output) -> anyhow::Result<ExitCode> {
    match command {}
}
