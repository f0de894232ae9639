//! `spots plan check`: the one gate.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use spots_findings::{Finding, Level, Place, Report, Rule, Tool, Unreadable};
use spots_plan::contract::cache::Cache;
use spots_plan::contract::diff::{DiffOptions, compare};
use spots_plan::contract::graph::Dependencies;
use spots_plan::contract::{Snapshot, World, rules as diff_rules};
use spots_plan::plan::check::{Base, Beside, Checked, check, cycles, waive};
use spots_plan::plan::files::Files;
use spots_plan::plan::{Plan, infer, rules};
use spots_plan::tree::Tree;

use super::ask;
use super::beside::{self, Judged};
use crate::commands::contract::reading::{self, CacheArgs, ReportFormat, TreeArgs};
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Repository to judge, with or without a plan/ folder.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Revision to merge into: its frozen contracts, locks, migrations and clock reads count too.
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
    #[command(flatten)]
    cache: CacheArgs,
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
    let files = files_at_base(args)?;
    let tree = ask::walk(&args.path)?;
    let (checked, other) = std::thread::scope(|scope| {
        // Clock reads and migrations need nothing of the contracts: they are judged meanwhile.
        let other = scope.spawn(|| beside_contracts(args, &tree, files.as_ref()));
        let checked = contracts(args, &plan, &tree, files.as_ref());
        let other = other.join();
        (
            checked,
            other.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        )
    });
    let (checked, other) = (checked?, other?);
    let mut findings = checked.findings;
    add_unreadable(report, checked.unreadable);
    findings.extend(other.add_to(report));
    report.add(waive(&plan, findings));
    Ok(())
}

/// Contracts, locks, versions, deprecations and tests.
fn contracts(
    args: &CheckArgs,
    plan: &Plan,
    tree: &Tree,
    files: Option<&Files>,
) -> anyhow::Result<Checked> {
    let wanted = ask::tree_args(plan, &args.cache);
    let (mut world, cache) = wanted.world_of(tree);
    let base = base(args, &wanted, &world, files)?;
    let junit = ask::read_junit(args.junit.as_deref())?;
    let beside = Beside {
        base: base.as_ref(),
        junit: junit.as_deref(),
    };
    let tests = ask::tests(tree);
    let checked = check(plan, &mut world, &tests, beside, &cache);
    cache.save();
    Ok(checked)
}

/// The files of the base's plan.
fn files_at_base(args: &CheckArgs) -> anyhow::Result<Option<Files>> {
    let revision = args.base.as_deref();
    let files = revision.map(|revision| Files::at_revision(&args.path, revision));
    Ok(files.transpose()?)
}

/// The base revision: its services, with the types that either side mentions, and its plan.
fn base(
    args: &CheckArgs,
    wanted: &TreeArgs,
    world: &World,
    files: Option<&Files>,
) -> anyhow::Result<Option<Base>> {
    let (Some(revision), Some(files)) = (&args.base, files) else {
        return Ok(None);
    };
    let (mut base, cache) = wanted.world_at(&args.path, revision)?;
    let mut names = world.mentioned();
    names.extend(base.mentioned());
    let snapshot = base.snapshot(&names, &cache);
    cache.save();
    let mut found = Base::new(&args.path, snapshot, files.clone());
    let unreadable = base.unreadable().iter();
    found.unreadable.extend(unreadable.map(|one| Unreadable {
        path: one.path.clone(),
        reason: format!("at the base: {}", one.reason),
    }));
    Ok(Some(found))
}

fn beside_contracts(
    args: &CheckArgs,
    tree: &Tree,
    files: Option<&Files>,
) -> anyhow::Result<Judged> {
    if args.contracts_only {
        return Ok(Judged::default());
    }
    let base = args.base.as_deref().zip(files);
    let base = base.map(|(revision, files)| beside::Base { revision, files });
    beside::findings(tree, base, &args.cache)
}

/// Without a plan: what the code alone shows, and what only a person can decide.
fn inferred(args: &CheckArgs, report: &mut Report) -> anyhow::Result<()> {
    let tree = ask::walk(&args.path)?;
    let wanted = TreeArgs {
        services: vec!["*Service".to_owned()],
        cache: args.cache.clone(),
        ..TreeArgs::default()
    };
    let (mut world, cache) = wanted.world_of(&tree);
    let found = Dependencies::of(&world);
    let mut out = Checked::default();
    cycles(&found, &mut out);
    report.add(out.findings);
    add_unreadable(report, world.unreadable().to_vec());
    let files = files_at_base(args)?;
    let base = base(args, &wanted, &world, files.as_ref())?;
    if let Some(base) = &base {
        add_unreadable(report, base.unreadable.clone());
        compared(&mut world, &base.snapshot, &cache, report);
        report.add(gone(&base.files));
    }
    cache.save();
    let findings = beside_contracts(args, &tree, files.as_ref())?.add_to(report);
    report.add(findings);
    report.add([summary(&found)]);
    report.add(infer::undecided(&world).into_iter().map(|question| {
        let message = format!("only a person can decide: {question}.");
        Finding::new(rules::DECISION_NEEDED.id, Level::Note, question, message)
            .at(Place::file("plan/plan.toml"))
            .fix("Run `spots plan init`, then decide.")
    }));
    Ok(())
}

/// What was judged without a plan.
fn summary(found: &Dependencies) -> Finding {
    let (services, edges) = (found.services.len(), found.edges.len());
    let plural = |count: usize, one: &str, many: &str| {
        format!("{count} {}", if count == 1 { one } else { many })
    };
    let message = format!(
        "there is no plan here: judged by the code alone, {} and {} between them.",
        plural(services, "service", "services"),
        plural(edges, "dependency", "dependencies")
    );
    let fix = if services == 0 {
        "Classes named *Service count; name yours: `spots plan init --service NAME`."
    } else {
        "Run `spots plan init` for a first plan."
    };
    Finding::new(rules::PLAN_INFERRED.id, Level::Note, "plan", message)
        .at(Place::file("plan/plan.toml"))
        .fix(fix)
}

/// The base has a plan: without it, nothing would be locked.
fn gone(files: &Files) -> Option<Finding> {
    let message = "the base has a plan, and here it is gone.";
    let finding = Finding::new(rules::PLAN_DATA.id, Level::Error, "plan", message)
        .at(Place::file("plan/plan.toml"))
        .fix("Restore plan/.");
    files.has_plan().then_some(finding)
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
