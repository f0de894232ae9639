//! `plan/clock.toml`: patterns, priorities, exceptions, integration points.

use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use super::pattern::{Pattern, PatternData, PatternError, Precision};

/// Where a team's own data lies, relative to the tree.
pub const CONFIG_PATH: &str = "plan/clock.toml";

/// What holds without a team's own file.
const DEFAULTS: &str = include_str!("defaults.toml");

/// More patterns than this are refused.
pub const PATTERNS_MAX: usize = 500;

/// Why `plan/clock.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is there and cannot be read.
    #[error("failed to read {0}")]
    Read(PathBuf, #[source] std::io::Error),
    /// It is not what it should be.
    #[error("{path} is not valid: {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why, and what to write.
        reason: String,
    },
    /// A pattern can match nothing.
    #[error("{path}: {reason}")]
    Pattern {
        /// The file.
        path: PathBuf,
        /// Which, why, and what to write.
        reason: PatternError,
    },
}

/// All data that steers an audit.
#[derive(Clone, Debug)]
pub struct Config {
    /// What counts as a read.
    pub patterns: Vec<Pattern>,
    /// First match wins.
    pub priorities: Vec<PriorityRule>,
    /// Reads that are meant to be there.
    pub exceptions: Vec<Exception>,
    /// Systems that need the atomic clock.
    pub integrations: Vec<Integration>,
    /// Names that tell a clock and a stored timestamp.
    pub names: Names,
    /// How documents claim to use the clock.
    pub claims: Claims,
    /// What a direct read becomes.
    pub rewrite: Rewrite,
    /// What the clock itself resolves; an integration point may not need more.
    pub clock_precision: Precision,
}

/// Which rank and category a read has.
#[derive(Clone, Debug)]
pub struct PriorityRule {
    /// 1 to 5; 1 goes first.
    pub rank: u8,
    /// For example `payments`.
    pub category: String,
    paths: GlobSet,
    words: Vec<String>,
}

/// Reads that are meant to be there, and why.
#[derive(Clone, Debug)]
pub struct Exception {
    /// Why the clock may be read here.
    pub reason: String,
    /// As written.
    pub globs: Vec<String>,
    paths: GlobSet,
    rules: Vec<String>,
}

/// A system that needs the atomic clock.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Integration {
    /// For people.
    pub name: String,
    /// The category of its reads.
    pub category: String,
    /// What it stamps.
    pub stamps: String,
    /// The coarsest precision that still serves it; `None` is not declared yet.
    pub precision: Option<Precision>,
    /// Whether the stamps order a queue.
    #[serde(default)]
    pub queue: bool,
    /// The test that proves the queue's order: `path::name of the test`.
    pub ordering_test: Option<String>,
    /// How it is integrated, for the document.
    pub integrate: Option<String>,
    /// When it syncs, for the document.
    pub sync: Option<String>,
    /// What happens offline, for the document.
    pub offline: Option<String>,
    /// How conflicts end, for the document.
    pub conflicts: Option<String>,
    /// Whether the team's own file declares it.
    #[serde(skip)]
    pub own: bool,
}

/// What a direct read becomes.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// In Dart.
    pub dart: DartRewrite,
}

/// The names of the Dart client.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DartRewrite {
    /// What to import.
    pub import: String,
    /// The clock's class.
    pub class: String,
    /// The field that a class gets.
    pub field: String,
    /// The constructor parameter that a class gets.
    pub parameter: String,
    /// A `DateTime` in an async function; `{clock}` stands for the clock.
    pub awaited: String,
    /// A `DateTime` where nothing can be awaited.
    pub sync: String,
    /// What makes a fake clock.
    pub fake: String,
    /// The fake clock's name in a test.
    pub fake_name: String,
}

/// Names that tell a clock and a stored timestamp.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Parameters and fields that are injected clocks.
    #[serde(default)]
    pub clock: Vec<String>,
    /// Endings of names under which timestamps are stored.
    #[serde(default)]
    pub stored: Vec<String>,
}

/// How documents claim to use the clock.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The clock's names.
    #[serde(default)]
    pub clock: Vec<String>,
    /// A line with one of these affirms.
    #[serde(default)]
    pub affirm: Vec<String>,
    /// A line with one of these demands, denies or plans.
    #[serde(default)]
    pub deny: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileData {
    #[serde(default)]
    pattern: Vec<PatternData>,
    #[serde(default)]
    priority: Vec<PriorityData>,
    #[serde(default)]
    exception: Vec<ExceptionData>,
    #[serde(default)]
    integration: Vec<Integration>,
    names: Option<Names>,
    claims: Option<Claims>,
    rewrite: Option<Rewrite>,
    clock: Option<ClockData>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockData {
    precision: Precision,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriorityData {
    rank: u8,
    category: String,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    words: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionData {
    paths: Vec<String>,
    #[serde(default)]
    rules: Vec<String>,
    reason: String,
}

impl Integration {
    fn complete_from(&mut self, built_in: Self) {
        self.integrate = self.integrate.take().or(built_in.integrate);
        self.sync = self.sync.take().or(built_in.sync);
        self.offline = self.offline.take().or(built_in.offline);
        self.conflicts = self.conflicts.take().or(built_in.conflicts);
    }
}

impl Config {
    /// The built-in data, and the team's own on top when there is any.
    pub fn load(tree: &Path) -> Result<Self, ConfigError> {
        let path = tree.join(CONFIG_PATH);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &path),
            Err(error) if is_absent(&error) => Self::parse("", &path),
            Err(error) => Err(ConfigError::Read(path, error)),
        }
    }

    /// The built-in data with this text of a `plan/clock.toml` on top.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let own = read(text, path)?;
        let built_in = read(DEFAULTS, Path::new("defaults.toml"))?;
        let integrations = merge_integrations(own.integration, built_in.integration);
        Ok(Self {
            patterns: merge_patterns(&own.pattern, &built_in.pattern, path)?,
            priorities: own
                .priority
                .into_iter()
                .chain(built_in.priority)
                .map(|data| priority(data, path))
                .collect::<Result<_, _>>()?,
            exceptions: own
                .exception
                .into_iter()
                .map(|data| exception(data, path))
                .collect::<Result<_, _>>()?,
            integrations,
            names: own.names.or(built_in.names).unwrap_or_default(),
            claims: own.claims.or(built_in.claims).unwrap_or_default(),
            rewrite: own
                .rewrite
                .or(built_in.rewrite)
                .ok_or_else(|| syntax(path, "nothing says what a direct read becomes"))?,
            clock_precision: own
                .clock
                .map_or(Precision::Nanosecond, |clock| clock.precision),
        })
    }

    /// The rank and the category of what is named so; rank 5, `other` when no rule fits.
    pub fn priority(&self, path: &str, class: &str, member: &str) -> (u8, &str) {
        let symbol = format!("/{path}::{class}::{member}").to_lowercase();
        self.priorities
            .iter()
            .find(|rule| {
                rule.paths.is_match(path) || rule.words.iter().any(|word| symbol.contains(word))
            })
            .map_or((5, "other"), |rule| (rule.rank, &rule.category))
    }

    /// Why reads by this rule may be in this file, if they may.
    pub fn exception(&self, path: &str, rule: &str) -> Option<&Exception> {
        self.exceptions.iter().find(|exception| {
            let of_rule = exception.rules.is_empty() || exception.rules.iter().any(|id| id == rule);
            of_rule && exception.paths.is_match(path)
        })
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

fn read(text: &str, path: &Path) -> Result<FileData, ConfigError> {
    let data = toml::from_str::<FileData>(text)
        .map_err(|error| syntax(path, error.to_string().trim_end()))?;
    if data.pattern.len() > PATTERNS_MAX {
        return Err(syntax(path, &format!("more than {PATTERNS_MAX} patterns")));
    }
    Ok(data)
}

fn syntax(path: &Path, reason: &str) -> ConfigError {
    ConfigError::Syntax {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

fn merge_patterns(
    own: &[PatternData],
    built_in: &[PatternData],
    path: &Path,
) -> Result<Vec<Pattern>, ConfigError> {
    let mut seen = std::collections::BTreeSet::new();
    for data in own {
        if !seen.insert(data.id.as_str()) {
            return Err(syntax(
                path,
                &format!("two patterns have the id {:?}", data.id),
            ));
        }
    }
    let kept = built_in
        .iter()
        .filter(|data| !seen.contains(data.id.as_str()));
    own.iter()
        .map(|data| (data, true))
        .chain(kept.map(|data| (data, false)))
        .filter(|(data, _)| data.enabled)
        .map(|(data, own)| {
            Pattern::parse(data, own).map_err(|reason| ConfigError::Pattern {
                path: path.to_owned(),
                reason,
            })
        })
        .collect()
}

/// A team's entry replaces the built-in one of its category, which lends it the texts it lacks.
fn merge_integrations(own: Vec<Integration>, built_in: Vec<Integration>) -> Vec<Integration> {
    let mut merged = own;
    for integration in &mut merged {
        integration.own = true;
    }
    for integration in built_in {
        let known = merged
            .iter_mut()
            .find(|known| known.category == integration.category);
        match known {
            Some(known) => known.complete_from(integration),
            None => merged.push(integration),
        }
    }
    merged
}

fn globs(globs: &[String], path: &Path) -> Result<GlobSet, ConfigError> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(Glob::new(glob).map_err(|error| syntax(path, &error.to_string()))?);
    }
    set.build()
        .map_err(|error| syntax(path, &error.to_string()))
}

fn priority(data: PriorityData, path: &Path) -> Result<PriorityRule, ConfigError> {
    if !(1..=5).contains(&data.rank) {
        let reason = format!("rank {} of {:?} is not 1 to 5", data.rank, data.category);
        return Err(syntax(path, &reason));
    }
    if data.paths.is_empty() && data.words.is_empty() {
        let reason = format!(
            "the priority {:?} matches nothing; give paths or words",
            data.category
        );
        return Err(syntax(path, &reason));
    }
    Ok(PriorityRule {
        rank: data.rank,
        category: data.category,
        paths: globs(&data.paths, path)?,
        words: data.words.iter().map(|word| word.to_lowercase()).collect(),
    })
}

fn exception(data: ExceptionData, path: &Path) -> Result<Exception, ConfigError> {
    if data.reason.trim().is_empty() {
        return Err(syntax(
            path,
            &format!("the exception for {:?} gives no reason", data.paths),
        ));
    }
    Ok(Exception {
        reason: data.reason,
        paths: globs(&data.paths, path)?,
        globs: data.paths,
        rules: data.rules,
    })
}
