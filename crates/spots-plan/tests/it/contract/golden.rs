//! A Flutter-style tree of thirty services in two versions.

use std::path::{Path, PathBuf};

use spots_plan::contract::cache::Cache;
use spots_plan::contract::diff::{DiffOptions, compare};
use spots_plan::contract::graph::Dependencies;
use spots_plan::contract::{Options, Snapshot, World};
use spots_plan::tree::{Language, Tree};

pub(crate) fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn world(version: &str, cache: &Cache) -> World {
    let tree = Tree::walk(&golden().join(version), &[Language::Dart]).expect("a tree");
    World::read(tree, Options::default(), cache)
}

fn snapshots(cache: &Cache) -> (Snapshot, Snapshot) {
    let (mut old, mut new) = (world("v1", cache), world("v2", cache));
    let mut names = old.mentioned();
    names.extend(new.mentioned());
    (old.snapshot(&names, cache), new.snapshot(&names, cache))
}

#[test]
fn every_case_is_found_and_nothing_else() {
    let (old, new) = snapshots(&Cache::none());
    let compared = compare(&old, &new, &DiffOptions::default());
    assert!(compared.unreadable.is_empty());
    let mut found: Vec<String> = compared
        .findings
        .iter()
        .map(|finding| {
            let service = finding.facts.iter().find(|(name, _)| *name == "service");
            format!("{} {}", service.expect("the service").1, finding.rule)
        })
        .collect();
    found.sort();
    let expected = std::fs::read_to_string(golden().join("expected.txt")).expect("the table");
    assert_eq!(found.join("\n"), expected.trim_end());
}

#[test]
fn a_cache_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cache.json");
    let first = Cache::load(file.clone());
    let without = world("v1", &first).services();
    assert!(first.save() && file.is_file());
    assert_eq!(world("v1", &Cache::load(file)).services(), without);
    assert_eq!(world("v1", &Cache::none()).services(), without);
}

#[test]
fn a_spoilt_cache_is_no_cache() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cache.json");
    std::fs::write(&file, "{\"form\": 1, \"units\": [").expect("a file");
    let with = world("v1", &Cache::load(file)).services();
    assert_eq!(with, world("v1", &Cache::none()).services());
}

#[test]
fn edges_have_their_evidence() {
    let found = Dependencies::of(&world("v1", &Cache::none()));
    let edges: Vec<String> = found
        .edges
        .iter()
        .map(|edge| format!("{} {} {}", edge.from, edge.to, edge.kind))
        .collect();
    assert_eq!(
        edges,
        [
            "InviteService ClockService locator",
            "InviteService NotificationService locator",
            "PaymentService ClockService constructor",
            "PaymentService ClockService field",
            "ReservationService BusinessService constructor",
            "ReservationService BusinessService field",
            "ReservationService PaymentService constructor",
            "ReservationService PaymentService field",
        ]
    );
    let chain = found
        .chain("ReservationService", "ClockService")
        .expect("a chain");
    assert_eq!(
        chain,
        ["ReservationService", "PaymentService", "ClockService"]
    );
}
