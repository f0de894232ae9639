//! `spots migrate inventory`, `graph` and `plan`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use spots_migrate::{Dialect, Graph, Inventory, MigrationSet, picture, sequence};

use super::SetArgs;
use crate::output::{Output, TextFormat};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GraphFormat {
    /// A picture.
    Svg,
    /// For Graphviz.
    Dot,
    /// For Markdown on code hosts.
    Mermaid,
    /// For scripts: nodes, edges, stages.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct InventoryArgs {
    #[command(flatten)]
    set: SetArgs,
    /// How to write it.
    #[arg(long, value_enum, default_value = "text")]
    format: TextFormat,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    #[command(flatten)]
    set: SetArgs,
    /// How to write it.
    #[arg(long, value_enum, default_value = "mermaid")]
    format: GraphFormat,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    set: SetArgs,
    /// How to write it.
    #[arg(long, value_enum, default_value = "text")]
    format: TextFormat,
}

pub(crate) fn inventory(args: &InventoryArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let (set, dialect) = read(&args.set)?;
    let inventory = Inventory::of(&set, dialect);
    match args.format {
        TextFormat::Text => output.write(&inventory.markdown())?,
        TextFormat::Json => output.line(&serde_json::to_string_pretty(&inventory)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn graph(args: &GraphArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let (set, dialect) = read(&args.set)?;
    let graph = Graph::of(&set, dialect);
    match args.format {
        GraphFormat::Json => output.line(&serde_json::to_string_pretty(&graph)?)?,
        GraphFormat::Svg => output.write(&picture(&graph).to_svg())?,
        GraphFormat::Dot => output.write(&picture(&graph).to_dot())?,
        GraphFormat::Mermaid => output.write(&picture(&graph).to_mermaid())?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn plan(args: &PlanArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let (set, dialect) = read(&args.set)?;
    let graph = Graph::of(&set, dialect);
    match args.format {
        TextFormat::Text => output.write(&sequence(&set, &graph))?,
        TextFormat::Json => {
            let plan = serde_json::json!({
                "stages": graph.stages,
                "waits": graph.edges,
                "gates": set.gates(),
            });
            output.line(&serde_json::to_string_pretty(&plan)?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read(args: &SetArgs) -> anyhow::Result<(MigrationSet, Dialect)> {
    let set = args.read()?;
    let dialect = args.dialect.dialect().unwrap_or_else(|| set.written_for());
    Ok((set, dialect))
}
