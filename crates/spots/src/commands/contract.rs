//! `spots contract`.

mod diff;
mod freeze;
pub(crate) mod reading;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use spots_plan::contract::{frozen::Frozen, show};
use spots_plan::tree::Language;

use self::reading::TreeArgs;
use crate::output::{Output, TextFormat};

#[derive(Debug, Subcommand)]
pub(crate) enum ContractCommand {
    /// Read the public interface of every service in a source tree.
    Extract(ExtractArgs),
    /// Write services down as they are now: plan/contracts/<Service>-<version>.contract.
    Freeze(freeze::FreezeArgs),
    /// Show one service with everything it inherits.
    Show(ShowArgs),
    /// Say what changed between two states of the services, and whom it breaks.
    Diff(diff::DiffArgs),
    /// Explain a rule of the diff, with a bad and a good example; without a name, list all.
    Explain(ExplainArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ExtractArgs {
    /// Folder or file to read.
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    tree: TreeArgs,
    /// How to write the services.
    #[arg(long, value_enum, default_value = "text")]
    format: TextFormat,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Name of the service, or any type.
    service: String,
    /// Folder or file to read.
    #[arg(default_value = ".")]
    path: PathBuf,
    #[command(flatten)]
    tree: TreeArgs,
    /// How to write the service.
    #[arg(long, value_enum, default_value = "text")]
    format: TextFormat,
    /// Write it as `freeze` would.
    #[arg(long)]
    frozen: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Id of the rule.
    rule: Option<String>,
}

pub(crate) fn run(command: ContractCommand, output: &mut Output) -> anyhow::Result<ExitCode> {
    match command {
        ContractCommand::Extract(args) => extract(&args, output),
        ContractCommand::Freeze(args) => freeze::run(&args, output),
        ContractCommand::Show(args) => show_one(args, output),
        ContractCommand::Diff(args) => diff::run(&args, output),
        ContractCommand::Explain(args) => explain(&args, output),
    }
}

fn extract(args: &ExtractArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let (world, cache) = args.tree.world(&args.path)?;
    let services = world.services();
    match args.format {
        TextFormat::Text => output.write(&show::text(&services))?,
        TextFormat::Json => {
            let mut value = show::json(&services);
            reading::add_unreadable(&mut value, world.unreadable());
            output.line(&serde_json::to_string_pretty(&value)?)?;
        }
    }
    cache.save();
    reading::status(world.unreadable(), output)
}

fn show_one(mut args: ShowArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    args.tree.services = vec![args.service.clone()];
    let (mut world, cache) = args.tree.world(&args.path)?;
    let found = world.named(&args.service);
    anyhow::ensure!(
        !found.is_empty(),
        "failed to find {} in {}; `spots contract extract` lists what is there",
        args.service,
        args.path.display()
    );
    if args.frozen {
        let names = world.mentioned();
        let snapshot = world.snapshot(&names, &cache);
        for contract in &found {
            let language = Language::of_contract(&contract.file);
            output.write(&Frozen::new("0.0.0", language, contract, &snapshot).render())?;
        }
    } else if args.format == TextFormat::Json {
        output.line(&serde_json::to_string_pretty(&show::json(&found))?)?;
    } else {
        output.write(&show::text(&found))?;
    }
    cache.save();
    reading::status(world.unreadable(), output)
}

fn explain(args: &ExplainArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    use spots_plan::contract::rules;
    let Some(id) = &args.rule else {
        for rule in rules::all() {
            let level = rule.level().as_str();
            let breaks = rule.breaks.as_str();
            output.line(&format!(
                "{:<28} {level:<8} {breaks:<13} {}",
                rule.id, rule.title
            ))?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let Some(rule) = rules::lookup(id) else {
        anyhow::bail!("there is no rule {id:?}; `spots contract explain` lists them");
    };
    output.write(&format!(
        "{}: {}\n\n{}\nBreaks {} ({}).\nFix: {}\n\nReported:\n{}→{}\nNot reported:\n{}→{}",
        rule.id,
        rule.title,
        rule.why,
        rule.breaks.as_str(),
        rule.level().as_str(),
        rule.fix,
        rule.bad.old,
        rule.bad.new,
        rule.good.old,
        rule.good.new,
    ))?;
    Ok(ExitCode::SUCCESS)
}
