//! `spots plan check`: the one gate.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use spots_findings::{Finding, Level, Place, Report, Rule, Tool, Unreadable};
use spots_plan::contract::cache::Cache;
use spots_plan::contract::diff::{DiffOptions, compare};
use spots_plan::contract::graph::Dependencies;
use spots_plan::contract::{Snapshot, World, rules as diff_rules};
use spots_plan::plan::check::{Beside, Checked, check, cycles, waive};
use spots_plan::plan::{Plan, infer, rules};

use super::ask;
use crate::commands::contract::reading::{self, ReportFormat, TreeArgs};
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Repository to judge, with or without a plan/ folder.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Revision to compare services with that have no frozen contract.
    #[arg(long, value_name = "REVISION")]
    base: Option<String>,
    /// Results of the last test run, as `JUnit` XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// How to write the findings.
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
    /// Fail on warnings too.
    #[arg(long)]
    strict: bool,
    /// Judge contracts and locks only: no migrations, no clock reads.
    #[arg(long)]
    contracts_only: bool,
}

pub(crate) fn run(args: &CheckArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let mut report = Report::new(
        Tool {
            name: "spots plan check",
            version: env!("CARGO_PKG_VERSION"),
        },
        described(),
    );
    if Plan::exists(&args.path) {
        planned(args, &mut report)?;
    } else {
        inferred(args, &mut report)?;
    }
    reading::write(&report, args.format, args.strict, output)
}

fn described() -> Vec<Rule> {
    let mut described = rules::ALL.to_vec();
    described.extend(diff_rules::described());
    described
}

/// With a plan: contracts, locks, versions, deprecations, tests, then what stands beside them.
fn planned(args: &CheckArgs, report: &mut Report) -> anyhow::Result<()> {
    let plan = match Plan::load(&args.path) {
        Ok(plan) => plan,
        Err(error) => {
            report.add(error.problems);
            return Ok(());
        }
    };
    let tree = ask::tree_args(&plan);
    let (mut world, cache) = tree.world(&args.path)?;
    let base = base(args, &tree, &world)?;
    let junit = ask::read_junit(args.junit.as_deref())?;
    let beside = Beside {
        base: base.as_ref(),
        junit: junit.as_deref(),
    };
    let tests = ask::tests(&args.path)?;
    let checked = check(&plan, &mut world, &tests, beside, &cache);
    cache.save();
    let mut findings = checked.findings;
    add_unreadable(report, checked.unreadable);
    if !args.contracts_only {
        findings.extend(super::beside::findings(&args.path, report)?);
    }
    report.add(waive(&plan, findings));
    Ok(())
}

/// The services of the base revision, with the types that either side mentions.
fn base(args: &CheckArgs, tree: &TreeArgs, world: &World) -> anyhow::Result<Option<Snapshot>> {
    let Some(revision) = &args.base else {
        return Ok(None);
    };
    let (mut base, cache) = tree.world_at(&args.path, revision)?;
    let mut names = world.mentioned();
    names.extend(base.mentioned());
    let snapshot = base.snapshot(&names, &cache);
    cache.save();
    Ok(Some(snapshot))
}

/// Without a plan: what the code alone shows, and what only a person can decide.
fn inferred(args: &CheckArgs, report: &mut Report) -> anyhow::Result<()> {
    let tree = TreeArgs {
        services: vec!["*Service".to_owned()],
        ..TreeArgs::default()
    };
    let (mut world, cache) = tree.world(&args.path)?;
    let mut out = Checked::default();
    cycles(&Dependencies::of(&world), &mut out);
    report.add(out.findings);
    add_unreadable(report, world.unreadable().to_vec());
    if let Some(before) = base(args, &tree, &world)? {
        compared(&mut world, &before, &cache, report);
    }
    cache.save();
    if !args.contracts_only {
        let findings = super::beside::findings(&args.path, report)?;
        report.add(findings);
    }
    report.add(infer::undecided(&world).into_iter().map(|question| {
        let message = format!("only a person can decide: {question}.");
        Finding::new(rules::DECISION_NEEDED.id, Level::Note, question, message)
            .at(Place::file("plan/plan.toml"))
            .fix("Run `spots plan init`, then decide.")
    }));
    Ok(())
}

fn compared(world: &mut World, before: &Snapshot, cache: &Cache, report: &mut Report) {
    let mut names = world.mentioned();
    let all = before.services.iter().chain(&before.types);
    names.extend(all.map(|contract| contract.decl.name.clone()));
    let now = world.snapshot(&names, cache);
    let compared = compare(before, &now, &DiffOptions::default());
    report.add(compared.findings);
    add_unreadable(report, compared.unreadable);
}

fn add_unreadable(report: &mut Report, unreadable: Vec<Unreadable>) {
    for one in unreadable {
        report.add_unreadable(one.path, one.reason);
    }
}
