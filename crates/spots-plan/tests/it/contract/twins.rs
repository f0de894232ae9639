//! Types of one name in several files: told apart by what each file imports, or refused.

use spots_plan::contract::diff::{DiffOptions, compare};
use spots_plan::contract::frozen::Frozen;
use spots_plan::contract::{Contract, Snapshot};

use super::{diff, snapshots};

type Files<'a> = Vec<(&'a str, &'a str)>;

/// Two crates that each have a `Verdict`, and a service that hands out the findings' one.
fn two_crates<'a>(service: &'a str, findings: &'a str, privacy: &'a str) -> Files<'a> {
    vec![
        ("crates/gate/src/lib.rs", service),
        ("crates/gate/Cargo.toml", "[package]\nname = \"gate\"\n"),
        (
            "crates/found/src/lib.rs",
            "mod verdict;\npub use verdict::Verdict;\n",
        ),
        ("crates/found/src/verdict.rs", findings),
        (
            "crates/found/Cargo.toml",
            "[package]\nname = \"acme-findings\"\n",
        ),
        ("crates/privacy/src/lib.rs", privacy),
    ]
}

const SERVICE: &str = "use acme_findings::Verdict;\npub struct GateService;\n\
    impl GateService { pub fn judge(&self) -> Verdict { todo() } }\n";
const FINDINGS: &str = "pub enum Verdict { Clean, Found, Unknown }\n\
    impl Verdict { pub fn code(self) -> u8 { 0 } pub fn holds(self) -> bool { true } }\n";
const PRIVACY: &str = "pub struct Verdict { pub signed: bool }\n\
    impl Verdict { pub fn signer(&self) -> String { todo() } }\n";

fn rules(old: &Files<'_>, new: &Files<'_>) -> Vec<String> {
    let compared = diff(old, new);
    assert!(compared.unreadable.is_empty(), "{:?}", compared.unreadable);
    let mut rules: Vec<String> = compared
        .findings
        .into_iter()
        .map(|found| found.rule)
        .collect();
    rules.sort();
    rules
}

fn types_of<'s>(snapshot: &'s Snapshot, name: &str) -> Vec<&'s Contract> {
    snapshot
        .types
        .iter()
        .filter(|ty| ty.decl.name == name)
        .collect()
}

fn frozen(files: &Files<'_>) -> Frozen {
    let (snapshot, _) = snapshots(files, files);
    let service = snapshot.services.first().expect("the service");
    let text = Frozen::new("1.0.0", "rust", service, &snapshot).render();
    Frozen::parse(&text).expect("it reads back")
}

#[test]
fn blocks_belong_to_the_type_of_their_crate() {
    let files = two_crates(SERVICE, FINDINGS, PRIVACY);
    let (snapshot, _) = snapshots(&files, &files);
    let members = |file: &str| -> Vec<String> {
        let types = types_of(&snapshot, "Verdict");
        let ty = types
            .into_iter()
            .find(|ty| ty.file == file)
            .expect("both are there");
        ty.members().map(|member| member.name.clone()).collect()
    };
    assert_eq!(
        members("crates/found/src/verdict.rs"),
        ["Clean", "Found", "Unknown", "code", "holds"]
    );
    assert_eq!(members("crates/privacy/src/lib.rs"), ["signed", "signer"]);
}

#[test]
fn only_the_type_that_the_service_means_is_frozen() {
    let frozen = frozen(&two_crates(SERVICE, FINDINGS, PRIVACY));
    let files: Vec<&str> = frozen.types.iter().map(|ty| ty.file.as_str()).collect();
    assert_eq!(files, ["crates/found/src/verdict.rs"]);
}

#[test]
fn what_changes_in_the_other_crate_is_no_news() {
    let old = two_crates(SERVICE, FINDINGS, PRIVACY);
    let new = two_crates(SERVICE, FINDINGS, "pub struct Verdict;\n");
    assert_eq!(rules(&old, &new), Vec::<String>::new());
    let new = two_crates(SERVICE, "pub enum Verdict { Clean, Unknown }\n", PRIVACY);
    assert_eq!(
        rules(&old, &new),
        ["member-removed", "member-removed", "value-removed"]
    );
}

#[test]
fn every_way_to_say_which_is_meant() {
    let qualified = "pub struct GateService;\n\
        impl GateService { pub fn judge(&self) -> acme_findings::Verdict { todo() } }\n";
    let nested = SERVICE.replace(
        "use acme_findings::Verdict;",
        "use {std::fmt, acme_findings::{self as found, verdict::{Verdict}}};",
    );
    let glob = SERVICE.replace("::Verdict;", "::*;");
    let through = SERVICE
        .replace("use acme_findings::Verdict;", "use acme_findings as found;")
        .replace("-> Verdict", "-> found::Verdict");
    for service in [SERVICE, qualified, &nested, &glob, &through] {
        let files = two_crates(service, FINDINGS, PRIVACY);
        let old = frozen(&files);
        let files: Vec<&str> = old.types.iter().map(|ty| ty.file.as_str()).collect();
        assert_eq!(files, ["crates/found/src/verdict.rs"], "{service}");
    }
    let foreign = SERVICE.replace("acme_findings", "somebody_elses");
    let files = two_crates(&foreign, FINDINGS, PRIVACY);
    assert!(frozen(&files).types.is_empty(), "it is a third one");
}

#[test]
fn a_frozen_type_is_compared_with_its_own_and_not_with_its_twin() {
    let old = frozen(&two_crates(SERVICE, FINDINGS, PRIVACY));
    let before = Snapshot::from(old);
    let fewer = "pub enum Verdict { Clean, Unknown }\n\
        impl Verdict { pub fn code(self) -> u8 { 0 } pub fn holds(self) -> bool { true } }\n";
    let moved: Files<'_> = two_crates(SERVICE, FINDINGS, PRIVACY)
        .into_iter()
        .map(|(path, text)| match path {
            "crates/found/src/verdict.rs" => ("crates/found/src/gate/verdict.rs", fewer),
            other => (other, text),
        })
        .collect();
    let (after, _) = snapshots(&moved, &moved);
    let compared = compare(&before, &after, &DiffOptions::default());
    let found: Vec<&str> = compared
        .findings
        .iter()
        .map(|found| found.rule.as_str())
        .collect();
    assert_eq!(found, ["value-removed"]);
    assert!(compared.unreadable.is_empty(), "{:?}", compared.unreadable);
}

#[test]
fn a_type_that_cannot_be_told_is_refused() {
    // Nothing says which of the crate's two is meant: the module that hands it on is a macro's.
    let service = "use crate::made::Verdict;\npub struct GateService;\n\
        impl GateService { pub fn judge(&self) -> Verdict { todo() } }\n";
    let old = [
        ("src/lib.rs", service),
        ("src/a.rs", "pub struct Verdict { pub a: u8, pub b: u8 }\n"),
        ("src/b.rs", "pub struct Verdict { pub c: u8, pub d: u8 }\n"),
    ];
    let before = frozen(&old.to_vec());
    assert_eq!(before.types.len(), 2, "it may be either");
    let new = [
        old[0],
        ("src/x.rs", "pub struct Verdict { pub e: u8 }\n"),
        ("src/y.rs", "pub struct Verdict { pub f: u8 }\n"),
    ];
    let compared = diff(&old, &new);
    assert!(compared.findings.is_empty(), "{:?}", compared.findings);
    // Each side alone cannot be told; a contract that was frozen with one can only be refused.
    let (after, _) = snapshots(&new, &new);
    let one = Snapshot {
        services: vec![before.service],
        types: before.types.into_iter().take(1).collect(),
        ..Snapshot::default()
    };
    let compared = compare(&one, &after, &DiffOptions::default());
    let refused: Vec<&str> = compared
        .unreadable
        .iter()
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(refused, ["src/a.rs"]);
}

#[test]
fn typescript_twins_are_told_apart_by_their_imports() {
    let service = "import { Row } from './pay/row';\n\
        export class PayService { all(): Row[] { return []; } }\n";
    let row = "export class Row { a(): string { return ''; } b(): string { return ''; } }\n";
    let other = "export class Row { c(): string { return ''; } d(): string { return ''; } }\n";
    let old = vec![
        ("src/pay.ts", service),
        ("src/pay/row.ts", row),
        ("src/shop/row.ts", other),
    ];
    let files: Vec<String> = frozen(&old).types.into_iter().map(|ty| ty.file).collect();
    assert_eq!(files, ["src/pay/row.ts"]);
    let new = vec![
        old[0],
        old[1],
        (
            "src/shop/row.ts",
            "export class Row { d(): number { return 1; } }\n",
        ),
    ];
    assert_eq!(rules(&old, &new), Vec::<String>::new());
}
