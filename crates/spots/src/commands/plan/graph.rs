//! `spots plan graph`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use spots_plan::contract::graph::Dependencies;

use crate::commands::contract::reading::{self, TreeArgs};
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct GraphArgs {
    /// Folder or file to read.
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    tree: TreeArgs,
    /// How to write the graph.
    #[arg(long, value_enum, default_value = "text")]
    format: GraphFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GraphFormat {
    /// One dependency a line, then the cycles.
    Text,
    /// A picture.
    Svg,
    /// For Graphviz.
    Dot,
    /// For Markdown on code hosts.
    Mermaid,
    /// For scripts.
    Json,
}

pub(crate) fn run(args: &GraphArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let (world, cache) = args.tree.world(&args.path)?;
    let found = Dependencies::of(&world);
    cache.save();
    let graph = found.graph("Services and what they depend on");
    match args.format {
        GraphFormat::Text => {
            for edge in &found.edges {
                let at = format!("{}:{}", edge.file, edge.line);
                output.line(&format!(
                    "{} → {} ({}, {at})",
                    edge.from, edge.to, edge.kind
                ))?;
            }
            for cycle in graph.cycles() {
                let first = cycle.first().cloned().unwrap_or_default();
                output.line(&format!("cycle: {} → {first}", cycle.join(" → ")))?;
            }
            let counts = (found.services.len(), found.edges.len());
            output.line(&format!("{} services, {} dependencies", counts.0, counts.1))?;
        }
        GraphFormat::Svg => output.write(&graph.to_svg())?,
        GraphFormat::Dot => output.write(&graph.to_dot())?,
        GraphFormat::Mermaid => output.write(&graph.to_mermaid())?,
        GraphFormat::Json => {
            let mut value = found.json();
            reading::add_unreadable(&mut value, world.unreadable());
            output.line(&serde_json::to_string_pretty(&value)?)?;
        }
    }
    reading::status(world.unreadable(), output)
}
