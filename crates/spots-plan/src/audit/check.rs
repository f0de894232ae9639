//! The gate: the ratchet, and a verdict on each of the mandate's four checks.

use std::path::Path;

use spots_findings::{Finding, Level, Place, Report, Tool};

use super::baseline::{BASELINE_PATH, Comparison, NewReads};
use super::config::{CONFIG_PATH, Config, Integration};
use super::lexer::{Region, region_at, spans};
use super::rules::{
    NEW_READ, PRECISION, PRECISION_UNDECLARED, QUEUE_TEST, RULES, SILENT_PATTERN, STALE,
};
use super::{Audit, Read, Use};
use crate::tree::{Language, read_text};

/// How one check of the mandate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It holds everywhere.
    Holds,
    /// It holds for new code; older code still owes it.
    Owed,
    /// Nobody has declared what it would be compared with.
    Undeclared,
    /// It does not hold.
    Fails,
}

impl Verdict {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Owed => "owed",
            Self::Undeclared => "undeclared",
            Self::Fails => "fails",
        }
    }
}

/// One of the mandate's four checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mandatory {
    /// As the checklist says it.
    pub check: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// Why, in one sentence.
    pub reason: String,
}

/// The gate's findings and the four verdicts.
#[derive(Debug)]
pub struct Gate {
    /// What fails, and what is worth knowing.
    pub report: Report,
    /// The mandate's four checks, in its order.
    pub mandatory: [Mandatory; 4],
}

/// The four checks, as the review checklist lists them.
pub const CHECKS: [&str; 4] = [
    "No direct read of the wall clock in new code",
    "All stored timestamps come from the clock",
    "Timestamp precision documented",
    "Queue ordering tested",
];

/// Judges an audit of the tree at `root` against what may be there.
pub fn check(audit: &Audit, comparison: &Comparison<'_>, config: &Config, root: &Path) -> Gate {
    let tool = Tool {
        name: "spots clock check",
        version: env!("CARGO_PKG_VERSION"),
    };
    let mut report = Report::new(tool, RULES.to_vec());
    report.add(comparison.new.iter().flat_map(new_reads));
    report.add(comparison.stale.iter().map(|((scope, text), gone)| {
        let message = format!("{gone} of `{text}` in {scope} are gone from the code.");
        Finding::new(
            STALE.id,
            Level::Warning,
            format!("{scope}\t{text}"),
            message,
        )
        .at(Place::file(BASELINE_PATH))
        .fix("Run `spots clock baseline`: it drops what is fixed.")
    }));
    report.add(audit.silent_patterns.iter().map(|silent| {
        let message = format!("Pattern {} matches nothing: {}.", silent.id, silent.reason);
        Finding::new(SILENT_PATTERN.id, Level::Warning, &silent.id, message)
            .at(Place::file(CONFIG_PATH))
            .fix("Correct the pattern, or remove it.")
    }));
    for unreadable in &audit.unreadable {
        report.add_unreadable(unreadable.path.clone(), unreadable.reason.clone());
    }
    let (precision, coarse) = precision(audit, config);
    let (queue, untested) = queue_order(config, root);
    report.add(coarse);
    report.add(untested);
    let mandatory = [
        no_new_reads(audit, comparison),
        stored(audit, comparison),
        precision,
        queue,
    ];
    Gate { report, mandatory }
}

/// One finding for each read too many; which of several equal ones is new, nobody can tell.
fn new_reads(new: &NewReads<'_>) -> Vec<Finding> {
    let many = new.reads.len();
    let surplus = new.reads.iter().skip(new.allowed).take(new.surplus());
    surplus
        .enumerate()
        .map(|(index, read)| {
            let known = match new.allowed {
                0 => String::new(),
                allowed => format!(" There are {many} like it where the baseline has {allowed}."),
            };
            let through = read
                .via
                .as_ref()
                .map(|via| format!(" through {via}"))
                .unwrap_or_default();
            let message = format!(
                "New read of the wall clock{through} in {} (priority {}, {}).{known}",
                read.scope(),
                read.priority,
                read.category,
            );
            let identity = format!("{}\t{}", read.identity(), new.allowed + index + 1);
            Finding::new(NEW_READ.id, Level::Error, identity, message)
                .at(Place::at(read.path.clone(), read.line, read.column))
                .fix(format!("Instead {}.", super::report::advice(read)))
        })
        .collect()
}

fn no_new_reads(audit: &Audit, comparison: &Comparison<'_>) -> Mandatory {
    let new = comparison.new.iter().map(NewReads::surplus).sum::<usize>();
    let left = audit.ratcheted().count();
    let (verdict, reason) = match (new, left) {
        (0, 0) => (Verdict::Holds, "nothing reads the wall clock".to_owned()),
        (0, left) => (
            Verdict::Owed,
            format!("nothing new; {left} older reads to migrate"),
        ),
        (new, _) => (Verdict::Fails, format!("{new} new reads")),
    };
    Mandatory {
        check: CHECKS[0],
        verdict,
        reason,
    }
}

fn stored(audit: &Audit, comparison: &Comparison<'_>) -> Mandatory {
    let is_stored = |read: &Read| read.place.usage == Use::Stored;
    let new = comparison
        .new
        .iter()
        .filter(|new| new.reads.iter().any(|read| is_stored(read)));
    let new = new.map(NewReads::surplus).sum::<usize>();
    let left = audit.ratcheted().filter(|read| is_stored(read)).count();
    let (verdict, reason) = match (new, left) {
        (0, 0) => (
            Verdict::Holds,
            "no stored timestamp comes from elsewhere".to_owned(),
        ),
        (0, left) => (
            Verdict::Owed,
            format!("nothing new; {left} older ones to migrate"),
        ),
        (new, _) => (
            Verdict::Fails,
            format!("{new} new stored timestamps do not"),
        ),
    };
    Mandatory {
        check: CHECKS[1],
        verdict,
        reason,
    }
}

/// Compares what each integration point needs with what the clock gives and the code keeps.
fn precision(audit: &Audit, config: &Config) -> (Mandatory, Vec<Finding>) {
    let mut findings = Vec::new();
    for integration in &config.integrations {
        findings.extend(precision_of(integration, audit, config));
    }
    let undeclared = config
        .integrations
        .iter()
        .filter(|point| point.precision.is_none())
        .count();
    let coarse = findings
        .iter()
        .filter(|finding| finding.rule == PRECISION.id)
        .count();
    let all = config.integrations.len();
    let (verdict, reason) = match (coarse, undeclared) {
        (0, 0) => (
            Verdict::Holds,
            format!("all {all} integration points keep what they need"),
        ),
        (0, some) => (
            Verdict::Undeclared,
            format!("{some} of {all} integration points declare no precision in {CONFIG_PATH}"),
        ),
        (coarse, _) => (
            Verdict::Fails,
            format!("{coarse} places keep less than is needed"),
        ),
    };
    (
        Mandatory {
            check: CHECKS[2],
            verdict,
            reason,
        },
        findings,
    )
}

fn precision_of(integration: &Integration, audit: &Audit, config: &Config) -> Vec<Finding> {
    let name = &integration.name;
    let Some(needed) = integration.precision else {
        let message = format!("{name} declares no precision.");
        let finding = Finding::new(PRECISION_UNDECLARED.id, Level::Warning, name, message)
            .at(Place::file(CONFIG_PATH))
            .fix("Add `precision = \"millisecond\"`, or what it needs.");
        return if integration.own {
            vec![finding]
        } else {
            Vec::new()
        };
    };
    let mut findings = Vec::new();
    if config.clock_precision > needed {
        let gives = config.clock_precision.as_str();
        let message = format!(
            "{name} needs a {}, the clock gives a {gives}.",
            needed.as_str()
        );
        findings.push(
            Finding::new(PRECISION.id, Level::Error, name, message)
                .at(Place::file(CONFIG_PATH))
                .fix("Declare a coarser precision, or use a finer clock."),
        );
    }
    let reads = audit.direct().filter(|read| {
        read.category == integration.category
            && read.place.usage == Use::Stored
            && read.place.precision > needed
            && read.exception.is_none()
    });
    findings.extend(reads.map(|read| {
        let kept = read.place.precision.as_str();
        let message = format!("{name} needs a {}, this keeps a {kept}.", needed.as_str());
        Finding::new(
            PRECISION.id,
            Level::Error,
            format!("{name}\t{}", read.identity()),
            message,
        )
        .at(Place::at(read.path.clone(), read.line, read.column))
        .fix("Store the atomic timestamp's nanoseconds and its error bound.")
    }));
    findings
}

/// Whether each queue names a test of its order that exists.
fn queue_order(config: &Config, root: &Path) -> (Mandatory, Vec<Finding>) {
    let queues = config
        .integrations
        .iter()
        .filter(|point| point.queue)
        .collect::<Vec<_>>();
    let mut findings = Vec::new();
    let mut undeclared = 0;
    for integration in &queues {
        let name = &integration.name;
        let (level, message) = match &integration.ordering_test {
            None => {
                undeclared += 1;
                if !integration.own {
                    continue;
                }
                (
                    Level::Warning,
                    format!("{name} orders a queue and names no test of it."),
                )
            }
            Some(test) if test_exists(root, test) => continue,
            Some(test) => (
                Level::Error,
                format!("{name} names the test {test}, which is not there."),
            ),
        };
        findings.push(
            Finding::new(QUEUE_TEST.id, level, name, message)
                .at(Place::file(CONFIG_PATH))
                .fix("Write the test and name it: `ordering_test = \"path/of_test::its name\"`."),
        );
    }
    let missing = findings
        .iter()
        .filter(|finding| finding.level == Level::Error)
        .count();
    let (verdict, reason) = match (missing, undeclared) {
        (0, 0) => (
            Verdict::Holds,
            format!("{} queues, each with its test", queues.len()),
        ),
        (0, some) => (
            Verdict::Undeclared,
            format!("{some} queues name no test in {CONFIG_PATH}"),
        ),
        (missing, _) => (
            Verdict::Fails,
            format!("{missing} named tests are not there"),
        ),
    };
    (
        Mandatory {
            check: CHECKS[3],
            verdict,
            reason,
        },
        findings,
    )
}

/// Whether `path::name` is a file below `root` that holds the name outside comments.
fn test_exists(root: &Path, test: &str) -> bool {
    let Some((path, name)) = test.split_once("::") else {
        return false;
    };
    let inside = Path::new(path).components().all(|part| {
        matches!(
            part,
            std::path::Component::Normal(_) | std::path::Component::CurDir
        )
    });
    let (Some(language), true) = (Language::of_path(path), inside && !name.is_empty()) else {
        return false;
    };
    read_text(&root.join(path)).is_ok_and(|text| {
        let spans = spans(language, &text, text.len());
        let mut places = text.match_indices(name);
        places.any(|(at, _)| region_at(&spans, at) != Some(Region::Comment))
    })
}
