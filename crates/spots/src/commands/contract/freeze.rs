//! `spots contract freeze`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use spots_plan::contract::frozen::Frozen;
use spots_plan::contract::{Contract, Snapshot, World};
use spots_plan::plan::{Plan, check};
use spots_plan::tree::Language;

use super::reading::TreeArgs;
use crate::output::Output;

#[derive(Debug, Args)]
pub(crate) struct FreezeArgs {
    /// Folder to read; the contracts go into its plan/contracts/.
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    tree: TreeArgs,
    /// Version of services that the plan does not list.
    #[arg(long, default_value = "1.0.0")]
    version: String,
    /// Write the contracts here instead.
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
    /// Replace a contract of the same version that says something else.
    #[arg(long)]
    replace: bool,
}

pub(crate) fn run(args: &FreezeArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let plan = Plan::exists(&args.path)
        .then(|| Plan::load(&args.path))
        .transpose()?;
    let mut tree = args.tree.clone();
    if let Some(plan) = plan.as_ref().filter(|_| tree.services == ["*Service"]) {
        tree.services = plan
            .services
            .iter()
            .map(|service| service.source.symbol.clone())
            .collect();
        tree.documents.extend(check::documents(plan));
    }
    let (mut world, cache) = tree.world(&args.path)?;
    let names = world.mentioned();
    let snapshot = world.snapshot(&names, &cache);
    cache.save();
    let chosen = chosen(plan.as_ref(), &snapshot);
    refuse(args, &world, &chosen)?;
    let folder = args
        .into
        .clone()
        .unwrap_or_else(|| args.path.join("plan").join("contracts"));
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to make {}", folder.display()))?;
    let mut written = 0;
    for (service, version) in &chosen {
        let version = version.clone().unwrap_or_else(|| args.version.clone());
        let language = Language::of_contract(&service.file);
        let text = Frozen::new(&version, language, service, &snapshot).render();
        let file = folder.join(format!("{}-{version}.contract", service.decl.name));
        let before = std::fs::read_to_string(&file).ok();
        if before.as_ref() == Some(&text) {
            continue;
        }
        anyhow::ensure!(
            before.is_none() || args.replace,
            "failed to freeze: {} says something else; freeze at the next version, or pass --replace",
            file.display()
        );
        std::fs::write(&file, text)
            .with_context(|| format!("failed to write {}", file.display()))?;
        output.line(&format!("froze {}", file.display()))?;
        written += 1;
    }
    let count = chosen.len();
    output.line(&format!(
        "{written} of {count} contracts written, the others say the same"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Services to freeze, with the version that the plan gives them: the plan's own where there is one
/// and it lists the service; otherwise all.
fn chosen<'s>(plan: Option<&Plan>, snapshot: &'s Snapshot) -> Vec<(&'s Contract, Option<String>)> {
    let services = snapshot.services.iter();
    let with_version = services.map(|contract| {
        let planned = plan.into_iter().flat_map(|plan| &plan.services);
        let mut planned = planned.filter(|service| service.is(&contract.decl.name, &contract.file));
        (
            contract,
            planned.next().map(|service| service.version.to_string()),
        )
    });
    let all: Vec<_> = with_version.collect();
    if all.iter().any(|(_, version)| version.is_some()) {
        return all
            .into_iter()
            .filter(|(_, version)| version.is_some())
            .collect();
    }
    all
}

fn refuse(
    args: &FreezeArgs,
    world: &World,
    chosen: &[(&Contract, Option<String>)],
) -> anyhow::Result<()> {
    if let Some(one) = world.unreadable().first() {
        anyhow::bail!(
            "failed to freeze: {} could not be read: {}",
            one.path,
            one.reason
        );
    }
    anyhow::ensure!(
        !chosen.is_empty(),
        "failed to freeze: no service in {}; name them with --service",
        args.path.display()
    );
    for pair in chosen.windows(2) {
        if let [(a, _), (b, _)] = pair {
            anyhow::ensure!(
                a.decl.name != b.decl.name,
                "failed to freeze: {} is declared in {} and in {}; freeze a smaller folder",
                a.decl.name,
                a.file,
                b.file
            );
        }
    }
    Ok(())
}
