//! `spots clock audit`, `baseline`, `check`, `fix`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::json;
use spots_findings::Report;
use spots_plan::audit::baseline::{
    ATTRIBUTES_LINE, ATTRIBUTES_PATH, BASELINE_PATH, Baseline, NewReads,
};
use spots_plan::audit::check::{Gate, check as judge};
use spots_plan::audit::config::Config;
use spots_plan::audit::fix::{Rewrite, rewrite, unified};
use spots_plan::audit::report::{Mentions, html, json, markdown, sarif, table};
use spots_plan::audit::scan::Scanner;
use spots_plan::audit::{Audit, audit as read_tree, claims, inventory};
use spots_plan::tree::Tree;

use crate::output::Output;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AuditFormat {
    /// Columns for people.
    Table,
    /// An inventory to keep beside the plan.
    Markdown,
    /// For scripts; its schema is docs/clock-audit.schema.json.
    Json,
    /// One page with charts.
    Html,
    /// SARIF 2.1.0, for code hosts and editors.
    Sarif,
    /// The number of direct reads, and nothing else.
    Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// For people.
    Text,
    /// For scripts.
    Json,
    /// SARIF 2.1.0, for code hosts and editors.
    Sarif,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The repository, or one source file.
    #[arg(default_value = ".")]
    path: PathBuf,
    #[arg(long, value_enum, default_value_t = AuditFormat::Table)]
    format: AuditFormat,
    /// List comments and strings that mention a read too; they are counted in any case.
    #[arg(long)]
    mentions: bool,
    /// Judge what documents claim: a file that "uses the clock" must.
    #[arg(long)]
    claims: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    /// The repository.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Let new reads in, and say why.
    #[arg(long, value_name = "REASON")]
    accept: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The repository.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Judge only what changed since this revision, whatever the baseline says.
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Judge what documents claim, too.
    #[arg(long)]
    claims: bool,
    /// Warnings fail, too.
    #[arg(long)]
    strict: bool,
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    format: CheckFormat,
}

#[derive(Debug, Args)]
pub(crate) struct FixArgs {
    /// The repository.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Write the files; without it, only the differences are shown.
    #[arg(long)]
    write: bool,
}

pub(crate) fn audit(args: &AuditArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.path)?;
    if args.format == AuditFormat::Count {
        return count(args, &config, output);
    }
    let (tree, audit) = audit_tree(&args.path, &config)?;
    let mentions = if args.mentions {
        Mentions::Listed
    } else {
        Mentions::Counted
    };
    let pretty = |value: &serde_json::Value| serde_json::to_string_pretty(value);
    match args.format {
        AuditFormat::Table => output.write(&table(&audit, mentions))?,
        AuditFormat::Markdown => output.write(&markdown(&audit, mentions))?,
        AuditFormat::Html => output.write(&html(&audit, mentions))?,
        AuditFormat::Json => output.line(&pretty(&json(&audit, mentions))?)?,
        AuditFormat::Sarif => output.line(&pretty(&sarif(&audit, mentions))?)?,
        AuditFormat::Count => {}
    }
    for silent in &audit.silent_patterns {
        output.note(&format!(
            "warning: pattern {}: {}",
            silent.id, silent.reason
        ))?;
    }
    let mut status = u8::from(!audit.unreadable.is_empty()) * 2;
    if args.claims {
        let found = claims(&tree, &audit, &config);
        for claim in &found {
            let at = claim
                .place
                .as_ref()
                .map(|place| format!("{}:{}", place.path, place.line));
            output.note(&format!("{}: {}", at.unwrap_or_default(), claim.message))?;
        }
        status = if found.is_empty() { status } else { 1 };
    }
    Ok(ExitCode::from(status))
}

/// The fast way: no more than a search and a lexer.
fn count(args: &AuditArgs, config: &Config, output: &mut Output) -> anyhow::Result<ExitCode> {
    let scanner = Scanner::new(&config.patterns);
    let tree = Tree::walk(&args.path, &scanner.languages())?;
    let found = inventory(&tree, &scanner, config);
    output.line(
        &found
            .items
            .iter()
            .map(|(_, hits)| hits.len())
            .sum::<usize>()
            .to_string(),
    )?;
    for unreadable in &found.unreadable {
        output.note(&format!(
            "{}: could not read: {}",
            unreadable.path, unreadable.reason
        ))?;
    }
    Ok(ExitCode::from(u8::from(!found.unreadable.is_empty()) * 2))
}

fn audit_tree(path: &Path, config: &Config) -> anyhow::Result<(Tree, Audit)> {
    let tree = Tree::walk(path, &Scanner::new(&config.patterns).languages())?;
    let audit = read_tree(&tree, config);
    Ok((tree, audit))
}

fn load_baseline(root: &Path) -> anyhow::Result<Option<Baseline>> {
    let path = root.join(BASELINE_PATH);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(Baseline::parse(&text)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read {}", path.display())),
    }
}

pub(crate) fn baseline(args: &BaselineArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.path)?;
    let (_, audit) = audit_tree(&args.path, &config)?;
    if !audit.unreadable.is_empty() {
        for unreadable in &audit.unreadable {
            output.note(&format!(
                "{}: could not read: {}",
                unreadable.path, unreadable.reason
            ))?;
        }
        output.note("the baseline stays as it was: not all could be read")?;
        return Ok(ExitCode::from(2));
    }
    let before = load_baseline(&args.path)?;
    let renewed = match &before {
        None => Baseline::of(&audit),
        Some(before) => {
            let new = before.compare(&audit).new;
            if !new.is_empty() && args.accept.is_none() {
                refuse(&new, output)?;
                return Ok(ExitCode::from(1));
            }
            anyhow::ensure!(
                args.accept
                    .as_ref()
                    .is_none_or(|reason| !reason.trim().is_empty()),
                "--accept needs a reason that a reviewer can judge"
            );
            before.renewed(&audit, args.accept.as_deref())
        }
    };
    write_baseline(&args.path, &renewed)?;
    let entries = |baseline: &Baseline| baseline.entries.values().map(|e| e.count).sum::<usize>();
    let was = before
        .as_ref()
        .map_or_else(String::new, |b| format!(", {} before", entries(b)));
    output.line(&format!(
        "{BASELINE_PATH}: {} reads{was}",
        entries(&renewed)
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn refuse(new: &[NewReads<'_>], output: &mut Output) -> anyhow::Result<()> {
    for new in new {
        for read in new.reads.iter().skip(new.allowed) {
            let (path, line, column) = (&read.path, read.line, read.column);
            output.note(&format!(
                "{path}:{line}:{column}: new read in {}",
                read.scope()
            ))?;
        }
    }
    output.note(
        "the baseline stays as it was: it only shrinks. Take the time from the clock, or run \
         `spots clock baseline --accept REASON`",
    )?;
    Ok(())
}

/// Writes the baseline whole or not at all, and tells git how to merge it.
fn write_baseline(root: &Path, baseline: &Baseline) -> anyhow::Result<()> {
    let path = root.join(BASELINE_PATH);
    let folder = path.parent().context("the baseline lies in a folder")?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("failed to make {}", folder.display()))?;
    let draft = path.with_extension("baseline.new");
    std::fs::write(&draft, baseline.render())
        .and_then(|()| std::fs::rename(&draft, &path))
        .with_context(|| format!("failed to write {}", path.display()))?;
    let attributes = root.join(ATTRIBUTES_PATH);
    let mut text = match std::fs::read_to_string(&attributes) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(error).with_context(|| format!("failed to read {}", attributes.display()));
        }
    };
    if !text.lines().any(|line| line.trim() == ATTRIBUTES_LINE) {
        if !(text.is_empty() || text.ends_with('\n')) {
            text.push('\n');
        }
        text.push_str(ATTRIBUTES_LINE);
        text.push('\n');
        std::fs::write(&attributes, text)
            .with_context(|| format!("failed to write {}", attributes.display()))?;
    }
    Ok(())
}

pub(crate) fn check(args: &CheckArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.path)?;
    let (tree, audit) = audit_tree(&args.path, &config)?;
    let baseline = match &args.base {
        None => load_baseline(&args.path)?.unwrap_or_default(),
        Some(revision) => {
            let languages = Scanner::new(&config.patterns).languages();
            let base = Tree::at_revision(&args.path, revision, &languages)?;
            Baseline::of(&read_tree(&base, &config))
        }
    };
    let mut comparison = baseline.compare(&audit);
    if args.base.is_some() {
        // What a change removes is no stale entry of anything.
        comparison.stale.clear();
    }
    let mut gate = judge(&audit, &comparison, &config, &args.path);
    if args.claims {
        gate.report.add(claims(&tree, &audit, &config));
    }
    print_gate(&gate, args, output)?;
    Ok(ExitCode::from(gate.report.verdict(args.strict).code()))
}

fn print_gate(gate: &Gate, args: &CheckArgs, output: &mut Output) -> anyhow::Result<()> {
    let report: &Report = &gate.report;
    match args.format {
        CheckFormat::Sarif => {
            let value = spots_findings::sarif::render(report);
            output.line(&serde_json::to_string_pretty(&value)?)?;
        }
        CheckFormat::Json => {
            let mut value = spots_findings::json::render(report, args.strict);
            let mandatory = gate.mandatory.iter().map(|state| {
                json!({
                    "check": state.check,
                    "verdict": state.verdict.as_str(),
                    "reason": state.reason,
                })
            });
            if let serde_json::Value::Object(object) = &mut value {
                object.insert("mandatory".to_owned(), mandatory.collect());
            }
            output.line(&serde_json::to_string_pretty(&value)?)?;
        }
        CheckFormat::Text => {
            output.write(&spots_findings::text::render(report, output.colour))?;
            for state in &gate.mandatory {
                let verdict = state.verdict.as_str();
                output.line(&format!(
                    "  {verdict:10}  {}: {}",
                    state.check, state.reason
                ))?;
            }
        }
    }
    Ok(())
}

pub(crate) fn fix(args: &FixArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let config = Config::load(&args.path)?;
    let (tree, audit) = audit_tree(&args.path, &config)?;
    let rewrite = rewrite(&tree, &audit, &config)?;
    for file in &rewrite.files {
        output.write(&unified(file))?;
    }
    for outcome in &rewrite.outcomes {
        let done = match (outcome.applied, args.write) {
            (false, _) => "refused",
            (true, false) => "possible",
            (true, true) => "replaced",
        };
        let (path, line, column) = (&outcome.path, outcome.line, outcome.column);
        output.note(&format!(
            "{path}:{line}:{column}: {done}: {}",
            outcome.reason
        ))?;
    }
    for unreadable in &audit.unreadable {
        let (path, reason) = (&unreadable.path, &unreadable.reason);
        output.note(&format!("{path}: could not read: {reason}"))?;
    }
    let before = audit.summary().total;
    let applied = rewrite.applied();
    if args.write {
        write_files(&tree, &rewrite)?;
        let (_, after) = audit_tree(&args.path, &config)?;
        let after = after.summary().total;
        anyhow::ensure!(
            before.checked_sub(after) == Some(applied),
            "replaced {applied} reads, but the audit went from {before} to {after}; look at the \
             differences before you commit them"
        );
        output.note(&format!(
            "{before} direct reads before, {after} now, {applied} replaced"
        ))?;
    } else {
        let hint = if applied == 0 {
            ""
        } else {
            "; --write replaces them"
        };
        output.note(&format!(
            "{applied} of {before} direct reads can be replaced{hint}"
        ))?;
    }
    Ok(ExitCode::from(u8::from(!audit.unreadable.is_empty()) * 2))
}

/// Writes each file beside its place first, so that none is ever half there.
fn write_files(tree: &Tree, rewrite: &Rewrite) -> anyhow::Result<()> {
    let drafts = rewrite.files.iter().map(|file| {
        let path = tree.root().join(&file.path);
        let path = if path.is_file() {
            path
        } else {
            tree.root().to_owned()
        };
        let draft = path.with_extension("spots-new");
        let written = std::fs::read_to_string(&path).and_then(|text| {
            if text == file.before {
                std::fs::write(&draft, &file.after)
            } else {
                Err(std::io::Error::other("the file changed meanwhile"))
            }
        });
        written.with_context(|| format!("failed to rewrite {}", path.display()))?;
        Ok((draft, path))
    });
    for (draft, path) in drafts.collect::<anyhow::Result<Vec<_>>>()? {
        std::fs::rename(&draft, &path)
            .with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}
