//! `spots plan`.

mod graph;

use std::process::ExitCode;

use clap::Subcommand;

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// Draw which service depends on which, from the code, with or without a plan.
    Graph(graph::GraphArgs),
}

pub(crate) fn run(command: PlanCommand, output: &mut Output) -> anyhow::Result<ExitCode> {
    match command {
        PlanCommand::Graph(args) => graph::run(&args, output),
    }
}
