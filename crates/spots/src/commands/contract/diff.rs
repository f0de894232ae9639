//! `spots contract diff`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use spots_findings::{Report, Tool, Unreadable};
use spots_plan::contract::cache::Cache;
use spots_plan::contract::diff::{DiffOptions, PROTECTED_WORDS, compare};
use spots_plan::contract::frozen::Frozen;
use spots_plan::contract::{Snapshot, World, rules};

use super::reading::{self, ReportFormat, TreeArgs};
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// Before: a tree, a `.contract` file, a folder of them, or with --repo a revision.
    old: String,
    /// After: the same; with --repo the working tree when left out.
    new: Option<String>,
    /// Repository, or a folder in one, whose revisions are compared.
    #[arg(long, value_name = "FOLDER")]
    repo: Option<PathBuf>,
    #[command(flatten)]
    tree: TreeArgs,
    /// How to write the findings.
    #[arg(long, value_enum, default_value = "text")]
    format: ReportFormat,
    /// Fail on warnings too.
    #[arg(long)]
    strict: bool,
    /// Identities that a positional parameter must not silently change between.
    #[arg(long, value_delimiter = ',', default_values_t = PROTECTED_WORDS.map(str::to_owned))]
    protected: Vec<String>,
}

/// One side: a tree that can still be asked, or what was frozen.
enum Side {
    Tree(Box<World>, Cache),
    Frozen(Snapshot),
}

pub(crate) fn run(args: &DiffArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let mut old = side(args, Some(&args.old))?;
    let mut new = side(args, args.new.as_deref())?;
    let mut names = old.names();
    names.extend(new.names());
    names.extend(new.successors(&old));
    let options = DiffOptions {
        protected: args.protected.clone(),
    };
    let before = old.snapshot(&names);
    let after = new.snapshot(&names);
    let compared = compare(&before, &after, &options);
    let tool = Tool {
        name: "spots contract diff",
        version: env!("CARGO_PKG_VERSION"),
    };
    let mut report = Report::new(tool, rules::described());
    report.add(compared.findings);
    let unreadable = compared.unreadable.into_iter();
    for one in unreadable.chain(old.unreadable()).chain(new.unreadable()) {
        report.add_unreadable(one.path, one.reason);
    }
    old.save();
    new.save();
    reading::write(&report, args.format, args.strict, output)
}

fn side(args: &DiffArgs, what: Option<&str>) -> anyhow::Result<Side> {
    let tree = |(world, cache)| Side::Tree(Box::new(world), cache);
    match (&args.repo, what) {
        (Some(repo), Some(revision)) => Ok(tree(args.tree.world_at(repo, revision)?)),
        (Some(repo), None) => Ok(tree(args.tree.world(repo)?)),
        (None, Some(path)) => match contract_files(Path::new(path))? {
            Some(files) => Ok(Side::Frozen(frozen(&files)?)),
            None => Ok(tree(args.tree.world(Path::new(path))?)),
        },
        (None, None) => {
            anyhow::bail!("failed to compare: give two trees, or --repo FOLDER and a revision")
        }
    }
}

/// The contract files at a path; `None` when it is a source tree.
fn contract_files(path: &Path) -> anyhow::Result<Option<Vec<PathBuf>>> {
    let is_contract = |path: &Path| path.extension().is_some_and(|end| end == "contract");
    if path.is_file() {
        return Ok(is_contract(path).then(|| vec![path.to_owned()]));
    }
    let Ok(entries) = std::fs::read_dir(path) else {
        return Ok(None);
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.context("failed to list a folder")?.path();
        if is_contract(&path) {
            files.push(path);
        }
    }
    files.sort();
    Ok((!files.is_empty()).then_some(files))
}

fn frozen(files: &[PathBuf]) -> anyhow::Result<Snapshot> {
    let mut snapshot = Snapshot::default();
    for file in files {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("failed to read {}", file.display()))?;
        let frozen =
            Frozen::parse(&text).with_context(|| format!("failed to read {}", file.display()))?;
        snapshot.services.push(frozen.service);
        for ty in frozen.types {
            if !snapshot.types.contains(&ty) {
                snapshot.types.push(ty);
            }
        }
    }
    Ok(snapshot)
}

impl Side {
    /// Names of services and of the types that they mention.
    fn names(&self) -> std::collections::BTreeSet<String> {
        match self {
            Self::Tree(world, _) => {
                let services = world
                    .services()
                    .into_iter()
                    .map(|service| service.decl.name);
                world.mentioned().into_iter().chain(services).collect()
            }
            Self::Frozen(snapshot) => {
                let all = snapshot.services.iter().chain(&snapshot.types);
                all.map(|contract| contract.decl.name.clone()).collect()
            }
        }
    }

    /// What stands now in the files where the other side's services were: a renamed service may no
    /// longer be called one.
    fn successors(&self, old: &Self) -> std::collections::BTreeSet<String> {
        let Self::Tree(world, _) = self else {
            return std::collections::BTreeSet::new();
        };
        let services = match old {
            Self::Tree(world, _) => world.services(),
            Self::Frozen(snapshot) => snapshot.services.clone(),
        };
        let gone = services
            .iter()
            .filter(|service| !world.is_service_name(&service.decl.name));
        gone.flat_map(|service| world.declared_in(&service.file))
            .collect()
    }

    fn snapshot(&mut self, names: &std::collections::BTreeSet<String>) -> Snapshot {
        match self {
            Self::Tree(world, cache) => world.snapshot(names, cache),
            Self::Frozen(snapshot) => snapshot.clone(),
        }
    }

    fn unreadable(&self) -> Vec<Unreadable> {
        match self {
            Self::Tree(world, _) => world.unreadable().to_vec(),
            Self::Frozen(_) => Vec::new(),
        }
    }

    fn save(self) {
        if let Self::Tree(_, cache) = self {
            cache.save();
        }
    }
}
