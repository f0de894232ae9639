//! Signatures before and after: parameters and results.

use super::super::model::{Mark, Member, MemberKind, Param, Passing};
use super::super::rules::Breaks;
use super::super::types::{Change, change, head, is_void, substitute};
use super::Pair;

impl Pair<'_> {
    /// Compares two methods, or two constructors.
    pub(super) fn signature(&mut self, old: &Member, new: &Member) {
        if (&old.generics, &old.params, &old.ty) == (&new.generics, &new.params, &new.ty) {
            return;
        }
        self.generics(old, new);
        let renamed = same_generics(old, new);
        let before = positional(old);
        let after = positional(new);
        match movement(&before, &after) {
            Movement::None => self.positional(&before, &after, (old, new)),
            Movement::Shifted => self.shifted(&before, &after, (old, new)),
            Movement::Reordered => {
                let message = format!(
                    "{} took ({}) and takes ({})",
                    self.shown(new),
                    names(&before),
                    names(&after)
                );
                self.report("parameters-reordered", whom(new), Some(new), &message);
            }
        }
        self.named(old, new, &before, &after);
        self.result(old, &renamed, new);
    }

    fn positional(&mut self, before: &[&Param], after: &[&Param], (old, new): (&Member, &Member)) {
        for (at, param) in before.iter().enumerate() {
            match after.get(at) {
                Some(now) => self.param(param, now, old, new),
                None if named(new, &param.name).is_some() => {
                    let message = format!("{} takes {} by name now", self.shown(new), param.name);
                    self.report("parameter-passing-changed", whom(new), Some(new), &message);
                }
                None => {
                    let message = format!("{} no longer takes {}", self.shown(new), param.name);
                    self.report("parameter-removed", whom(new), Some(new), &message);
                }
            }
        }
        for param in after.get(before.len()..).unwrap_or_default() {
            if named(old, &param.name).is_some() {
                let message = format!("{} takes {} by place now", self.shown(new), param.name);
                self.report("parameter-passing-changed", whom(new), Some(new), &message);
            } else {
                self.added_param(param, new);
            }
        }
    }

    /// Something was inserted before others, or taken away before them: the rest goes by name.
    fn shifted(&mut self, before: &[&Param], after: &[&Param], (old, new): (&Member, &Member)) {
        for param in before {
            if let Some(now) = after.iter().find(|now| now.name == param.name) {
                self.param(param, now, old, new);
            } else if named(new, &param.name).is_some() {
                let message = format!("{} takes {} by name now", self.shown(new), param.name);
                self.report("parameter-passing-changed", whom(new), Some(new), &message);
            } else {
                let message = format!("{} no longer takes {}", self.shown(new), param.name);
                self.report("parameter-removed", whom(new), Some(new), &message);
            }
        }
        for param in after
            .iter()
            .filter(|now| before.iter().all(|old| old.name != now.name))
        {
            let message = format!("{} takes {} before others", self.shown(new), param.name);
            self.report("required-parameter-added", whom(new), Some(new), &message);
        }
    }

    fn named(&mut self, old: &Member, new: &Member, before: &[&Param], after: &[&Param]) {
        for param in old
            .params
            .iter()
            .filter(|param| param.passing == Passing::Named)
        {
            if let Some(now) = named(new, &param.name) {
                self.param(param, now, old, new);
            } else if after.iter().all(|now| now.name != param.name) {
                let message = format!("{} no longer takes {}", self.shown(new), param.name);
                self.report("parameter-removed", whom(new), Some(new), &message);
            }
        }
        for param in new
            .params
            .iter()
            .filter(|param| param.passing == Passing::Named)
        {
            let was_named = named(old, &param.name).is_some();
            if !was_named && before.iter().all(|old| old.name != param.name) {
                self.added_param(param, new);
            }
        }
    }

    fn added_param(&mut self, param: &Param, new: &Member) {
        if param.required {
            let message = format!("{} must be given {}", self.shown(new), param.name);
            self.report("required-parameter-added", whom(new), Some(new), &message);
        } else if self.has_implementers(new) {
            let message = format!("{} may be given {}", self.shown(new), param.name);
            self.report("optional-parameter-added", None, Some(new), &message);
        }
    }

    /// One parameter that both sides have.
    fn param(&mut self, before: &Param, now: &Param, old: &Member, new: &Member) {
        let shown = format!("{} of {}", now.name, self.shown(new));
        if !before.required && now.required {
            let message = format!("{shown} could be left out and must be passed");
            self.report("parameter-required", whom(new), Some(new), &message);
        } else if before.required && !now.required && self.has_implementers(new) {
            let message = format!("{shown} had to be passed and may be left out");
            self.report("parameter-optional", None, Some(new), &message);
        }
        let words = same_generics(old, new);
        let was = before.ty.as_deref().map(|ty| substitute(ty, &words));
        let (was, is) = (was.as_deref(), now.ty.as_deref());
        let message = format!(
            "{shown} took {} and takes {}",
            was.unwrap_or("?"),
            is.unwrap_or("?")
        );
        match change(was, is, self.both) {
            Change::Wider if self.has_implementers(new) => {
                self.report("parameter-type-widened", None, Some(new), &message);
            }
            Change::Same | Change::Wider => {}
            Change::Narrower => {
                self.report("parameter-type-narrowed", whom(new), Some(new), &message);
            }
            Change::Other => {
                self.report("parameter-type-changed", whom(new), Some(new), &message);
            }
        }
        if before.default != now.default && before.default.is_some() && now.default.is_some() {
            let message = format!(
                "{shown} was {} by default and is {}",
                before.default.as_deref().unwrap_or("null"),
                now.default.as_deref().unwrap_or("null")
            );
            self.report("default-changed", None, Some(new), &message);
        }
        self.identity(before, now, new);
    }

    /// A positional parameter that now means another identity, although the types agree.
    fn identity(&mut self, before: &Param, now: &Param, new: &Member) {
        if before.passing == Passing::Named || before.name == now.name {
            return;
        }
        let word = |name: &str| self.options.protected_word(name);
        if let (Some(old_word), Some(new_word)) = (word(&before.name), word(&now.name))
            && old_word != new_word
        {
            let message = format!(
                "{} took {} and takes {} in its place: callers go on to pass the old one",
                self.shown(new),
                before.name,
                now.name
            );
            self.report("identity-parameter-renamed", whom(new), Some(new), &message);
        }
    }

    fn result(&mut self, old: &Member, words: &[(String, String)], new: &Member) {
        if old.kind == MemberKind::Constructor {
            return;
        }
        let was = old.ty.as_deref().map(|ty| substitute(ty, words));
        let (was, is) = (was.as_deref(), new.ty.as_deref());
        let message = format!(
            "{} returned {} and returns {}",
            self.shown(new),
            was.unwrap_or("?"),
            is.unwrap_or("?")
        );
        let rule = match change(was, is, self.both) {
            Change::Same => return,
            _ if was.is_some_and(is_async) && !is.is_some_and(is_async) => "return-type-changed",
            _ if was.is_some_and(|was| !is_async(was)) && is.is_some_and(is_async) => {
                "return-type-async"
            }
            Change::Wider if !is_void(is) || !is_void(was) => "return-type-widened",
            Change::Narrower if !is_void(was) => {
                if self.has_implementers(new) {
                    self.report("return-type-narrowed", None, Some(new), &message);
                }
                return;
            }
            _ => "return-type-changed",
        };
        self.report(rule, None, Some(new), &message);
    }

    fn has_implementers(&self, member: &Member) -> bool {
        let sealed = self
            .new
            .decl
            .modifiers
            .iter()
            .any(|word| word == "final" || word == "sealed");
        member.kind != MemberKind::Constructor && !member.is(Mark::Static) && !sealed
    }

    fn shown(&self, member: &Member) -> String {
        if member.kind == MemberKind::Constructor {
            return format!("the constructor {}", member.name);
        }
        format!("{}.{}", self.old.decl.name, member.name)
    }
}

/// A break of a constructor breaks the wiring.
fn whom(member: &Member) -> Option<Breaks> {
    (member.kind == MemberKind::Constructor).then_some(Breaks::Wiring)
}

fn positional(member: &Member) -> Vec<&Param> {
    let params = member.params.iter();
    params
        .filter(|param| param.passing == Passing::Positional)
        .collect()
}

fn named<'m>(member: &'m Member, name: &str) -> Option<&'m Param> {
    let mut params = member
        .params
        .iter()
        .filter(|param| param.passing == Passing::Named);
    params.find(|param| param.name == name)
}

fn names(params: &[&Param]) -> String {
    let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
    names.join(", ")
}

/// What happened to the places of positional parameters that both sides name.
enum Movement {
    None,
    /// The same order, at other places.
    Shifted,
    /// Another order.
    Reordered,
}

fn movement(before: &[&Param], after: &[&Param]) -> Movement {
    let place = |name: &str| after.iter().position(|param| param.name == name);
    let places: Vec<(usize, usize)> = before
        .iter()
        .enumerate()
        .filter_map(|(at, param)| Some((at, place(&param.name)?)))
        .collect();
    if !places.is_sorted_by_key(|(_, now)| *now) {
        Movement::Reordered
    } else if places.iter().any(|(at, now)| at != now) {
        Movement::Shifted
    } else {
        Movement::None
    }
}

/// Type parameters of a member by the names that the new side gives them.
fn same_generics(old: &Member, new: &Member) -> Vec<(String, String)> {
    let name = |generic: &String| generic.split([' ', ':']).next().unwrap_or("").to_owned();
    let pairs = old
        .generics
        .iter()
        .map(name)
        .zip(new.generics.iter().map(name));
    pairs.filter(|(old, new)| old != new).collect()
}

fn is_async(ty: &str) -> bool {
    matches!(head(ty).0, "Future" | "FutureOr" | "Stream" | "Promise")
}
