//! What changed between two states of the services, and whom it breaks.

mod members;
mod pairs;
mod side;
mod signature;

use std::collections::BTreeSet;

use spots_findings::{Finding, Level, Place, Unreadable};

use super::model::{Contract, Mark, Member, Snapshot, TypeKind};
use super::openapi;
use super::rules::{self, Breaks};
use super::types::{Change, Fields, Lattice, change, head};

pub use self::side::Side;

/// Words of which a positional parameter must not silently change from one to another.
pub const PROTECTED_WORDS: [&str; 12] = [
    "userId",
    "agentId",
    "guestId",
    "guestHandle",
    "hostId",
    "accountId",
    "deviceId",
    "profileId",
    "personId",
    "ownerId",
    "sessionId",
    "customerId",
];

/// What to be strict about.
#[derive(Clone, Debug)]
pub struct DiffOptions {
    /// A positional parameter renamed between two of these is a finding.
    pub protected: Vec<String>,
}

impl Default for DiffOptions {
    fn default() -> Self {
        Self {
            protected: PROTECTED_WORDS
                .iter()
                .map(|word| (*word).to_owned())
                .collect(),
        }
    }
}

impl DiffOptions {
    /// The protected word that a name ends with, the longest that fits.
    pub(super) fn protected_word(&self, name: &str) -> Option<String> {
        let name = name.replace('_', "").to_lowercase();
        let name = name.strip_suffix('s').unwrap_or(&name);
        let words = self.protected.iter();
        words
            .map(|word| word.replace('_', "").to_lowercase())
            .filter(|word| name.ends_with(word.as_str()))
            .max_by_key(String::len)
    }
}

/// What a comparison came to.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Findings, unordered.
    pub findings: Vec<Finding>,
    /// Services that could not be compared.
    pub unreadable: Vec<Unreadable>,
    /// How many services of the old side were compared with one of the new side.
    pub compared: usize,
}

/// Compares the services of two snapshots, and the types that their signatures mention.
pub fn compare(old: &Snapshot, new: &Snapshot, options: &DiffOptions) -> Compared {
    let services: Vec<&Contract> = new.services.iter().collect();
    compare_with(old, &services, &Side::of(new), options)
}

/// The same, where many comparisons share one new side: these of its services count.
pub fn compare_with(
    old: &Snapshot,
    services: &[&Contract],
    new: &Side<'_>,
    options: &DiffOptions,
) -> Compared {
    let before: Vec<&Contract> = old.services.iter().collect();
    let both = Both {
        old: &Side::of(old),
        new,
    };
    let mut out = Compared::default();
    let mut done = BTreeSet::new();
    let paired = pairs::pair(&before, services, new.types());
    out.unreadable.extend(paired.ambiguous);
    for gone in paired.removed {
        out.findings.push(removed(gone));
    }
    for (before, after) in &paired.renamed {
        let message = format!("{} is now called {}", before.decl.name, after.decl.name);
        let finding = rules::finding("service-renamed", None, &before.decl.name, &message);
        out.findings
            .push(place(finding, &after.file, after.decl.line).fact("service", &*before.decl.name));
    }
    for (before, after) in paired.same.iter().chain(&paired.renamed) {
        out.compared += 1;
        done.insert(before.decl.name.as_str());
        if before.decl.api.is_some() && after.decl.api.is_some() {
            out.findings
                .extend(openapi::compare(before, after, options));
            continue;
        }
        let mut pair = Pair::new(before, after, &both, options);
        pair.run();
        out.findings.extend(pair.findings);
    }
    shared((&before, services), &both, options, &done, &mut out);
    without_repeats(&mut out.findings);
    out
}

/// Types that signatures mention and that exist on both sides under one name.
fn shared(
    services: (&[&Contract], &[&Contract]),
    both: &Both<'_>,
    options: &DiffOptions,
    done: &BTreeSet<&str>,
    out: &mut Compared,
) {
    for (name, before) in both.old.by_name().filter(|(name, _)| !done.contains(*name)) {
        let paired = pairs::twins(name, services, before, both.new.named(name));
        out.unreadable.extend(paired.ambiguous);
        for (before, after) in paired.same {
            let mut pair = Pair::new(before, after, both, options);
            pair.run();
            // New members and notes of a shared type are no news about a service.
            pair.findings.retain(|finding| finding.level > Level::Note);
            out.findings.extend(pair.findings);
        }
    }
}

fn removed(gone: &Contract) -> Finding {
    let name = &gone.decl.name;
    let message = format!("{name} is gone");
    rules::finding("service-removed", None, name, &message)
        .fact("service", &**name)
        .at(Place::line(gone.file.clone(), gone.decl.line))
}

/// A base's change is reported once, not again for each type that inherits the member.
fn without_repeats(findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    findings.sort_by(|a, b| {
        (&a.identity, &a.rule, &a.message).cmp(&(&b.identity, &b.rule, &b.message))
    });
    findings.retain(|finding| {
        seen.insert((
            finding.rule.clone(),
            finding.identity.clone(),
            finding.message.clone(),
        ))
    });
}

/// Both sides' knowledge of types, the new one's first.
struct Both<'a> {
    old: &'a Side<'a>,
    new: &'a Side<'a>,
}

impl Lattice for Both<'_> {
    fn is_above(&self, lower: &str, upper: &str) -> bool {
        self.new.is_above(lower, upper) || self.old.is_above(lower, upper)
    }

    fn alias(&self, name: &str) -> Option<String> {
        let target = self.new.alias(name).or_else(|| self.old.alias(name));
        target.map(str::to_owned)
    }

    fn fields(&self, name: &str) -> Vec<Fields> {
        let new = self.new.fields(name);
        if new.is_empty() {
            self.old.fields(name)
        } else {
            new
        }
    }
}

/// One type before and after.
struct Pair<'a> {
    old: &'a Contract,
    new: &'a Contract,
    both: &'a Both<'a>,
    options: &'a DiffOptions,
    findings: Vec<Finding>,
}

impl<'a> Pair<'a> {
    fn new(
        old: &'a Contract,
        new: &'a Contract,
        both: &'a Both<'a>,
        options: &'a DiffOptions,
    ) -> Self {
        Self {
            old,
            new,
            both,
            options,
            findings: Vec::new(),
        }
    }

    fn run(&mut self) {
        self.head();
        self.members();
    }

    /// What stands before the body.
    fn head(&mut self) {
        let (old, new) = (&self.old.decl, &self.new.decl);
        let name = &old.name;
        if old.kind != new.kind {
            let message = format!(
                "{name} was a {} and is a {}",
                old.kind.as_str(),
                new.kind.as_str()
            );
            self.report("kind-changed", None, None, &message);
            return;
        }
        if old.kind == TypeKind::Alias {
            self.target();
            return;
        }
        let tighter: Vec<&str> = new
            .modifiers
            .iter()
            .filter(|modifier| *modifier != "mixin" && !old.modifiers.contains(*modifier))
            .filter(|modifier| !self.still_made(modifier))
            .map(String::as_str)
            .collect();
        if !tighter.is_empty() {
            let message = format!("{name} became {}", tighter.join(" and "));
            self.report("modifier-tightened", None, None, &message);
        } else if old.modifiers.contains("mixin") && !new.modifiers.contains("mixin") {
            let message = format!("{name} can no longer be mixed in");
            self.report("modifier-tightened", None, None, &message);
        }
        self.supers();
        if generics_differ(&old.generics, &new.generics, self.both) {
            let message = format!(
                "{name} took <{}> and takes <{}>",
                old.generics.join(", "),
                new.generics.join(", ")
            );
            self.report("generics-changed", None, None, &message);
        }
        if old.deprecated.is_none() && new.deprecated.is_some() {
            self.report("deprecated", None, None, &format!("{name} is deprecated"));
        }
    }

    /// A class that became abstract is still made as before where factories stand in for all of its
    /// constructors.
    fn still_made(&self, modifier: &str) -> bool {
        let mut before = self.old.made_by().into_iter();
        let after = self.new.made_by();
        let stands_in = |old: &Member, new: &Member| old.name == new.name && new.is(Mark::Factory);
        modifier == "abstract"
            && !after.is_empty()
            && before.all(|old| after.iter().any(|new| stands_in(&old, new)))
    }

    fn target(&mut self) {
        let target = |contract: &'a Contract| {
            contract
                .decl
                .supers
                .first()
                .map(|target| target.ty.as_str())
        };
        let (old, new) = (target(self.old), target(self.new));
        // Aliases would expand each other; the targets are compared as the new side knows them.
        if change(old, new, &NoAliases(self.both)) != Change::Same {
            let message = format!(
                "{} stood for {} and stands for {}",
                self.old.decl.name,
                old.unwrap_or("nothing"),
                new.unwrap_or("nothing")
            );
            self.report("kind-changed", None, None, &message);
        }
    }

    fn supers(&mut self) {
        let still = |name: &&String| {
            // A path to the same type may be spelled in several ways.
            let last = |name: &str| head(name).0.rsplit("::").next().unwrap_or("").to_owned();
            let name = last(name);
            let kept = self.new.above.iter().any(|above| last(above) == name);
            kept || name.starts_with('_') || name == "Object" || name == self.new.decl.name
        };
        let lost: Vec<&str> = self
            .old
            .above
            .iter()
            .filter(|name| !still(name))
            .map(String::as_str)
            .collect();
        if lost.is_empty() {
            return;
        }
        let message = format!(
            "{} is no longer a {}",
            self.old.decl.name,
            lost.join(", nor a ")
        );
        self.report("supertype-lost", None, None, &message);
    }

    /// Adds a finding about a member that is no longer there: it stands at the type, and names the
    /// place where the member was.
    fn report_gone(&mut self, rule: &str, breaks: Option<Breaks>, member: &Member, message: &str) {
        self.report(rule, breaks, Some(member), message);
        let file = self.old.file_of(member);
        let was = Place::line(file, member.line);
        if let Some(finding) = self.findings.pop() {
            let finding = place(finding, &self.new.file, self.new.decl.line);
            let finding = if file.is_empty() || member.line <= 1 {
                finding
            } else {
                finding.related(was, "it was here before")
            };
            self.findings.push(finding);
        }
    }

    /// Adds a finding about the type, or about one of its members.
    fn report(
        &mut self,
        rule: &str,
        breaks: Option<Breaks>,
        member: Option<&Member>,
        message: &str,
    ) {
        let owner = &self.old.decl.name;
        let identity = match member {
            Some(member) if member.name.starts_with(&**owner) => member.name.clone(),
            Some(member) => format!("{owner}.{}", member.name),
            None => owner.clone(),
        };
        let (file, line) = member.map_or((&*self.new.file, self.new.decl.line), |member| {
            (self.new.file_of(member), member.line)
        });
        let finding = rules::finding(rule, breaks, &identity, message).fact("service", &**owner);
        let finding = match member {
            Some(member) => finding.fact("member", &*member.name),
            None => finding,
        };
        self.findings.push(place(finding, file, line));
    }
}

struct NoAliases<'a>(&'a Both<'a>);

impl Lattice for NoAliases<'_> {
    fn is_above(&self, lower: &str, upper: &str) -> bool {
        self.0.is_above(lower, upper)
    }

    fn alias(&self, _name: &str) -> Option<String> {
        None
    }

    fn fields(&self, name: &str) -> Vec<Fields> {
        self.0.fields(name)
    }
}

fn place(finding: Finding, file: &str, line: u32) -> Finding {
    if file.is_empty() {
        return finding;
    }
    finding.at(Place::line(file, line))
}

/// Whether type parameters differ in number or bound; their names do not matter.
fn generics_differ(old: &[String], new: &[String], lattice: &dyn Lattice) -> bool {
    let bound = |generic: &str| -> String {
        let bound = generic
            .split_once(" extends ")
            .or_else(|| generic.split_once(':'));
        bound.map_or("dynamic".to_owned(), |(_, bound)| bound.trim().to_owned())
    };
    old.len() != new.len()
        || old.iter().zip(new).any(|(old, new)| {
            let change = change(Some(&bound(old)), Some(&bound(new)), lattice);
            matches!(change, Change::Narrower | Change::Other)
        })
}
