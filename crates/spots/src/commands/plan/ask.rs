//! Questions to the plan: `matrix`, `can-i-change`, `deprecations`, `owed`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::json;
use spots_plan::contract::graph::Dependencies;
use spots_plan::plan::owed::Tests;
use spots_plan::plan::{Phase, Plan, Service, change, check, deprecation, matrix, owed};
use spots_plan::tree::{Language, Tree};

use crate::commands::contract::reading::{CacheArgs, LANGUAGES, TreeArgs};
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct DeprecationsArgs {
    /// Repository with a plan/ folder.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Answer for scripts.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MatrixArgs {
    /// Repository with a plan/ folder.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// How to write the matrix.
    #[arg(long, value_enum, default_value = "text")]
    format: MatrixFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MatrixFormat {
    /// For a terminal.
    Text,
    /// For documents.
    Markdown,
    /// A page.
    Html,
    /// A picture.
    Svg,
    /// For scripts, with reasons.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct CanIChangeArgs {
    /// The service.
    service: String,
    /// The phase that wants to change it.
    #[arg(long = "in", value_name = "PHASE")]
    phase: String,
    /// The change breaks callers.
    #[arg(long = "break")]
    breaks: bool,
    /// Repository with a plan/ folder.
    #[arg(long, default_value = ".")]
    path: PathBuf,
    /// Answer for scripts.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OwedArgs {
    /// Repository with a plan/ folder.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Results of the last test run, as `JUnit` XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Answer for scripts.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cache: CacheArgs,
}

pub(crate) fn load(root: &Path) -> anyhow::Result<Plan> {
    anyhow::ensure!(
        Plan::exists(root),
        "failed to find {}; `spots plan init` writes a first plan",
        root.join("plan").join("plan.toml").display()
    );
    Ok(Plan::load(root)?)
}

pub(crate) fn matrix(args: &MatrixArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let plan = load(&args.path)?;
    match args.format {
        MatrixFormat::Text => output.write(&matrix::text(&plan))?,
        MatrixFormat::Markdown => output.write(&matrix::markdown(&plan))?,
        MatrixFormat::Html => output.write(&matrix::html(&plan))?,
        MatrixFormat::Svg => output.write(&matrix::svg(&plan))?,
        MatrixFormat::Json => {
            output.line(&serde_json::to_string_pretty(&matrix::json(&plan))?)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Exits 0 for yes, 1 for no.
pub(crate) fn can_i_change(args: &CanIChangeArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let plan = load(&args.path)?;
    let service = service(&plan, &args.service)?;
    let phase = phase(&plan, &args.phase)?;
    let answer = change::ask(&plan, service, phase, args.breaks);
    if args.json {
        let value = change::json(service, phase, args.breaks, &answer);
        output.line(&serde_json::to_string_pretty(&value)?)?;
    } else {
        output.write(&change::text(service, phase, args.breaks, &answer))?;
    }
    Ok(ExitCode::from(u8::from(!answer.allowed)))
}

fn service<'p>(plan: &'p Plan, name: &str) -> anyhow::Result<&'p Service> {
    let known = || {
        let names: Vec<&str> = plan
            .services
            .iter()
            .map(|service| service.name.as_str())
            .collect();
        names.join(", ")
    };
    plan.service(name).with_context(|| {
        if plan.services.is_empty() {
            return format!(
                "failed to find service {name}; the plan has none yet: describe it in \
                 plan/services/{name}.toml"
            );
        }
        format!("failed to find service {name}; the plan has {}", known())
    })
}

fn phase<'p>(plan: &'p Plan, id: &str) -> anyhow::Result<&'p Phase> {
    let known = || plan.order().join(", ");
    plan.phase(id)
        .with_context(|| format!("failed to find phase {id}; the plan has {}", known()))
}

pub(crate) fn deprecations(
    args: &DeprecationsArgs,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let plan = load(&args.path)?;
    if args.json {
        let value = deprecation::json(&plan);
        output.line(&serde_json::to_string_pretty(&value)?)?;
    } else {
        output.write(&deprecation::calendar(&plan))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Every source file and document of a repository, for all that read it.
pub(crate) fn walk(root: &Path) -> anyhow::Result<Tree> {
    let languages = [&Language::ALL[..], &[Language::OpenApi]].concat();
    Ok(Tree::walk(root, &languages)?)
}

/// Tests of a repository, read for what they reach.
pub(crate) fn tests(tree: &Tree) -> Tests {
    Tests::read(tree.only(&LANGUAGES))
}

pub(crate) fn read_junit(file: Option<&Path>) -> anyhow::Result<Option<String>> {
    file.map(|file| {
        std::fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))
    })
    .transpose()
}

/// How a plan reads its own repository.
pub(crate) fn tree_args(plan: &Plan, cache: &CacheArgs) -> TreeArgs {
    TreeArgs {
        cache: cache.clone(),
        services: check::patterns(plan),
        documents: check::documents(plan),
        ..TreeArgs::default()
    }
}

pub(crate) fn owed(args: &OwedArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let plan = load(&args.path)?;
    let tree = walk(&args.path)?;
    let (world, cache) = tree_args(&plan, &args.cache).world_of(&tree);
    let junit = read_junit(args.junit.as_deref())?;
    let tests = tests(&tree);
    let list = owed::owed(&plan, &Dependencies::of(&world), &tests, junit.as_deref());
    cache.save();
    if args.json {
        let pairs = list.iter().map(|pair| {
            json!({
                "dependent": pair.dependent, "modified": pair.modified, "when": pair.when,
                "due": pair.due, "tests": pair.tests, "notPassed": pair.not_passed,
            })
        });
        let value = json!({ "owed": pairs.collect::<Vec<_>>() });
        output.line(&serde_json::to_string_pretty(&value)?)?;
    } else {
        output.write(&owed::markdown(&list))?;
    }
    let missing = list.iter().any(|pair| pair.due && pair.tests.is_empty());
    Ok(ExitCode::from(u8::from(missing)))
}
