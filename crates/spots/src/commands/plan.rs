//! `spots plan`.

mod ask;
mod beside;
mod check;
mod ci;
mod documents;
mod graph;
mod make;

use std::process::ExitCode;

use clap::Subcommand;

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum PlanCommand {
    /// Judge code and plan before a merge: contracts, locks, versions, deprecations, owed tests.
    Check(check::CheckArgs),
    /// Draw which service depends on which, from the code, with or without a plan.
    Graph(graph::GraphArgs),
    /// Show which service is locked in which phase.
    Matrix(ask::MatrixArgs),
    /// Ask whether a service may change in a phase, who stands in the way, and until when.
    CanIChange(ask::CanIChangeArgs),
    /// Show the deprecation calendar, counted in phases.
    Deprecations(ask::DeprecationsArgs),
    /// List the pairs of services that owe an integration test.
    Owed(ask::OwedArgs),
    /// Write a first plan from the services in the code.
    Init(make::InitArgs),
    /// Render the documents of the plan and of the clock mandate from their data.
    Docs(make::DocsArgs),
    /// Print the steps that run the gate on a code host.
    Ci(ci::CiArgs),
    /// Print the JSON schema of findings.
    Schema,
}

pub(crate) fn run(command: PlanCommand, output: &mut Output) -> anyhow::Result<ExitCode> {
    match command {
        PlanCommand::Check(args) => check::run(&args, output),
        PlanCommand::Graph(args) => graph::run(&args, output),
        PlanCommand::Matrix(args) => ask::matrix(&args, output),
        PlanCommand::CanIChange(args) => ask::can_i_change(&args, output),
        PlanCommand::Deprecations(args) => ask::deprecations(&args, output),
        PlanCommand::Owed(args) => ask::owed(&args, output),
        PlanCommand::Init(args) => make::init(&args, output),
        PlanCommand::Docs(args) => make::docs(&args, output),
        PlanCommand::Ci(args) => ci::run(&args, output),
        PlanCommand::Schema => {
            output.write(spots_findings::json::SCHEMA)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
