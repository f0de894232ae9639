//! The master plan as data: phases, services, and what follows from them.

pub mod change;
pub mod check;
mod data;
pub mod deprecation;
pub mod docs;
pub mod files;
pub mod infer;
pub mod locks;
pub mod matrix;
pub mod owed;
pub mod rules;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use spots_findings::{Finding, Place};

pub use version::{Step, Version};

/// More phases or services than this are refused: no team plans so much at once.
pub const ENTRIES_MAX: usize = 5_000;

/// How far a phase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Not begun.
    Planned,
    /// In progress.
    Active,
    /// Done.
    Complete,
}

impl Status {
    /// The word for it in plan files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Active => "active",
            Self::Complete => "complete",
        }
    }
}

/// A stretch of the master plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// A string: 7.10 is not 7.1.
    pub id: String,
    /// What it is about.
    pub title: String,
    /// How far it is.
    pub status: Status,
    /// Phases that are complete before it starts.
    pub after: Vec<String>,
    /// What else must be done before it starts.
    pub waits_for: Vec<String>,
    /// What people should know, as Markdown.
    pub page: String,
    /// Where it stands.
    pub place: Place,
}

/// Where a service's source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// A path, or a glob with `*` and `**`, relative to the repository.
    pub path: String,
    /// `dart`, `rust`, `typescript` or `openapi`.
    pub language: Option<String>,
    /// The name of the type that is the service.
    pub symbol: String,
}

/// A deprecation, counted in phases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// The member, or the whole service.
    pub member: Option<String>,
    /// Phase that announces it.
    pub announced_in: String,
    /// Phase from which it may go; two later than the announcement unless stated.
    pub removable_from: Option<String>,
    /// What to use instead.
    pub replacement: Option<String>,
    /// Path of the guide.
    pub guide: Option<String>,
}

/// A service of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name in the plan.
    pub name: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Its version.
    pub version: Version,
    /// Whether everything rests on it: always locked.
    pub core: bool,
    /// Where its source is.
    pub source: Source,
    /// Services that it depends on, as declared.
    pub depends_on: Vec<String>,
    /// Phases that use it.
    pub uses: Vec<String>,
    /// Phases that modify it.
    pub modifies: Vec<String>,
    /// Phases that create it.
    pub creates: Vec<String>,
    /// Declared states by phase; they must agree with the derived ones.
    pub declared: Vec<(String, String)>,
    /// Path of the migration guide of its current major version.
    pub guide: Option<String>,
    /// Deprecations of it and of its members.
    pub deprecations: Vec<Deprecation>,
    /// Where it stands.
    pub place: Place,
}

impl Service {
    /// Whether its source names this type of this file.
    pub fn is(&self, symbol: &str, file: &str) -> bool {
        self.source.symbol == symbol && crate::tree::path_fits(&self.source.path, file)
    }
}

/// One finding that somebody answers for until a phase ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Fingerprint of the finding.
    pub fingerprint: String,
    /// Who answers for it.
    pub owner: String,
    /// Why it may stand.
    pub reason: String,
    /// The phase with whose completion it ends.
    pub until_phase: String,
    /// Where it stands.
    pub place: Place,
}

/// The whole plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The repository.
    pub root: PathBuf,
    /// What the plan is called.
    pub title: String,
    /// Rules that hold in every phase.
    pub mandates: Vec<String>,
    /// Identities that must not silently change into each other.
    pub protected: Vec<String>,
    /// Phases in the order of the file.
    pub phases: Vec<Phase>,
    /// Services by name.
    pub services: Vec<Service>,
    /// Findings that somebody answers for.
    pub waivers: Vec<Waiver>,
}

/// Why a plan cannot be read.
#[derive(Debug)]
pub struct PlanError {
    /// What is wrong, with file, line and fix.
    pub problems: Vec<Finding>,
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "failed to read the plan")?;
        for problem in &self.problems {
            let place = problem.place.as_ref();
            let place = place.map_or(String::new(), |place| {
                format!("{}:{}: ", place.path, place.line)
            });
            let fix = problem.fix.as_ref().map_or("", |fix| &fix.text);
            write!(out, "\n  {place}{} {fix}", problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// Whether a repository has one.
    pub fn exists(root: &Path) -> bool {
        root.join("plan").join("plan.toml").is_file()
    }

    /// Reads `plan/plan.toml` and `plan/services/*.toml`, and checks that they hold together.
    pub fn load(root: &Path) -> Result<Self, PlanError> {
        Self::of_files(root, &files::Files::of_plan(root))
    }

    /// The same from files that were read before.
    pub fn of_files(root: &Path, files: &files::Files) -> Result<Self, PlanError> {
        data::load(root, files)
    }

    /// The phase with this id.
    pub fn phase(&self, id: &str) -> Option<&Phase> {
        self.phases.iter().find(|phase| phase.id == id)
    }

    /// The service with this name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// Place of a phase in the order of the plan; phases before others in `after` come first.
    pub fn position(&self, id: &str) -> Option<usize> {
        self.order().iter().position(|phase| *phase == id)
    }

    /// Phases so that each stands after those that it waits for; ties in the order of the file.
    pub fn order(&self) -> Vec<&str> {
        let mut order: Vec<&str> = Vec::new();
        let mut left: Vec<&Phase> = self.phases.iter().collect();
        while !left.is_empty() {
            let ready = |phase: &&Phase| {
                phase
                    .after
                    .iter()
                    .all(|before| order.contains(&before.as_str()))
            };
            // A cycle is refused when the plan is read; the first one left breaks it here.
            let at = left.iter().position(ready).unwrap_or(0);
            order.push(&left.remove(at).id);
        }
        order
    }

    /// Whether any phase is in progress.
    pub fn active(&self) -> impl Iterator<Item = &Phase> {
        self.phases
            .iter()
            .filter(|phase| phase.status == Status::Active)
    }

    /// Services that reach this one through declared dependencies, near and far.
    pub fn dependents<'p>(&'p self, service: &str) -> BTreeSet<&'p str> {
        let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for user in &self.services {
            for used in &user.depends_on {
                users.entry(used).or_default().push(&user.name);
            }
        }
        let mut found: BTreeSet<&str> = BTreeSet::new();
        let mut reached = vec![service];
        while let Some(used) = reached.pop() {
            for user in users.get(used).into_iter().flatten() {
                if *user != service && found.insert(*user) {
                    reached.push(*user);
                }
            }
        }
        found
    }
}
