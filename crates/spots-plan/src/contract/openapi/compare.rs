//! What changed between two states of an API, and whom it breaks.

use std::collections::BTreeSet;

use spots_findings::{Finding, Level, Place};

use super::super::diff::DiffOptions;
use super::super::model::Contract;
use super::super::rules;
use super::api::{Api, Body, Key, Operation, Param, Response};
use super::schema::Schema;
use super::shapes::{Difference, Named, Way, differences, differences_of};

/// Compares two states of one API.
pub(in crate::contract) fn compare(
    before: &Contract,
    after: &Contract,
    options: &DiffOptions,
) -> Vec<Finding> {
    let (Some(old), Some(new)) = (&before.decl.api, &after.decl.api) else {
        return Vec::new();
    };
    let mut comparing = Comparing {
        name: &before.decl.name,
        file: &after.file,
        named: Named {
            old: &old.schemas,
            new: &new.schemas,
        },
        options,
        findings: Vec::new(),
    };
    comparing.operations(old, new);
    comparing.schemas(old, new);
    comparing.findings
}

struct Comparing<'a> {
    name: &'a str,
    file: &'a str,
    named: Named<'a>,
    options: &'a DiffOptions,
    findings: Vec<Finding>,
}

/// What a finding is about: the words for it, and the line.
struct About {
    what: String,
    line: u32,
}

impl About {
    fn new(what: &str, line: u32) -> Self {
        Self {
            what: what.to_owned(),
            line,
        }
    }

    /// A part of it.
    fn part(&self, part: &str, line: u32) -> Self {
        Self {
            what: format!("{} {part}", self.what),
            line,
        }
    }
}

impl Comparing<'_> {
    fn report(&mut self, rule: &str, about: &About, message: &str) {
        let identity = format!("{} {}", self.name, about.what);
        let finding = rules::finding(rule, None, &identity, message)
            .fact("service", self.name)
            .fact("member", &*about.what);
        self.push(finding, about.line);
    }

    fn push(&mut self, finding: Finding, line: u32) {
        self.findings.push(if self.file.is_empty() {
            finding
        } else {
            finding.at(Place::line(self.file, line))
        });
    }

    fn operations(&mut self, old: &Api, new: &Api) {
        for (key, before) in &old.operations {
            let what = shown(key, before);
            match new.operations.get(key) {
                None => {
                    let about = About::new(&what, 1);
                    self.report("operation-removed", &about, &format!("{what} is gone"));
                }
                Some(after) => self.operation(&what, before, after),
            }
        }
        let added = new.operations.iter();
        for (key, after) in added.filter(|(key, _)| !old.operations.contains_key(*key)) {
            let what = shown(key, after);
            let about = About::new(&what, after.line);
            self.report("operation-added", &about, &format!("{what} was added"));
        }
    }

    fn operation(&mut self, what: &str, old: &Operation, new: &Operation) {
        let about = About::new(what, new.line);
        if old.id != new.id
            && let Some(id) = &old.id
        {
            let now = new.id.as_deref().unwrap_or("nothing");
            let message = format!("{what} was called {id} and is called {now}");
            self.report("operation-id-changed", &about, &message);
        }
        if !old.deprecated && new.deprecated {
            self.report("deprecated", &about, &format!("{what} is deprecated"));
        }
        self.identities(&about, old, new);
        self.security(&about, old, new);
        self.params(&about, old, new);
        self.body(&about, old.body.as_ref(), new.body.as_ref());
        self.responses(&about, old, new);
    }

    /// A part of the path that now means another identity, although the path is the same.
    fn identities(&mut self, about: &About, old: &Operation, new: &Operation) {
        let protected = |name: &str| self.options.protected_word(name);
        let pairs = old.in_path().into_iter().zip(new.in_path());
        let changed: Vec<(&str, &str)> = pairs
            .filter(|(before, now)| match (protected(before), protected(now)) {
                (Some(before), Some(now)) => before != now,
                _ => false,
            })
            .collect();
        for (before, now) in changed {
            let what = &about.what;
            let message = format!(
                "{what} took {before} and takes {now} in its place: callers go on to pass the old one"
            );
            self.report("identity-parameter-renamed", about, &message);
        }
    }

    fn security(&mut self, about: &About, old: &Operation, new: &Operation) {
        let met = |need: &BTreeSet<String>, by: &BTreeSet<BTreeSet<String>>| {
            by.iter().any(|other| other.is_subset(need))
        };
        let words = |alternatives: &BTreeSet<BTreeSet<String>>| -> String {
            let words = alternatives.iter().map(|needs| {
                let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
                if needs.is_empty() {
                    "nothing".to_owned()
                } else {
                    needs.join(" with ")
                }
            });
            words.collect::<Vec<_>>().join(" or ")
        };
        let message = format!(
            "{} asked for {} and asks for {}",
            about.what,
            words(&old.security),
            words(&new.security)
        );
        if old.security.iter().any(|need| !met(need, &new.security)) {
            self.report("security-tightened", about, &message);
        } else if new.security.iter().any(|need| !met(need, &old.security)) {
            self.report("security-loosened", about, &message);
        }
    }

    fn params(&mut self, about: &About, old: &Operation, new: &Operation) {
        for before in old.params.iter().filter(|param| param.place != "path") {
            let name = format!("{} {}", before.place, before.name);
            if let Some(after) = new.param(&before.place, &before.name) {
                self.param(about, &name, before, after);
            } else {
                let message = format!("{} no longer takes {name}", about.what);
                self.report(
                    "api-parameter-removed",
                    &about.part(&name, about.line),
                    &message,
                );
            }
        }
        // Names in a path are nobody's business; what may stand there is.
        for (was, is) in old.in_path().iter().zip(new.in_path()) {
            if let (Some(before), Some(after)) = (old.param("path", was), new.param("path", is)) {
                let found = self.differ(Way::Request, &before.schema, &after.schema);
                self.differences(about, &format!("path {is}"), &found);
            }
        }
        for after in &new.params {
            if after.place == "path" || old.param(&after.place, &after.name).is_some() {
                continue;
            }
            let name = format!("{} {}", after.place, after.name);
            let line = after.schema.line;
            if after.required {
                let message = format!("{} must be given {name}", about.what);
                self.report("api-parameter-required", &about.part(&name, line), &message);
            } else {
                let message = format!("{} may be given {name}", about.what);
                self.report("api-parameter-added", &about.part(&name, line), &message);
            }
        }
    }

    fn param(&mut self, about: &About, name: &str, before: &Param, after: &Param) {
        let line = after.schema.line;
        let what = &about.what;
        if !before.required && after.required {
            let message = format!("{name} of {what} could be left out and must be given");
            self.report("api-parameter-required", &about.part(name, line), &message);
        }
        if !before.deprecated && after.deprecated {
            let message = format!("{name} of {what} is deprecated");
            self.report("deprecated", &about.part(name, line), &message);
        }
        let (was, is) = (&before.schema.default, &after.schema.default);
        if let (Some(was), Some(is)) = (was, is)
            && was != is
        {
            let message = format!("{name} of {what} was {was} by default and is {is}");
            self.report("default-changed", &about.part(name, line), &message);
        }
        let found = self.differ(Way::Request, &before.schema, &after.schema);
        self.differences(about, name, &found);
    }

    fn body(&mut self, about: &About, old: Option<&Body>, new: Option<&Body>) {
        let what = &about.what;
        let is_required = |body: Option<&Body>| body.is_some_and(|body| body.required);
        if !is_required(old) && is_required(new) {
            let message = format!("{what} must be sent a body");
            self.report(
                "request-body-required",
                &about.part("body", about.line),
                &message,
            );
        }
        for (media, was) in old.map(|body| &body.content).into_iter().flatten() {
            if let Some(is) = new.and_then(|body| body.content.get(media)) {
                let found = self.differ(Way::Request, was, is);
                self.differences(about, "body", &found);
            } else {
                let message = format!("{what} no longer takes {media}");
                let rule = "request-media-type-removed";
                self.report(
                    rule,
                    &about.part(&format!("body {media}"), about.line),
                    &message,
                );
            }
        }
    }

    fn responses(&mut self, about: &About, old: &Operation, new: &Operation) {
        let what = &about.what;
        for (status, before) in &old.responses {
            if let Some(after) = new.responses.get(status) {
                self.response(about, status, before, after);
            } else if status.starts_with(['2', '3']) {
                let message = format!("{what} no longer answers {status}");
                self.report(
                    "response-removed",
                    &about.part(status, about.line),
                    &message,
                );
            }
        }
        let added = new.responses.keys();
        for status in added.filter(|status| !old.responses.contains_key(*status)) {
            let message = format!("{what} may answer {status}");
            self.report("response-added", &about.part(status, about.line), &message);
        }
    }

    fn response(&mut self, about: &About, status: &str, before: &Response, after: &Response) {
        let what = &about.what;
        for (media, was) in &before.content {
            if let Some(is) = after.content.get(media) {
                let found = self.differ(Way::Response, was, is);
                self.differences(about, status, &found);
            } else {
                let message = format!("{what} no longer answers {status} as {media}");
                let part = format!("{status} {media}");
                self.report(
                    "response-media-type-removed",
                    &about.part(&part, about.line),
                    &message,
                );
            }
        }
        for header in &before.headers {
            let name = format!("{status} header {}", header.name);
            let is = |other: &&Param| other.name.eq_ignore_ascii_case(&header.name);
            if let Some(after) = after.headers.iter().find(is) {
                let found = self.differ(Way::Response, &header.schema, &after.schema);
                self.differences(about, &name, &found);
            } else {
                let message = format!("{what} no longer answers {status} with {}", header.name);
                self.report(
                    "response-header-removed",
                    &about.part(&name, about.line),
                    &message,
                );
            }
        }
    }

    fn differ(&self, way: Way, old: &Schema, new: &Schema) -> Vec<Difference> {
        differences(self.named, way, old, new)
    }

    fn differences(&mut self, about: &About, part: &str, found: &[Difference]) {
        for one in found {
            let part = format!("{part}{}", one.trail);
            let message = format!("{part} of {} {}", about.what, one.message);
            let what = format!("{} {part}", about.what);
            self.difference(&what, one, &message);
        }
    }

    fn difference(&mut self, what: &str, one: &Difference, message: &str) {
        let line = one.line;
        let identity = format!("{} {what}", self.name);
        let mut finding = rules::finding(one.rule, None, &identity, message)
            .fact("service", self.name)
            .fact("member", what);
        if one.refused {
            finding.level = Level::Error;
            finding.message = format!("{message} And what is not listed is refused.");
        }
        self.push(finding, line);
    }

    /// Named schemas, each once for each way that it goes on both sides.
    fn schemas(&mut self, old: &Api, new: &Api) {
        let (before, after) = (ways(old), ways(new));
        for (name, way) in before.intersection(&after) {
            for one in &differences_of(self.named, *way, name) {
                let what = format!("{name}{}", one.trail);
                let which = match way {
                    Way::Request => "in requests",
                    Way::Response => "in responses",
                };
                let message = format!("{what}, {which}, {}", one.message);
                self.difference(&what, one, &message);
            }
        }
    }
}

fn shown(key: &Key, operation: &Operation) -> String {
    format!("{} {}", key.method, operation.path)
}

/// Which named schemas clients send, and which they read, near and far.
fn ways(api: &Api) -> BTreeSet<(String, Way)> {
    let mut found: BTreeSet<(String, Way)> = BTreeSet::new();
    let mut add = |schema: &Schema, way: Way| {
        let mut names = BTreeSet::new();
        schema.mentions(&mut names);
        found.extend(names.into_iter().map(|name| (name, way)));
    };
    for operation in api.operations.values() {
        let bodies = operation.body.iter().flat_map(|body| body.content.values());
        let params = operation.params.iter().map(|param| &param.schema);
        bodies
            .chain(params)
            .for_each(|schema| add(schema, Way::Request));
        for response in operation.responses.values() {
            let headers = response.headers.iter().map(|header| &header.schema);
            let all = response.content.values().chain(headers);
            all.for_each(|schema| add(schema, Way::Response));
        }
    }
    let mut next: Vec<(String, Way)> = found.iter().cloned().collect();
    while let Some((name, way)) = next.pop() {
        let mut names = BTreeSet::new();
        if let Some(schema) = api.schemas.get(&name) {
            schema.mentions(&mut names);
        }
        for name in names {
            if found.insert((name.clone(), way)) {
                next.push((name, way));
            }
        }
    }
    found
}
