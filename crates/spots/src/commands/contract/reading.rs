//! Reading a source tree for services, as several commands do.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use spots_findings::{Report, Unreadable, json as json_report, sarif, text};
use spots_plan::cache::{Cache, Kept};
use spots_plan::contract::cache::Cache as Units;
use spots_plan::contract::{Options, World};
use spots_plan::tree::{Language, Tree};

use crate::output::Output;

/// Source languages that contracts are read from; OpenAPI documents beside them.
pub(crate) const LANGUAGES: [Language; 4] = [
    Language::Dart,
    Language::Rust,
    Language::TypeScript,
    Language::Tsx,
];

/// Which files and which names count.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct TreeArgs {
    /// Read only this language: dart, rust, typescript or openapi.
    #[arg(long, value_parser = language_word)]
    pub(crate) language: Option<Language>,
    /// Names of services, `*` at either end allowed; repeat for more.
    #[arg(long = "service", value_name = "NAME", default_value = "*Service")]
    pub(crate) services: Vec<String>,
    /// Count services in tests and in generated code too.
    #[arg(long)]
    pub(crate) include_tests: bool,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
    /// Paths of OpenAPI documents that are not called so, `*` and `**` allowed; repeat for more.
    #[arg(long = "document", value_name = "PATH")]
    pub(crate) documents: Vec<String>,
}

/// Where what files declare is kept from one run to the next.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CacheArgs {
    /// Folder of the cache of parsed files.
    #[arg(long, value_name = "FOLDER", env = "SPOTS_CACHE")]
    cache: Option<PathBuf>,
    /// Parse every file again.
    #[arg(long)]
    no_cache: bool,
}

impl CacheArgs {
    /// The cache of one tree.
    pub(crate) fn of<T: Kept>(&self, root: &Path) -> Cache<T> {
        if self.no_cache {
            return Cache::none();
        }
        let home = || std::env::home_dir().map(|home| home.join(".cache").join("spots"));
        match self.cache.clone().or_else(home) {
            Some(folder) => Cache::of_tree(&folder, root),
            None => Cache::none(),
        }
    }
}

fn language_word(word: &str) -> Result<Language, String> {
    let word = if word == "ts" { "typescript" } else { word };
    if word == Language::OpenApi.as_str() {
        return Ok(Language::OpenApi);
    }
    Language::of_word(word)
        .filter(|language| LANGUAGES.contains(language))
        .ok_or_else(|| "give dart, rust, typescript or openapi".to_owned())
}

impl TreeArgs {
    pub(crate) fn languages(&self) -> Vec<Language> {
        match self.language {
            Some(Language::TypeScript) => vec![Language::TypeScript, Language::Tsx],
            Some(language) => vec![language],
            None => [&LANGUAGES[..], &[Language::OpenApi]].concat(),
        }
    }

    /// A tree that is one file is read, whatever it is called.
    fn options(&self, root: &Path) -> Options {
        let mut documents = self.documents.clone();
        if self.language == Some(Language::OpenApi) {
            documents.push("**".to_owned());
        }
        let name = root.file_name().filter(|_| root.is_file());
        documents.extend(name.map(|name| name.to_string_lossy().into_owned()));
        Options {
            patterns: self.services.clone(),
            everything: self.include_tests || root.is_file(),
            documents,
        }
    }

    /// Reads a folder or a file.
    pub(crate) fn world(&self, path: &Path) -> anyhow::Result<(World, Units)> {
        let tree = Tree::walk(path, &self.languages())?;
        Ok(self.read(tree, path))
    }

    /// Reads a folder as it was in a revision.
    pub(crate) fn world_at(&self, folder: &Path, revision: &str) -> anyhow::Result<(World, Units)> {
        let tree = Tree::at_revision(folder, revision, &self.languages())?;
        Ok(self.read(tree, folder))
    }

    /// Reads the files of a walked tree that are asked for.
    pub(crate) fn world_of(&self, tree: &Tree) -> (World, Units) {
        self.read(tree.only(&self.languages()), tree.root())
    }

    fn read(&self, tree: Tree, root: &Path) -> (World, Units) {
        let progress = spinner(format!("reading {} files", tree.files().len()));
        let cache = self.cache.of(root);
        let world = World::read(tree, self.options(root), &cache);
        progress.finish_and_clear();
        (world, cache)
    }
}

/// A sign of life on a terminal, for what takes longer than a second.
pub(crate) fn spinner(message: String) -> ProgressBar {
    let progress = ProgressBar::new_spinner().with_message(message);
    let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
    progress.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    progress.enable_steady_tick(Duration::from_secs(1));
    progress
}

/// Adds what could not be read to a JSON object.
pub(crate) fn add_unreadable(value: &mut Value, unreadable: &[Unreadable]) {
    if let Value::Object(object) = value {
        let list = unreadable.iter();
        let list = list.map(|one| json!({"path": one.path, "reason": one.reason}));
        object.insert("unreadable".to_owned(), list.collect());
    }
}

/// Names what could not be read on standard error; 2 when there is any.
pub(crate) fn status(unreadable: &[Unreadable], output: &mut Output) -> anyhow::Result<ExitCode> {
    for one in unreadable {
        output.note(&format!("{}: could not read: {}", one.path, one.reason))?;
    }
    Ok(ExitCode::from(if unreadable.is_empty() { 0 } else { 2 }))
}

/// How findings are written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people.
    Text,
    /// For scripts.
    Json,
    /// SARIF 2.1.0, for code hosts.
    Sarif,
    /// A comment for a merge request.
    Markdown,
}

/// Writes a report; its verdict is the exit status.
pub(crate) fn write(
    report: &Report,
    format: ReportFormat,
    strict: bool,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    match format {
        ReportFormat::Text => output.write(&text::render(report, output.colour))?,
        ReportFormat::Json => {
            output.line(&serde_json::to_string_pretty(&json_report::render(
                report, strict,
            ))?)?;
        }
        ReportFormat::Sarif => {
            output.line(&serde_json::to_string_pretty(&sarif::render(report))?)?;
        }
        ReportFormat::Markdown => {
            output.write(&spots_findings::markdown::render(report, strict))?;
        }
    }
    Ok(ExitCode::from(report.verdict(strict).code()))
}
