//! Members before and after.

use std::collections::{BTreeMap, BTreeSet};

use super::super::model::{Mark, Member, MemberKind, TypeKind};
use super::super::rules::Breaks;
use super::super::types::{Change, change};
use super::{Pair, generics_differ};

/// Every type has these from `Object`: taking an own one away changes nothing for callers.
const OF_EVERY_OBJECT: [&str; 5] = ["toString", "hashCode", "==", "noSuchMethod", "runtimeType"];

/// What a name offers: a method, or something that is read and perhaps set.
#[derive(Clone, Copy, Default)]
struct Offer<'a> {
    method: Option<&'a Member>,
    read: Option<&'a Member>,
    write: Option<&'a Member>,
}

impl<'a> Offer<'a> {
    fn any(&self) -> Option<&'a Member> {
        self.method.or(self.read).or(self.write)
    }
}

type Offers<'a> = BTreeMap<&'a str, Offer<'a>>;

impl<'a> Pair<'a> {
    pub(super) fn members(&mut self) {
        let old = offers(self.old.members());
        let new = offers(self.new.members());
        let added: BTreeSet<&str> = new
            .keys()
            .filter(|name| !old.contains_key(*name))
            .copied()
            .collect();
        let mut explained = BTreeSet::new();
        for (name, before) in &old {
            match new.get(name) {
                Some(after) => self.offer(before, after),
                None => self.gone(before, &added, &new, &mut explained),
            }
        }
        for name in added.difference(&explained) {
            if let Some(member) = new.get(name).and_then(Offer::any) {
                self.added(member);
            }
        }
        if self.old.decl.kind == self.new.decl.kind {
            self.constructors();
            self.values();
        }
    }

    fn gone(
        &mut self,
        before: &Offer<'a>,
        added: &BTreeSet<&'a str>,
        new: &Offers<'a>,
        explained: &mut BTreeSet<&'a str>,
    ) {
        let Some(member) = before.any() else { return };
        if OF_EVERY_OBJECT.contains(&&*member.name) {
            return;
        }
        let mut fits = added.iter().filter(|name| {
            let after = new.get(*name).and_then(Offer::any);
            !explained.contains(*name) && after.is_some_and(|after| is_same_but_name(member, after))
        });
        let name = &self.old.decl.name;
        if let (Some(to), None) = (fits.next(), fits.next()) {
            explained.insert(*to);
            let message = format!("{name}.{} is now called {to}", member.name);
            self.report_gone("member-renamed", None, member, &message);
            return;
        }
        let message = format!("{name}.{} is gone", member.name);
        let unknown: Vec<&str> = self
            .new
            .outside
            .difference(&self.old.outside)
            .map(String::as_str)
            .collect();
        if unknown.is_empty() || member.is(Mark::Static) {
            self.report_gone("member-removed", None, member, &message);
        } else {
            let message = format!(
                "{message}, unless {} has it, which is outside of this tree",
                unknown.join(" or ")
            );
            self.report_gone(
                "member-removed",
                Some(Breaks::Implementers),
                member,
                &message,
            );
        }
    }

    fn added(&mut self, member: &Member) {
        let name = &self.old.decl.name;
        let message = format!("{name}.{} was added", member.name);
        let decl = &self.new.decl;
        let is = |words: &[&str]| words.iter().any(|word| decl.modifiers.contains(*word));
        // A class that can be made has written what it inherits; whoever is below one that cannot, or
        // below an interface, must.
        let below = decl.kind == TypeKind::Interface || is(&["abstract"]);
        let own = decl.members.iter().any(|own| own.name == member.name);
        let open = !is(&["final", "sealed"]);
        let must_write = member.is(Mark::Abstract) && (own || below);
        if must_write && open && !self.old.implicit_and_made() {
            self.report("abstract-member-added", None, Some(member), &message);
        } else {
            self.report("member-added", None, Some(member), &message);
        }
    }

    fn offer(&mut self, before: &Offer<'a>, after: &Offer<'a>) {
        let name = &self.old.decl.name;
        let (Some(old), Some(new)) = (before.any(), after.any()) else {
            return;
        };
        if before.method.is_some() != after.method.is_some() {
            let words = |offer: &Offer<'_>| {
                if offer.method.is_some() {
                    "a method"
                } else {
                    "read without parentheses"
                }
            };
            let message = format!(
                "{name}.{} was {} and is {}",
                old.name,
                words(before),
                words(after)
            );
            self.report("member-kind-changed", None, Some(new), &message);
            return;
        }
        if old.is(Mark::Static) != new.is(Mark::Static) {
            let place = |member: &Member| {
                if member.is(Mark::Static) {
                    "the type"
                } else {
                    "an instance"
                }
            };
            let message = format!(
                "{name}.{} belonged to {} and belongs to {}",
                old.name,
                place(old),
                place(new)
            );
            self.report("member-static-changed", None, Some(new), &message);
            return;
        }
        if let (Some(old), Some(new)) = (before.method, after.method) {
            self.signature(old, new);
        } else {
            self.property(before, after);
        }
        self.notes(old, new);
    }

    fn property(&mut self, before: &Offer<'a>, after: &Offer<'a>) {
        let name = &self.old.decl.name;
        if let (Some(old), Some(new)) = (before.read, after.read) {
            let result = change(old.ty.as_deref(), new.ty.as_deref(), self.both);
            let writable = before.write.is_some() && after.write.is_some();
            let breaks = match result {
                Change::Same => None,
                Change::Narrower if !writable => Some(Breaks::Implementers),
                _ => Some(Breaks::Callers),
            };
            if breaks.is_some() {
                let message = format!(
                    "{name}.{} was {} and is {}",
                    old.name,
                    shown(old),
                    shown(new)
                );
                self.report("field-type-changed", breaks, Some(new), &message);
            }
            if old.is(Mark::Const) && old.is(Mark::Static) && !new.is(Mark::Const) {
                let message = format!("{name}.{} is no longer const", old.name);
                self.report("const-lost", None, Some(new), &message);
            }
        }
        if before.write.is_some() && after.write.is_none() {
            let new = after.any();
            let message = format!(
                "{name}.{} can no longer be set",
                new.map_or("", |new| &new.name)
            );
            self.report("setter-removed", None, new, &message);
        }
        if before.read.is_some() && after.read.is_none() {
            let message = format!(
                "{name}.{} can no longer be read",
                after.any().map_or("", |new| &new.name)
            );
            self.report("member-removed", None, after.any(), &message);
        }
    }

    /// What no compiler sees.
    pub(super) fn notes(&mut self, old: &Member, new: &Member) {
        let name = &self.old.decl.name;
        if old.deprecated.is_none() && new.deprecated.is_some() {
            let message = format!("{name}.{} is deprecated", new.name);
            self.report("deprecated", None, Some(new), &message);
        }
        let grown = |old: &BTreeSet<String>, new: &BTreeSet<String>| -> Vec<String> {
            new.difference(old).cloned().collect()
        };
        let throws = grown(&old.throws, &new.throws);
        if !throws.is_empty() {
            let message = format!("{name}.{} now throws {}", new.name, throws.join(", "));
            self.report("throws-grew", None, Some(new), &message);
        }
        let effects = grown(&old.effects, &new.effects);
        if !effects.is_empty() {
            let message = format!("{name}.{} now touches {}", new.name, effects.join(", "));
            self.report("effects-grew", None, Some(new), &message);
        }
    }

    fn constructors(&mut self) {
        let old = self.old.made_by();
        let new = self.new.made_by();
        let owner = &self.old.decl.name;
        for before in &old {
            let name = rest(&before.name);
            let mut same = new.iter().filter(|after| rest(&after.name) == name);
            // Overloads: the same one on both sides is no change.
            if same.clone().any(|after| after.params == before.params) && same.clone().count() > 1 {
                continue;
            }
            let Some(after) = same.next() else {
                let shown = if name.is_empty() {
                    owner.clone()
                } else {
                    format!("{owner}.{name}")
                };
                let message = format!("the constructor {shown} is gone");
                self.report_gone("constructor-removed", None, before, &message);
                continue;
            };
            self.signature(before, after);
            if before.is(Mark::Const) && !after.is(Mark::Const) {
                let message = format!("the constructor {} is no longer const", after.name);
                self.report("const-lost", None, Some(after), &message);
            }
        }
    }

    fn values(&mut self) {
        let name = &self.old.decl.name;
        let values = |contract: &'a super::Contract| -> BTreeMap<&'a str, &'a Member> {
            let members = contract.decl.members.iter();
            let values = members.filter(|member| member.kind == MemberKind::Value);
            values.map(|member| (&*member.name, member)).collect()
        };
        let (old, new) = (values(self.old), values(self.new));
        for (value, member) in old.iter().filter(|(value, _)| !new.contains_key(*value)) {
            let message = format!("{name}.{value} is gone");
            self.report_gone("value-removed", None, member, &message);
        }
        for (value, member) in new.iter().filter(|(value, _)| !old.contains_key(*value)) {
            let message = format!("{name}.{value} was added");
            self.report("value-added", None, Some(member), &message);
        }
    }
}

impl super::Contract {
    /// Its constructors, the implicit one among them.
    pub(super) fn made_by(&self) -> Vec<Member> {
        let constructors = self
            .decl
            .members
            .iter()
            .filter(|member| member.kind == MemberKind::Constructor);
        let mut constructors: Vec<Member> = constructors.cloned().collect();
        if self.implicit_constructor && !self.decl.modifiers.contains("abstract") {
            constructors.push(Member::new(
                &*self.decl.name,
                MemberKind::Constructor,
                self.decl.line,
            ));
        }
        constructors
    }

    /// A concrete class that nobody declared an interface: adding to it asks nothing of implementers
    /// that extend it.
    fn implicit_and_made(&self) -> bool {
        self.decl.kind == TypeKind::Enum
    }
}

fn rest(constructor: &str) -> &str {
    constructor.split_once('.').map_or("", |(_, name)| name)
}

fn offers<'a>(members: impl Iterator<Item = &'a Member>) -> Offers<'a> {
    let mut offers: Offers<'a> = BTreeMap::new();
    for member in members {
        let name = member.name.as_str();
        match member.kind {
            MemberKind::Constructor | MemberKind::Value => {}
            MemberKind::Method => offers.entry(name).or_default().method = Some(member),
            MemberKind::Getter => offers.entry(name).or_default().read = Some(member),
            MemberKind::Setter => offers.entry(name).or_default().write = Some(member),
            MemberKind::Field => {
                let offer = offers.entry(name).or_default();
                offer.read = offer.read.or(Some(member));
                if !member.is(Mark::Final) && !member.is(Mark::Const) {
                    offer.write = offer.write.or(Some(member));
                }
            }
        }
    }
    offers
}

/// The same signature, and a sign that it is the same thing: equal parameters, or a common word.
fn is_same_but_name(old: &Member, new: &Member) -> bool {
    let types = |member: &Member| -> Vec<_> {
        let params = member.params.iter();
        params
            .map(|param| (param.ty.clone(), param.passing, param.required))
            .collect()
    };
    let names = |member: &Member| -> Vec<String> {
        member
            .params
            .iter()
            .map(|param| param.name.clone())
            .collect()
    };
    old.kind == new.kind
        && old.ty == new.ty
        && old.is(Mark::Static) == new.is(Mark::Static)
        && types(old) == types(new)
        && old.generics.len() == new.generics.len()
        && ((!old.params.is_empty() && names(old) == names(new))
            || share_words(&old.name, &new.name))
}

/// Whether more than half of the words of either name are in the other.
fn share_words(old: &str, new: &str) -> bool {
    let (old, new) = (words(old), words(new));
    let most = old.len().max(new.len());
    most > 0 && old.intersection(&new).count() * 2 > most
}

/// Words of a name in camel or snake case, without the short ones that any name may have.
fn words(name: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut word = String::new();
    for letter in name.chars().chain(['_']) {
        if letter == '_' || letter.is_uppercase() {
            let whole = std::mem::take(&mut word);
            if whole.len() > 3 {
                words.insert(whole);
            }
        }
        if letter != '_' {
            word.extend(letter.to_lowercase());
        }
    }
    words
}

fn shown(member: &Member) -> &str {
    member.ty.as_deref().unwrap_or("of an inferred type")
}

impl Pair<'_> {
    pub(super) fn generics(&mut self, old: &Member, new: &Member) {
        if generics_differ(&old.generics, &new.generics, self.both) {
            let message = format!(
                "{}.{} took <{}> and takes <{}>",
                self.old.decl.name,
                old.name,
                old.generics.join(", "),
                new.generics.join(", ")
            );
            self.report("generics-changed", None, Some(new), &message);
        }
    }
}
