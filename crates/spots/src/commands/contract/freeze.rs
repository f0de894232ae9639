//! `spots contract freeze`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use spots_plan::contract::frozen::Frozen;

use super::reading::{self, TreeArgs};
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
    let (mut world, cache) = args.tree.world(&args.path)?;
    let unreadable = world.unreadable().to_vec();
    anyhow::ensure!(
        unreadable.is_empty(),
        "failed to freeze: {} could not be read: {}",
        unreadable.first().map_or("", |one| &one.path),
        unreadable.first().map_or("", |one| &one.reason),
    );
    let names = world.mentioned();
    let snapshot = world.snapshot(&names, &cache);
    cache.save();
    let folder = args
        .into
        .clone()
        .unwrap_or_else(|| args.path.join("plan").join("contracts"));
    anyhow::ensure!(
        !snapshot.services.is_empty(),
        "failed to freeze: no service in {}; name them with --service",
        args.path.display()
    );
    for pair in snapshot.services.windows(2) {
        if let [a, b] = pair {
            anyhow::ensure!(
                a.decl.name != b.decl.name,
                "failed to freeze: {} is declared in {} and in {}; freeze a smaller folder",
                a.decl.name,
                a.file,
                b.file
            );
        }
    }
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("failed to make {}", folder.display()))?;
    let mut written = 0;
    for service in &snapshot.services {
        let language = reading::language_of(&service.file);
        let text = Frozen::new(&args.version, language, service, &snapshot).render();
        let file = folder.join(format!("{}-{}.contract", service.decl.name, args.version));
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
    let count = snapshot.services.len();
    output.line(&format!(
        "{written} of {count} contracts written, the others say the same"
    ))?;
    Ok(ExitCode::SUCCESS)
}
