//! What can be said of one file, member or import by itself.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::contract::model::{Contract, Mark, Member, MemberKind, Unit};
use crate::contract::types::{names_in, substitute};
use crate::contract::{dart, rust, typescript};
use crate::parse::{LINE_BYTES_MAX, lines_of, with_short_lines};
use crate::tree::Language;

/// Folders and endings of what is not shipped: tests, and code that a generator wrote.
const NOT_SHIPPED_FOLDERS: [&str; 9] = [
    "test",
    "tests",
    "test_driver",
    "integration_test",
    "__tests__",
    "node_modules",
    "__mocks__",
    "benches",
    "examples",
];
const NOT_SHIPPED_ENDINGS: [&str; 11] = [
    ".g.dart",
    ".freezed.dart",
    ".mocks.dart",
    ".gr.dart",
    ".config.dart",
    "_test.dart",
    ".test.ts",
    ".spec.ts",
    ".d.ts",
    ".test.tsx",
    ".spec.tsx",
];

/// Every type that the contract's signatures name.
pub(in crate::contract) fn mentioned(contract: &Contract) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    // The schemas of an API are its own.
    let members = contract.members();
    for member in members.filter(|_| contract.decl.api.is_none()) {
        names.extend(named_by(member));
    }
    names
}

/// The types that a member's signature names.
pub(super) fn named_by(member: &Member) -> impl Iterator<Item = String> {
    let types = member.params.iter().filter_map(|param| param.ty.as_deref());
    types.chain(member.ty.as_deref()).flat_map(names_in)
}

/// Reads one file of any language that contracts know.
pub(super) fn extract(language: Language, text: &str) -> Unit {
    let short = match with_short_lines(language, text) {
        Ok(short) => short,
        Err(line) => {
            let reason = format!("more than {LINE_BYTES_MAX} bytes of code in one line; break it");
            return Unit {
                refused: Some((line, reason)),
                ..Unit::default()
            };
        }
    };
    let mut unit = match language {
        Language::Dart => dart::extract(&short),
        Language::Rust => rust::extract(&short),
        Language::TypeScript | Language::Tsx | Language::JavaScript => {
            typescript::extract(language, &short)
        }
        _ => Unit::default(),
    };
    if let Cow::Owned(broken) = &short {
        unit.move_lines(&lines_of(text, broken));
    }
    unit
}

pub(super) fn shipped(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    !folders
        .split('/')
        .any(|folder| NOT_SHIPPED_FOLDERS.contains(&folder))
        && !NOT_SHIPPED_ENDINGS
            .iter()
            .any(|ending| path.ends_with(ending))
}

pub(super) fn is_public(member: &Member) -> bool {
    let name = match member.kind {
        MemberKind::Constructor => member.name.split_once('.').map_or("", |(_, name)| name),
        _ => member.name.as_str(),
    };
    !name.starts_with('_') && !member.is(Mark::Hidden)
}

pub(super) fn is_inherited(member: &Member) -> bool {
    let of_instance = !matches!(member.kind, MemberKind::Constructor | MemberKind::Value);
    of_instance && !member.is(Mark::Static) && is_public(member)
}

pub(super) fn with_words(member: &Member, words: &[(String, String)]) -> Member {
    let mut member = member.clone();
    member.ty = member.ty.map(|ty| substitute(&ty, words));
    for param in &mut member.params {
        param.ty = param.ty.take().map(|ty| substitute(&ty, words));
    }
    member
}

/// Whether an import as written may mean this file: the ends agree. TypeScript leaves out the ending.
pub(super) fn is_import_of(import: &str, path: &str) -> bool {
    let script = path
        .strip_suffix(".ts")
        .or_else(|| path.strip_suffix(".tsx"));
    let path = script.map_or(path, |stem| stem.strip_suffix("/index").unwrap_or(stem));
    let import = match script {
        Some(_) => [".js", ".ts", ".tsx", "/index"]
            .into_iter()
            .find_map(|end| import.strip_suffix(end))
            .unwrap_or(import),
        None => import,
    };
    let end = match import.strip_prefix("package:") {
        Some(package) => package.split_once('/').map_or(package, |(_, rest)| rest),
        None => import.trim_start_matches("./").trim_start_matches("../"),
    };
    path == end
        || path
            .strip_suffix(end)
            .is_some_and(|before| before.ends_with('/'))
}
