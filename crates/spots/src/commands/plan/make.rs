//! What the plan writes: `init` and `docs`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use spots_plan::contract::graph::Dependencies;
use spots_plan::plan::{Plan, docs, infer, owed};

use super::documents::{self, Document};
use super::{ask, beside};
use crate::commands::contract::reading::{CacheArgs, TreeArgs};
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Repository to write plan/ into.
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    tree: TreeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DocsArgs {
    /// Repository with a plan/ folder.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Folder for the documents, inside of the repository.
    #[arg(long, default_value = "docs/plan")]
    into: PathBuf,
    /// Write pages instead of Markdown.
    #[arg(long)]
    html: bool,
    /// Write nothing; fail when a document is not as it would be written.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    cache: CacheArgs,
}

pub(crate) fn init(args: &InitArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let (world, cache) = args.tree.world(&args.path)?;
    cache.save();
    let files = infer::first_plan(&world);
    for (path, _) in &files {
        anyhow::ensure!(
            !args.path.join(path).exists(),
            "failed to write {path}: it is there already; take it away first, nothing was changed"
        );
    }
    for (path, text) in &files {
        write(&args.path.join(path), text)?;
        output.line(&format!("wrote {path}"))?;
    }
    output.line("\nOnly a person can decide:")?;
    for question in infer::undecided(&world) {
        output.line(&format!("- {question}"))?;
    }
    output.line("\nThen: spots contract freeze && spots plan check")?;
    Ok(ExitCode::SUCCESS)
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("failed to make {}", folder.display()))?;
    }
    std::fs::write(file, text).with_context(|| format!("failed to write {}", file.display()))
}

pub(crate) fn docs(args: &DocsArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let mut documents = all(args, output)?;
    if args.html {
        documents = documents::pages(documents);
    }
    let mut stale = 0_u8;
    for (name, text) in documents {
        let file = args.path.join(&args.into).join(&name);
        let shown = args.into.join(&name);
        if std::fs::read_to_string(&file).is_ok_and(|before| before == text) {
            continue;
        }
        stale = 1;
        if args.check {
            output.line(&format!(
                "{} is stale; run `spots plan docs`",
                shown.display()
            ))?;
        } else {
            write(&file, &text)?;
            output.line(&format!("wrote {}", shown.display()))?;
        }
    }
    Ok(ExitCode::from(if args.check { stale } else { 0 }))
}

/// Every document: of the plan and of the migrations where there are any, of the clock.
fn all(args: &DocsArgs, output: &mut Output) -> anyhow::Result<Vec<Document>> {
    let root = args.path.as_path();
    let mut documents = if Plan::exists(root) {
        of_plan(root, &args.cache)?
    } else {
        output.note("no plan/plan.toml here: without the documents of a plan")?;
        Vec::new()
    };
    documents.extend(documents::clock(root)?);
    for folder in beside::MIGRATIONS {
        let folder = root.join(folder);
        if folder.is_dir() {
            documents.extend(documents::migrations(&folder)?);
        }
    }
    Ok(documents)
}

fn of_plan(root: &Path, cache: &CacheArgs) -> anyhow::Result<Vec<Document>> {
    let plan = ask::load(root)?;
    let tree = ask::walk(root)?;
    let (world, cache) = ask::tree_args(&plan, cache).world_of(&tree);
    cache.save();
    if let Some(one) = world.unreadable().first() {
        anyhow::bail!("failed to read {}: {}", one.path, one.reason);
    }
    let found = Dependencies::of(&world);
    let owed = owed::owed(&plan, &found, &ask::tests(&tree), None);
    let own = docs::render(&plan, &world.services(), &found, &owed).into_iter();
    Ok(own.map(|(name, text)| (name.to_owned(), text)).collect())
}
