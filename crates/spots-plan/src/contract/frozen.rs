//! Frozen contracts: reviewable text, one member a line.
//!
//! ```text
//! # spots contract 1
//! # Frozen by `spots contract freeze`. …
//! version 2.1.0
//! language dart
//!
//! service PaymentService
//! source lib/services/payment_service.dart
//! kind class
//! method [documented] charge(userId: String, {required amount: int}): Future<Receipt> ! PaymentException ~ network
//! ```
//!
//! `!` lists what is thrown, `~` side effects, `@` the text of a deprecation. Types that the service's
//! signatures mention follow as `type` blocks.

mod line;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::model::{Contract, How, Inherited, Mark, Snapshot, Super, TypeDecl, TypeKind};
use super::notation::split;
use super::openapi;

const FIRST_LINE: &str = "# spots contract 1";
const SECOND_LINE: &str = "# Frozen by `spots contract freeze`. Do not edit: a changed service is frozen at a new version.";
/// The language whose contracts have lines of their own.
const OPENAPI: &str = "openapi";
/// Larger contract files are refused; the largest class that people wrote comes to a tenth.
pub const BYTES_MAX: usize = 4 * 1024 * 1024;

/// One service as frozen at a version, with the types that it mentions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// MAJOR.MINOR.PATCH.
    pub version: String,
    /// The language of its source.
    pub language: String,
    /// The service.
    pub service: Contract,
    /// Types that its signatures mention.
    pub types: Vec<Contract>,
}

/// Why a contract file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct FrozenError {
    /// From 1.
    pub line: usize,
    /// In lowercase, with what to do.
    pub reason: String,
}

impl Frozen {
    /// A service with those types of a snapshot that it mentions.
    pub fn new(version: &str, language: &str, service: &Contract, snapshot: &Snapshot) -> Self {
        let names = super::world::mentioned(service);
        let direct = snapshot.types.iter();
        let direct: Vec<&Contract> = direct.filter(|ty| service.means(&names, ty)).collect();
        let further: Vec<_> = direct
            .iter()
            .map(|ty| (*ty, super::world::mentioned(ty)))
            .collect();
        let mentioned = |ty: &&Contract| {
            let by_others = || further.iter().any(|(other, names)| other.means(names, ty));
            direct.contains(ty)
                || (ty.decl.kind == TypeKind::Enum && (service.means(&names, ty) || by_others()))
        };
        Self {
            version: version.to_owned(),
            language: language.to_owned(),
            service: service.clone(),
            types: snapshot.types.iter().filter(mentioned).cloned().collect(),
        }
    }

    /// The text of its file.
    pub fn render(&self) -> String {
        let mut out = format!(
            "{FIRST_LINE}\n{SECOND_LINE}\nversion {}\nlanguage {}\n",
            self.version, self.language
        );
        render_contract(&mut out, "service", &self.service);
        for ty in &self.types {
            render_contract(&mut out, "type", ty);
        }
        out
    }

    /// Reads the text of a contract file.
    pub fn parse(text: &str) -> Result<Self, FrozenError> {
        let fail = |line: usize, reason: &str| FrozenError {
            line,
            reason: reason.to_owned(),
        };
        if text.len() > BYTES_MAX {
            return Err(fail(1, "the file is too large for a contract"));
        }
        if !text.starts_with(FIRST_LINE) {
            return Err(fail(
                1,
                "this is no contract of form 1; freeze the service again",
            ));
        }
        let mut version = None;
        let mut language = None;
        let mut contracts: Vec<(bool, Contract)> = Vec::new();
        let mut of_api = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "version" => version = Some(rest.to_owned()),
                "language" => language = Some(rest.to_owned()),
                "service" | "type" => contracts.push((word == "service", empty(rest))),
                _ if language.as_deref() == Some(OPENAPI) && !matches!(word, "source" | "kind") => {
                    of_api.push((number + 1, line));
                }
                _ => {
                    let Some((_, contract)) = contracts.last_mut() else {
                        return Err(fail(number + 1, "a member stands before any service"));
                    };
                    line::read(contract, word, rest).map_err(|reason| fail(number + 1, &reason))?;
                }
            }
        }
        let (services, types): (Vec<_>, Vec<_>) = contracts
            .into_iter()
            .partition(|(is_service, _)| *is_service);
        let mut services = services.into_iter().map(|(_, service)| service);
        let (Some(mut service), None) = (services.next(), services.next()) else {
            return Err(fail(1, "a contract file holds exactly one service"));
        };
        if language.as_deref() == Some(OPENAPI) {
            openapi::parse(&mut service, of_api.into_iter())
                .map_err(|(line, reason)| fail(line, &reason))?;
        }
        Ok(Self {
            version: version.ok_or_else(|| fail(1, "the version is missing"))?,
            language: language.ok_or_else(|| fail(1, "the language is missing"))?,
            service,
            types: types.into_iter().map(|(_, ty)| ty).collect(),
        })
    }
}

impl From<Frozen> for Snapshot {
    fn from(frozen: Frozen) -> Self {
        Self {
            services: vec![frozen.service],
            types: frozen.types,
            further: Vec::new(),
        }
    }
}

fn empty(name: &str) -> Contract {
    Contract {
        file: String::new(),
        decl: TypeDecl::new(name, TypeKind::Class, 1),
        inherited: Vec::new(),
        outside: BTreeSet::new(),
        above: BTreeSet::new(),
        implicit_constructor: false,
        meant: BTreeMap::new(),
    }
}

fn render_contract(out: &mut String, word: &str, contract: &Contract) {
    let decl = &contract.decl;
    let mut line = |text: String| writeln!(out, "{text}").expect("writing to a string cannot fail");
    line(format!("\n{word} {}", decl.name));
    line(format!("source {}", contract.file));
    line(format!("kind {}", decl.kind.as_str()));
    if let Some(api) = &decl.api {
        openapi::render(out, api);
        return;
    }
    let modifiers: Vec<&str> = decl.modifiers.iter().map(String::as_str).collect();
    let lists = [
        ("modifiers", modifiers.join(" ")),
        ("generics", decl.generics.join(", ")),
        ("above", joined(&contract.above)),
        ("outside", joined(&contract.outside)),
    ];
    for (word, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
        line(format!("{word} {list}"));
    }
    for above in &decl.supers {
        line(format!("{} {}", above.how.as_str(), above.ty));
    }
    if let Some(words) = &decl.deprecated {
        line(format!("deprecated {words}").trim_end().to_owned());
    }
    if decl.marks.contains(&Mark::Documented) {
        line("documented".to_owned());
    }
    if contract.implicit_constructor {
        line("implicit-constructor".to_owned());
    }
    for member in &decl.members {
        line(line::render(member));
    }
    for Inherited { from, member, .. } in &contract.inherited {
        line(format!("inherited {from} {}", line::render(member)));
    }
}

fn joined(names: &BTreeSet<String>) -> String {
    names
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

fn names(list: &str) -> BTreeSet<String> {
    split(list, ',').into_iter().map(str::to_owned).collect()
}

fn above(how: How, ty: &str) -> Super {
    Super {
        how,
        ty: ty.to_owned(),
    }
}
