//! `spots migrate check`.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use spots_findings::{json, sarif, text};
use spots_migrate::{CheckOptions, Sides, check, read_folder};

use super::{SetArgs, blobs, shown_prefix};
use crate::output::Output;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For scripts.
    Json,
    /// For code hosts and editors.
    Sarif,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    set: SetArgs,
    /// Also compare with this revision: what it released, and what its branch writes too.
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// How to write the findings.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Let warnings fail the run too.
    #[arg(long)]
    strict: bool,
}

pub(crate) fn run(args: &CheckArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let (files, unread) = read_folder(&args.set.dir);
    let trees = args
        .base
        .as_deref()
        .map(|base| blobs::trees(&args.set.dir, base))
        .transpose()?;
    let sides = trees.as_ref().map(|trees| Sides {
        name: args.base.as_deref().unwrap_or_default(),
        base: &trees.base,
        ours: &trees.ours,
        ancestor: &trees.ancestor,
    });
    let options = CheckOptions {
        layout: args.set.layout.layout(),
        dialect: args.set.dialect.dialect(),
        sides,
    };
    let report = check(&files, unread, &options).beneath(&shown_prefix(&args.set.dir));
    match args.format {
        Format::Text => output.write(&text::render(&report, output.colour))?,
        Format::Json => output.line(&format!("{:#}", json::render(&report, args.strict)))?,
        Format::Sarif => output.line(&format!("{:#}", sarif::render(&report)))?,
    }
    Ok(ExitCode::from(report.verdict(args.strict).code()))
}
