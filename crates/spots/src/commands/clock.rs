//! `spots clock`.

mod audit;
mod read;

use std::process::ExitCode;

use clap::Subcommand;

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum ClockCommand {
    /// Issue timestamps from the atomic clock.
    Now(read::NowArgs),
    /// Show how the clock is doing, without starting it.
    Status(read::StatusArgs),
    /// Give a clock whose state was lost, copied or poisoned a new identity; writes an audit line.
    Repair(read::RepairArgs),
    /// Find every direct read of the wall clock in a repository.
    Audit(audit::AuditArgs),
    /// Write down which reads may stay for now; the list only shrinks.
    Baseline(audit::BaselineArgs),
    /// Fail on new reads, and say how the mandate stands.
    Check(audit::CheckArgs),
    /// Replace direct reads by the injected clock where that is provably possible.
    Fix(audit::FixArgs),
}

pub(crate) fn run(command: ClockCommand, output: &mut Output) -> anyhow::Result<ExitCode> {
    match command {
        ClockCommand::Now(args) => read::now(&args, output),
        ClockCommand::Status(args) => read::status(&args, output),
        ClockCommand::Repair(args) => read::repair(&args, output),
        ClockCommand::Audit(args) => audit::audit(&args, output),
        ClockCommand::Baseline(args) => audit::baseline(&args, output),
        ClockCommand::Check(args) => audit::check(&args, output),
        ClockCommand::Fix(args) => audit::fix(&args, output),
    }
}
