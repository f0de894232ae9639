//! Which service of the old side is which of the new one.

use std::collections::{BTreeMap, BTreeSet};

use spots_findings::Unreadable;

use super::super::model::{Contract, MemberKind, TypeKind};
use super::super::world::mentioned as mentions;

/// Of ten members this many must survive for a rename; fewer is a removal.
const RENAME_TENTHS_MIN: usize = 8;
/// A type with fewer members is too small to be recognised by them.
const RENAME_MEMBERS_MIN: usize = 2;

/// All services, paired or not.
#[derive(Default)]
pub(super) struct Paired<'a> {
    pub(super) same: Vec<(&'a Contract, &'a Contract)>,
    pub(super) renamed: Vec<(&'a Contract, &'a Contract)>,
    pub(super) removed: Vec<&'a Contract>,
    pub(super) ambiguous: Vec<Unreadable>,
}

pub(super) fn pair<'a>(
    old: &[&'a Contract],
    new: &[&'a Contract],
    others: &[&'a Contract],
) -> Paired<'a> {
    let mut paired = Paired::default();
    let before = by_name(old);
    let after = by_name(new);
    let mut gone = Vec::new();
    for (name, olds) in &before {
        match (
            olds.as_slice(),
            after.get(name).map_or(&[][..], Vec::as_slice),
        ) {
            (olds, []) => gone.extend(olds.iter().copied()),
            ([old], [new]) => paired.same.push((old, new)),
            (olds, news) => several(name, olds, news, &mut paired),
        }
    }
    if gone.is_empty() {
        return paired;
    }
    let added: Vec<&Contract> = new
        .iter()
        .chain(others)
        .copied()
        .filter(|contract| !before.contains_key(contract.decl.name.as_str()))
        .collect();
    let mut taken = BTreeSet::new();
    for old in gone {
        if old.decl.api.is_some() {
            match api(old, &added, &taken) {
                Some(new) => {
                    taken.insert((&*new.file, &*new.decl.name));
                    paired.same.push((old, new));
                }
                None => paired.removed.push(old),
            }
            continue;
        }
        if let Some(target) = still_there(old, new, others) {
            paired.same.push((old, target));
            continue;
        }
        let mut fits = added
            .iter()
            .filter(|new| !taken.contains(&(&*new.file, &*new.decl.name)))
            .filter(|new| new.decl.kind != TypeKind::Alias && is_rename(old, new));
        match (fits.next(), fits.next()) {
            (Some(new), None) => {
                taken.insert((&*new.file, &*new.decl.name));
                paired.renamed.push((old, new));
            }
            _ => paired.removed.push(old),
        }
    }
    paired
}

/// A service that is there as a type of another kind, or behind an alias.
fn still_there<'a>(
    old: &Contract,
    new: &[&'a Contract],
    others: &[&'a Contract],
) -> Option<&'a Contract> {
    let all: Vec<&Contract> = others
        .iter()
        .copied()
        .filter(|other| other.decl.name == old.decl.name)
        .collect();
    let still = match all.as_slice() {
        [only] => only,
        several => several.iter().find(|other| other.file == old.file)?,
    };
    if still.decl.kind != TypeKind::Alias {
        return Some(still);
    }
    let target = &still.decl.supers.first()?.ty;
    let mut all = new.iter().chain(others);
    all.find(|other| other.decl.name == *target).copied()
}

/// An API whose document has another title: the one of the same file, or the only one.
fn api<'a>(
    old: &Contract,
    added: &[&'a Contract],
    taken: &BTreeSet<(&str, &str)>,
) -> Option<&'a Contract> {
    let free = |new: &&&Contract| {
        new.decl.api.is_some() && !taken.contains(&(&*new.file, &*new.decl.name))
    };
    let mut apis: Vec<&Contract> = added.iter().filter(free).copied().collect();
    if let Some(same) = apis.iter().find(|new| new.file == old.file) {
        return Some(same);
    }
    let only = apis.pop();
    only.filter(|_| apis.is_empty())
}

fn by_name<'a>(contracts: &[&'a Contract]) -> BTreeMap<&'a str, Vec<&'a Contract>> {
    let mut names: BTreeMap<&str, Vec<&Contract>> = BTreeMap::new();
    for contract in contracts {
        names.entry(&contract.decl.name).or_default().push(contract);
    }
    names
}

/// Services that share a name: told apart by file, then by shape, else refused.
fn several<'a>(name: &str, olds: &[&'a Contract], news: &[&'a Contract], out: &mut Paired<'a>) {
    let (olds, news) = told_apart(olds, news, out);
    for old in olds {
        if news.is_empty() {
            out.removed.push(old);
            continue;
        }
        out.ambiguous.push(Unreadable {
            path: old.file.clone(),
            reason: format!(
                "several services are called {name}, and this one cannot be told from the others; \
                 give them different names, or name one by its file"
            ),
        });
    }
}

/// Types of one name that signatures mention: those that these services mean, told apart as services
/// are. A type that no service is known to mean is compared only where it is certain.
pub(super) fn twins<'a>(
    name: &str,
    (before, after): (&[&'a Contract], &[&'a Contract]),
    olds: &[&'a Contract],
    news: &[&'a Contract],
) -> Paired<'a> {
    let mut paired = Paired::default();
    let (olds, certain) = narrowed(name, before, olds);
    let (news, _) = narrowed(name, after, news);
    if let ([old], [new]) = (olds.as_slice(), news.as_slice()) {
        paired.same.push((old, new));
        return paired;
    }
    let (olds, news) = told_apart(&olds, &news, &mut paired);
    let left = olds.into_iter().filter(|_| certain && !news.is_empty());
    let reason = format!(
        "several types are called {name}, and this one cannot be told from the others; give them \
         different names"
    );
    paired.ambiguous.extend(left.map(|old| Unreadable {
        path: old.file.clone(),
        reason: reason.clone(),
    }));
    paired
}

/// Of types with one name those that services mean, where all services tell; and whether they do.
fn narrowed<'a>(
    name: &str,
    services: &[&'a Contract],
    types: &[&'a Contract],
) -> (Vec<&'a Contract>, bool) {
    if types.len() < 2 {
        return (types.to_vec(), true);
    }
    let mut files = BTreeSet::new();
    let mut mentioned = false;
    for service in services {
        match service.meant.get(name) {
            Some(file) => {
                mentioned = true;
                files.extend(file.as_deref());
            }
            None if mentions(service).contains(name) => return (types.to_vec(), false),
            None => {}
        }
    }
    if !mentioned {
        return (types.to_vec(), false);
    }
    let meant = types.iter().filter(|ty| files.contains(ty.file.as_str()));
    (meant.copied().collect(), true)
}

/// Pairs by file, then by shape; gives back what is left.
fn told_apart<'a>(
    olds: &[&'a Contract],
    news: &[&'a Contract],
    out: &mut Paired<'a>,
) -> (Vec<&'a Contract>, Vec<&'a Contract>) {
    let mut olds: Vec<&Contract> = olds.to_vec();
    let mut news: Vec<&Contract> = news.to_vec();
    olds.retain(|old| {
        let at = news.iter().position(|new| new.file == old.file);
        at.is_none_or(|at| {
            out.same.push((old, news.remove(at)));
            false
        })
    });
    olds.retain(|old| {
        let fits: Vec<usize> = news
            .iter()
            .enumerate()
            .filter(|(_, new)| is_rename(old, new))
            .map(|(at, _)| at)
            .collect();
        if let [at] = fits.as_slice() {
            out.same.push((old, news.remove(*at)));
            return false;
        }
        true
    });
    (olds, news)
}

fn is_rename(old: &Contract, new: &Contract) -> bool {
    let names = |contract: &Contract| -> BTreeSet<(String, MemberKind)> {
        contract
            .members()
            .filter(|member| member.kind != MemberKind::Constructor)
            .map(|member| (member.name.clone(), member.kind))
            .collect()
    };
    let (old, new) = (names(old), names(new));
    let most = old.len().max(new.len());
    let shared = old.intersection(&new).count();
    most >= RENAME_MEMBERS_MIN && shared * 10 >= most * RENAME_TENTHS_MIN
}
