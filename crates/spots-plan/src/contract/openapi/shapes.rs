//! Two states of one value, seen from the side that sends it or from the side that reads it.
//!
//! What clients send may only come to be taken more freely; what they read may only become stricter.

use std::collections::{BTreeMap, BTreeSet};

use super::bounds::{Bound, bounds};
use super::schema::{Additional, Schema};

/// Deeper values are not compared; no document that people wrote comes near.
const DEPTH_MAX: usize = 24;
/// References that lead to further ones are followed this often.
const HOPS_MAX: usize = 16;

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// Clients send it.
    Request,
    /// Clients read it.
    Response,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) rule: &'static str,
    /// Where in the value, for example `.items[].id`.
    pub(super) trail: String,
    /// What happened to it: follows the value's name.
    pub(super) message: String,
    pub(super) line: u32,
    /// Whether it is worse than its rule says.
    pub(super) refused: bool,
}

/// Both documents' named schemas.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) old: &'a BTreeMap<String, Schema>,
    pub(super) new: &'a BTreeMap<String, Schema>,
}

/// Compares two states of a value.
pub(super) fn differences(
    named: Named<'_>,
    way: Way,
    old: &Schema,
    new: &Schema,
) -> Vec<Difference> {
    let mut comparing = Comparing {
        named,
        way,
        trail: String::new(),
        found: Vec::new(),
    };
    comparing.value(old, new, 0);
    comparing.found
}

/// The same for a named schema: what its name stands for is compared.
pub(super) fn differences_of(named: Named<'_>, way: Way, name: &str) -> Vec<Difference> {
    let (Some(old), Some(new)) = (named.old.get(name), named.new.get(name)) else {
        return Vec::new();
    };
    differences(named, way, old, new)
}

struct Comparing<'a> {
    named: Named<'a>,
    way: Way,
    trail: String,
    found: Vec<Difference>,
}

impl Comparing<'_> {
    fn report(&mut self, rule: &'static str, line: u32, message: String) {
        self.found.push(Difference {
            rule,
            trail: self.trail.clone(),
            message,
            line,
            refused: false,
        });
    }

    /// A value that takes fewer, or more, than before.
    fn range(&mut self, (fewer, more): (bool, bool), line: u32, message: String) {
        let rule = match (self.way, fewer, more) {
            (_, false, false) => return,
            (Way::Request, true, _) => "request-type-narrowed",
            (Way::Request, false, _) => "request-type-widened",
            (Way::Response, _, true) => "response-type-widened",
            (Way::Response, ..) => "response-type-narrowed",
        };
        self.report(rule, line, message);
    }

    fn value(&mut self, old: &Schema, new: &Schema, depth: usize) {
        let same = old.reference.is_some() && old.reference == new.reference;
        if depth > DEPTH_MAX {
            return;
        }
        let line = new.line;
        let (before, after) = (flat(old, self.named.old), flat(new, self.named.new));
        if before.nullable != after.nullable && (!same || old.nullable != new.nullable) {
            let message = if after.nullable {
                "may be null now"
            } else {
                "may no longer be null"
            };
            self.range((before.nullable, after.nullable), line, message.to_owned());
        }
        // What a name stands for is compared once, not wherever it is used.
        if same {
            return;
        }
        if !before.any.is_empty() || !after.any.is_empty() {
            self.alternatives(&before, &after, line, depth);
            return;
        }
        if !self.types(&before, &after, line) {
            return;
        }
        self.values(&before, &after, line);
        self.limits(&before, &after, line);
        self.properties(&before, &after, line, depth);
        self.items(&before, &after, depth);
    }

    /// Whether the types agree so far that more can be compared.
    fn types(&mut self, old: &Schema, new: &Schema, line: u32) -> bool {
        let takes = |schema: &Schema, word: &str| {
            schema.types.is_empty()
                || schema.types.contains(word)
                || (word == "integer" && schema.types.contains("number"))
        };
        let lost = |from: &Schema, to: &Schema| {
            if from.types.is_empty() {
                !to.types.is_empty()
            } else {
                from.types.iter().any(|word| !takes(to, word))
            }
        };
        let mut change = (lost(old, new), lost(new, old));
        if change == (false, false)
            && let (Some(before), Some(after)) = (&old.format, &new.format)
            && before != after
        {
            let wider = |from: &str, to: &str| {
                matches!((from, to), ("int32", "int64") | ("float", "double"))
            };
            change = (!wider(before, after), !wider(after, before));
        }
        let message = format!("was {} and is {}", old.shown(), new.shown());
        self.range(change, line, message);
        change == (false, false)
    }

    fn values(&mut self, old: &Schema, new: &Schema, line: u32) {
        let none = BTreeSet::new();
        let list = |values: Vec<&String>| -> String {
            let shown: Vec<&str> = values.iter().map(|value| value.as_str()).collect();
            shown.join(", ")
        };
        let request = self.way == Way::Request;
        let (before, after) = match (&old.values, &new.values) {
            (None, None) => return,
            (Some(before), Some(after)) => (before, after),
            (None, Some(after)) => {
                let message = format!("is only one of {} now", list(after.iter().collect()));
                let rule = if request {
                    "request-value-removed"
                } else {
                    "response-value-removed"
                };
                return self.report(rule, line, message);
            }
            (Some(_), None) => (&none, &none),
        };
        if new.values.is_none() {
            let rule = if request {
                "request-value-added"
            } else {
                "response-value-added"
            };
            return self.report(rule, line, "may be any value now".to_owned());
        }
        let gone: Vec<&String> = before.difference(after).collect();
        if !gone.is_empty() {
            let rule = if request {
                "request-value-removed"
            } else {
                "response-value-removed"
            };
            let message = format!("can no longer be {}", list(gone));
            self.report(rule, line, message);
        }
        let added: Vec<&String> = after.difference(before).collect();
        if !added.is_empty() {
            let rule = if request {
                "request-value-added"
            } else {
                "response-value-added"
            };
            let message = format!("can also be {}", list(added));
            self.report(rule, line, message);
        }
    }

    fn limits(&mut self, old: &Schema, new: &Schema, line: u32) {
        let (worse, better) = match self.way {
            Way::Request => ("request-limit-tightened", "request-type-widened"),
            Way::Response => ("response-limit-loosened", "response-type-narrowed"),
        };
        let harms = |bound: &Bound| match self.way {
            Way::Request => bound.tighter,
            Way::Response => bound.looser,
        };
        let (harmful, harmless): (Vec<Bound>, Vec<Bound>) =
            bounds(old, new).into_iter().partition(harms);
        for (rule, list) in [(worse, harmful), (better, harmless)] {
            let words: Vec<String> = list.into_iter().map(|bound| bound.words).collect();
            if !words.is_empty() {
                let message = format!("is bounded otherwise: {}", words.join(", "));
                self.report(rule, line, message);
            }
        }
    }

    fn properties(&mut self, old: &Schema, new: &Schema, line: u32, depth: usize) {
        for name in old.properties.keys() {
            if !self.counts(old, name) {
                continue;
            }
            let at = self.trail.len();
            self.trail.extend([".", name]);
            self.property(name, old, new, depth);
            self.trail.truncate(at);
        }
        for (name, after) in &new.properties {
            if !self.counts(new, name) || self.counts(old, name) {
                continue;
            }
            let at = self.trail.len();
            self.trail.extend([".", name]);
            if self.way == Way::Request && new.required.contains(name) {
                let message = "must be given".to_owned();
                self.report("request-property-required", after.line, message);
            } else {
                self.report("property-added", after.line, "was added".to_owned());
            }
            self.trail.truncate(at);
        }
        self.additional(old, new, line, depth);
    }

    /// Whether a property is there for whoever looks this way.
    fn counts(&self, schema: &Schema, name: &str) -> bool {
        let property = schema.properties.get(name);
        property.is_some_and(|property| match self.way {
            Way::Request => !property.read_only,
            Way::Response => !property.write_only,
        })
    }

    /// A property that was there before.
    fn property(&mut self, name: &String, old: &Schema, new: &Schema, depth: usize) {
        let Some(before) = old.properties.get(name) else {
            return;
        };
        // One that is no longer listed may still be there as one of the others.
        let other = match &new.additional {
            Additional::Of(schema) => Some(&**schema),
            _ => None,
        };
        let listed = new.properties.get(name);
        match listed.filter(|_| self.counts(new, name)).or(other) {
            None if self.way == Way::Request => {
                let message = "is gone".to_owned();
                self.report("request-property-removed", new.line, message);
                // A closed value refuses what it no longer lists.
                if let Some(last) = self.found.last_mut() {
                    last.refused = new.additional == Additional::Closed;
                }
            }
            None => self.report("response-property-removed", new.line, "is gone".to_owned()),
            Some(after) => {
                let required = |schema: &Schema| schema.required.contains(name);
                self.presence((required(old), required(new)), after.line);
                self.value(before, after, depth + 1);
                if !before.deprecated && after.deprecated {
                    self.report("deprecated", after.line, "is deprecated".to_owned());
                }
            }
        }
    }

    fn presence(&mut self, (before, now): (bool, bool), line: u32) {
        match (self.way, before, now) {
            (Way::Request, false, true) => {
                let message = "could be left out and must be given".to_owned();
                self.report("request-property-required", line, message);
            }
            (Way::Request, true, false) => {
                self.report("request-type-widened", line, "may be left out".to_owned());
            }
            (Way::Response, true, false) => {
                let message = "was always there and may be missing".to_owned();
                self.report("response-property-optional", line, message);
            }
            (Way::Response, false, true) => {
                let message = "is always there now".to_owned();
                self.report("response-type-narrowed", line, message);
            }
            _ => {}
        }
    }

    fn additional(&mut self, old: &Schema, new: &Schema, line: u32, depth: usize) {
        match (&old.additional, &new.additional) {
            (Additional::Of(before), Additional::Of(after)) => {
                let at = self.trail.len();
                self.trail.push_str(".*");
                self.value(before, after, depth + 1);
                self.trail.truncate(at);
            }
            (Additional::Closed, Additional::Closed) | (Additional::Open, Additional::Open) => {}
            (_, Additional::Closed) if self.way == Way::Request => {
                let message = "no longer takes properties that are not listed".to_owned();
                self.range((true, false), line, message);
            }
            (Additional::Open, Additional::Of(_)) if self.way == Way::Request => {
                let message = "no longer takes any value for properties that are not listed";
                self.range((true, false), line, message.to_owned());
            }
            (Additional::Of(_), Additional::Open) if self.way == Way::Response => {
                let message = "may hold any value in properties that are not listed";
                self.range((false, true), line, message.to_owned());
            }
            _ => {}
        }
    }

    fn items(&mut self, old: &Schema, new: &Schema, depth: usize) {
        let any = Schema::default();
        let (before, after) = match (&old.items, &new.items) {
            (None, None) => return,
            (before, after) => (
                before.as_deref().unwrap_or(&any),
                after.as_deref().unwrap_or(&any),
            ),
        };
        let at = self.trail.len();
        self.trail.push_str("[]");
        self.value(before, after, depth + 1);
        self.trail.truncate(at);
    }

    /// One of several: those that belong together are compared with each other.
    fn alternatives(&mut self, old: &Schema, new: &Schema, line: u32, depth: usize) {
        let list = |schema: &Schema| {
            if schema.any.is_empty() {
                vec![schema.clone()]
            } else {
                schema.any.clone()
            }
        };
        let (before, after) = (list(old), list(new));
        let mut left: Vec<&Schema> = after.iter().collect();
        let mut gone = Vec::new();
        for one in &before {
            let same = left.iter().position(|other| self.belong(one, other));
            match same {
                Some(at) => self.value(one, left.remove(at), depth + 1),
                None => gone.push(one),
            }
        }
        gone.retain(|one| {
            let fits = |other: &&Schema| self.fits(one, other, depth);
            let at = left.iter().position(fits);
            at.map(|at| left.remove(at)).is_none()
        });
        let shown = |list: &[&Schema]| -> String {
            let shown: Vec<String> = list.iter().map(|schema| schema.shown()).collect();
            shown.join(", ")
        };
        if !gone.is_empty() || !left.is_empty() {
            let message = match (gone.is_empty(), left.is_empty()) {
                (false, true) => format!("is no longer {}", shown(&gone)),
                (true, _) => format!("may also be {}", shown(&left)),
                (false, false) => format!("was {} and is {}", shown(&gone), shown(&left)),
            };
            self.range((!gone.is_empty(), !left.is_empty()), line, message);
        }
    }

    /// Whether two alternatives are states of one: by name, by tag, or by everything.
    fn belong(&self, old: &Schema, new: &Schema) -> bool {
        if old.reference.is_some() && old.reference == new.reference {
            return true;
        }
        let (before, after) = (flat(old, self.named.old), flat(new, self.named.new));
        match (tag(&before), tag(&after)) {
            (Some(before), Some(after)) => before == after,
            (None, None) => old.json() == new.json(),
            _ => false,
        }
    }

    /// Whether one state can stand for the other without harm.
    fn fits(&self, old: &Schema, new: &Schema, depth: usize) -> bool {
        let mut trial = Comparing {
            named: self.named,
            way: self.way,
            trail: String::new(),
            found: Vec::new(),
        };
        trial.value(old, new, depth + 1);
        let harmless = |found: &Difference| {
            use spots_findings::Level;
            let rule = super::super::rules::lookup(found.rule);
            !found.refused && rule.is_some_and(|rule| rule.level() < Level::Error)
        };
        trial.found.iter().all(harmless)
    }
}

/// The property that tells an alternative from the others, with its one value.
fn tag(schema: &Schema) -> Option<(String, String)> {
    schema.properties.iter().find_map(|(name, property)| {
        let values = property
            .values
            .as_ref()
            .filter(|values| values.len() == 1)?;
        Some((name.clone(), values.first()?.clone()))
    })
}

/// A schema with its references and `allOf` resolved; what is not there takes anything.
pub(super) fn flat(schema: &Schema, named: &BTreeMap<String, Schema>) -> Schema {
    resolve(schema, named, 0)
}

fn resolve(schema: &Schema, named: &BTreeMap<String, Schema>, hops: usize) -> Schema {
    if hops > HOPS_MAX {
        return Schema::default();
    }
    if let Some(name) = &schema.reference {
        let target = named.get(name);
        let mut out =
            target.map_or_else(Schema::default, |target| resolve(target, named, hops + 1));
        out.nullable |= schema.nullable;
        out.line = schema.line;
        return out;
    }
    let mut out = schema.clone();
    for part in std::mem::take(&mut out.all) {
        let part = resolve(&part, named, hops + 1);
        out.types.extend(part.types);
        out.format = out.format.or(part.format);
        out.values = out.values.or(part.values);
        out.pattern = out.pattern.or(part.pattern);
        out.properties.extend(part.properties);
        out.required.extend(part.required);
        out.limits.extend(part.limits);
        out.items = out.items.or(part.items);
        out.any.extend(part.any);
        if out.additional == Additional::Open {
            out.additional = part.additional;
        }
    }
    out
}
