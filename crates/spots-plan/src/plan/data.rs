//! Plan files as written, and whether they hold together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use spots_findings::{Finding, Level, Place};
use toml::Spanned;

use super::files::Files;
use super::{
    Deprecation, ENTRIES_MAX, Phase, Plan, PlanError, Service, Source, Status, Version, Waiver,
    rules,
};
use crate::contract::diff::PROTECTED_WORDS;
use crate::tree::Language;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanRow {
    title: Option<String>,
    #[serde(default)]
    mandates: Vec<String>,
    protected_words: Option<Vec<String>>,
    #[serde(default)]
    phase: Vec<Spanned<PhaseRow>>,
    #[serde(default)]
    waiver: Vec<Spanned<WaiverRow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PhaseRow {
    id: String,
    title: String,
    status: StatusRow,
    #[serde(default)]
    after: Vec<String>,
    #[serde(default)]
    waits_for: Vec<String>,
    #[serde(default)]
    page: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StatusRow {
    Planned,
    Active,
    Complete,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WaiverRow {
    fingerprint: String,
    owner: String,
    reason: String,
    until_phase: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceRow {
    service: Spanned<String>,
    owner: Option<String>,
    version: Spanned<String>,
    #[serde(default)]
    core: bool,
    source: SourceRow,
    #[serde(default)]
    depends_on: Vec<Spanned<String>>,
    #[serde(default)]
    phases: PhasesRow,
    guide: Option<String>,
    #[serde(default)]
    deprecation: Vec<DeprecationRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceRow {
    path: Spanned<String>,
    language: Option<Spanned<String>>,
    symbol: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PhasesRow {
    #[serde(default)]
    uses: Vec<Spanned<String>>,
    #[serde(default)]
    modifies: Vec<Spanned<String>>,
    #[serde(default)]
    creates: Vec<Spanned<String>>,
    #[serde(default)]
    declared: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeprecationRow {
    member: Option<String>,
    announced_in: Spanned<String>,
    removable_from: Option<Spanned<String>>,
    replacement: Option<String>,
    guide: Option<String>,
}

/// Collects problems with their places.
#[derive(Default)]
struct Problems(Vec<Finding>);

impl Problems {
    fn add(&mut self, place: Place, message: impl Into<String>, fix: &str) {
        let message = message.into();
        let identity = format!("{}: {message}", place.path);
        let finding = rules::finding(rules::PLAN_DATA, Level::Error, &identity, message);
        self.0.push(finding.at(place).fix(fix));
    }
}

/// One file while it is read.
struct File<'t> {
    path: String,
    text: &'t str,
}

impl File<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or("");
        let line = before.matches('\n').count() + 1;
        Place::line(self.path.clone(), u32::try_from(line).unwrap_or(u32::MAX))
    }

    fn of<T>(&self, value: &Spanned<T>) -> Place {
        self.place(value.span().start)
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, problems: &mut Problems) -> Option<T> {
        match toml::from_str(self.text) {
            Ok(row) => Some(row),
            Err(error) => {
                let offset = error.span().map_or(0, |span| span.start);
                let fix = "Mend the line; docs/plan.md lists every key.";
                problems.add(self.place(offset), format!("{}.", error.message()), fix);
                None
            }
        }
    }
}

pub(super) fn load(root: &Path, files: &Files) -> Result<Plan, PlanError> {
    let mut problems = Problems::default();
    let plan = read(root, files, &mut problems);
    match plan {
        Some(plan) if problems.0.is_empty() => Ok(plan),
        _ => Err(PlanError {
            problems: problems.0,
        }),
    }
}

fn read(root: &Path, files: &Files, problems: &mut Problems) -> Option<Plan> {
    let text = text(files, "plan/plan.toml", problems)?;
    let file = File {
        path: "plan/plan.toml".to_owned(),
        text,
    };
    let row: PlanRow = file.parse(problems)?;
    let mut plan = Plan {
        root: root.to_owned(),
        title: row.title.unwrap_or_else(|| "Master plan".to_owned()),
        mandates: row.mandates,
        protected: row
            .protected_words
            .unwrap_or_else(|| PROTECTED_WORDS.map(str::to_owned).to_vec()),
        phases: row.phase.into_iter().map(|row| phase(&file, row)).collect(),
        services: Vec::new(),
        waivers: row
            .waiver
            .into_iter()
            .map(|row| waiver(&file, row))
            .collect(),
    };
    check_phases(&plan, problems);
    let mut unread = false;
    for path in service_files(files, problems) {
        match read_service(files, path, &plan, problems) {
            Some(service) => plan.services.push(service),
            None => unread = true,
        }
    }
    plan.services.sort_by(|a, b| a.name.cmp(&b.name));
    // Services that could not be read are not missing: their own line says what to mend.
    if !unread {
        check_services(&plan, problems);
    }
    Some(plan)
}

fn text<'f>(files: &'f Files, path: &str, problems: &mut Problems) -> Option<&'f str> {
    let (reason, fix) = match files.text(path) {
        Some(Ok(text)) => return Some(text),
        Some(Err(reason)) => (reason.as_str(), "Restore the file, or take it away."),
        None => (
            "there is no such file",
            "Run `spots plan init` for a first plan.",
        ),
    };
    problems.add(
        Place::file(path),
        format!("{path} could not be read: {reason}."),
        fix,
    );
    None
}

fn phase(file: &File<'_>, row: Spanned<PhaseRow>) -> Phase {
    let place = file.of(&row);
    let row = row.into_inner();
    Phase {
        id: row.id,
        title: row.title,
        status: match row.status {
            StatusRow::Planned => Status::Planned,
            StatusRow::Active => Status::Active,
            StatusRow::Complete => Status::Complete,
        },
        after: row.after,
        waits_for: row.waits_for,
        page: row.page,
        place,
    }
}

fn waiver(file: &File<'_>, row: Spanned<WaiverRow>) -> Waiver {
    let place = file.of(&row);
    let row = row.into_inner();
    Waiver {
        fingerprint: row.fingerprint,
        owner: row.owner,
        reason: row.reason,
        until_phase: row.until_phase,
        place,
    }
}

fn check_phases(plan: &Plan, problems: &mut Problems) {
    let place = |phase: &Phase| phase.place.clone();
    if plan.phases.len() > ENTRIES_MAX {
        let message = format!("the plan has more than {ENTRIES_MAX} phases.");
        problems.add(Place::file("plan/plan.toml"), message, "Split the plan.");
        return;
    }
    let mut seen = BTreeSet::new();
    for phase in &plan.phases {
        if !seen.insert(&phase.id) {
            let message = format!("phase {} is listed twice.", phase.id);
            problems.add(place(phase), message, "Give each phase an id of its own.");
        }
        for before in phase
            .after
            .iter()
            .filter(|before| plan.phase(before).is_none())
        {
            let message = format!(
                "phase {} comes after {before}, which is no phase.",
                phase.id
            );
            problems.add(
                place(phase),
                message,
                "List that phase, or take it out of `after`.",
            );
        }
    }
    for waiver in plan
        .waivers
        .iter()
        .filter(|waiver| plan.phase(&waiver.until_phase).is_none())
    {
        let message = format!(
            "a waiver ends with {}, which is no phase.",
            waiver.until_phase
        );
        problems.add(waiver.place.clone(), message, "Name a phase of this file.");
    }
    if let Some(phase) = in_cycle(plan) {
        let message = format!("phase {} comes after itself, through `after`.", phase.id);
        problems.add(place(phase), message, "Take one link out of the circle.");
    }
}

/// The first phase that waits for itself.
fn in_cycle(plan: &Plan) -> Option<&Phase> {
    plan.phases.iter().find(|phase| {
        let mut reached: BTreeSet<&str> = BTreeSet::new();
        let mut next: Vec<&str> = phase.after.iter().map(String::as_str).collect();
        while let Some(id) = next.pop() {
            if reached.insert(id) {
                let before = plan.phase(id);
                next.extend(
                    before
                        .iter()
                        .flat_map(|phase| phase.after.iter().map(String::as_str)),
                );
            }
        }
        reached.contains(phase.id.as_str())
    })
}

fn service_files<'f>(files: &'f Files, problems: &mut Problems) -> Vec<&'f str> {
    let mut services = files.services();
    if services.len() > ENTRIES_MAX {
        let message = format!("the plan has more than {ENTRIES_MAX} services.");
        problems.add(Place::file("plan/services"), message, "Split the plan.");
        services.clear();
    }
    services
}

fn read_service(
    files: &Files,
    path: &str,
    plan: &Plan,
    problems: &mut Problems,
) -> Option<Service> {
    let text = text(files, path, problems)?;
    let file = File {
        path: path.to_owned(),
        text,
    };
    let row: ServiceRow = file.parse(problems)?;
    let version: Version = match row.version.get_ref().parse() {
        Ok(version) => version,
        Err(reason) => {
            problems.add(
                file.of(&row.version),
                format!("{reason}."),
                "Mend the version.",
            );
            return None;
        }
    };
    check_names(&file, &row, plan, problems);
    let place = file.of(&row.service);
    let name = row.service.into_inner();
    let phases = row.phases;
    let names = |list: Vec<Spanned<String>>| list.into_iter().map(Spanned::into_inner).collect();
    Some(Service {
        source: Source {
            path: row.source.path.into_inner(),
            language: row.source.language.map(Spanned::into_inner),
            symbol: row.source.symbol.unwrap_or_else(|| name.clone()),
        },
        name,
        owner: row.owner,
        version,
        core: row.core,
        depends_on: names(row.depends_on),
        uses: names(phases.uses),
        modifies: names(phases.modifies),
        creates: names(phases.creates),
        declared: phases.declared.into_iter().collect(),
        guide: row.guide,
        deprecations: row.deprecation.into_iter().map(deprecation).collect(),
        place,
    })
}

/// Words that must be known: the language, and phases.
fn check_names(file: &File<'_>, row: &ServiceRow, plan: &Plan, problems: &mut Problems) {
    if let Some(language) = &row.source.language {
        let word = language.get_ref();
        if word != "openapi"
            && Language::of_word(word)
                .and_then(Language::grammar)
                .is_none()
        {
            let message = format!("{word:?} is no language of contracts.");
            let fix = "Write dart, rust, typescript or openapi.";
            problems.add(file.of(language), message, fix);
        }
    }
    let phases = &row.phases;
    let announced = row.deprecation.iter().map(|row| &row.announced_in);
    let removable = row
        .deprecation
        .iter()
        .filter_map(|row| row.removable_from.as_ref());
    let named = phases
        .uses
        .iter()
        .chain(&phases.modifies)
        .chain(&phases.creates);
    for id in named.chain(announced).chain(removable) {
        if plan.phase(id.get_ref()).is_none() {
            let message = format!("{} is no phase of plan/plan.toml.", id.get_ref());
            problems.add(file.of(id), message, "Add the phase, or mend the id.");
        }
    }
}

fn deprecation(row: DeprecationRow) -> Deprecation {
    Deprecation {
        member: row.member,
        announced_in: row.announced_in.into_inner(),
        removable_from: row.removable_from.map(Spanned::into_inner),
        replacement: row.replacement,
        guide: row.guide,
    }
}

fn check_services(plan: &Plan, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for service in &plan.services {
        let place = || service.place.clone();
        if !seen.insert(&service.name) {
            let message = format!("{} is described twice.", service.name);
            problems.add(place(), message, "Keep one file for each service.");
        }
        for on in service
            .depends_on
            .iter()
            .filter(|on| plan.service(on).is_none())
        {
            let message = format!(
                "{} depends on {on}, which is no service of the plan.",
                service.name
            );
            problems.add(
                place(),
                message,
                "Describe that service, or take the dependency out.",
            );
        }
        for (phase, state) in &service.declared {
            if plan.phase(phase).is_none() || !matches!(state.as_str(), "locked" | "unlocked") {
                let message = format!("{} declares {state:?} for phase {phase}.", service.name);
                problems.add(
                    place(),
                    message,
                    "Write locked or unlocked, for a phase of the plan.",
                );
            }
        }
    }
}
