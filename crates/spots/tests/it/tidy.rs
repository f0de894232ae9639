//! The rules of the house that no lint knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Lines of a file without its tests.
const FILE_LINES_MAX: usize = 500;
/// Packages in the lock file; a person must decide to pass it.
const PACKAGES_MAX: usize = 480;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|cause| panic!("{path}: {cause}"))
}

/// Each crate of the workspace with the crates of the workspace that it uses.
fn crates() -> BTreeMap<String, BTreeSet<String>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells what the workspace holds"
    )]
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let packages = metadata["packages"].as_array().unwrap();
    let names: BTreeSet<_> = packages
        .iter()
        .map(|package| text(&package["name"]))
        .collect();
    packages
        .iter()
        .map(|package| {
            let uses = package["dependencies"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .map(|dependency| text(&dependency["name"]))
                .filter(|name| names.contains(name))
                .collect();
            (text(&package["name"]), uses)
        })
        .collect()
}

/// The table of floors in the architecture page: crate → floor; `side` has none.
fn floors() -> BTreeMap<String, Option<u8>> {
    read("ARCHITECTURE.md")
        .lines()
        .filter_map(|line| {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let name = cells.get(2)?.strip_prefix("`spots")?.strip_suffix('`')?;
            Some((format!("spots{name}"), cells[1].parse().ok()))
        })
        .collect()
}

#[test]
fn the_architecture_page_lists_the_crates_there_are() {
    let listed: Vec<_> = floors().into_keys().collect();
    let there: Vec<_> = crates().into_keys().collect();
    assert_eq!(listed, there);
}

#[test]
fn a_crate_uses_only_lower_floors() {
    let floors = floors();
    for (name, uses) in crates() {
        let Some(floor) = floors[&name] else { continue };
        for used in uses {
            let below = floors[&used].is_some_and(|other| other < floor);
            assert!(below, "{name} (floor {floor}) uses {used}");
        }
    }
}

fn sources() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn files_stay_short() {
    for path in sources() {
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        if parts
            .iter()
            .any(|part| part == "tests" || part == "tests.rs")
        {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let production = text.split("\n#[cfg(test)]\nmod ").next().unwrap();
        let lines = production.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{}: {lines} lines", path.display());
        assert_ne!(path.file_name().unwrap(), "mod.rs", "{}", path.display());
    }
}

#[test]
fn the_lock_file_stays_within_its_budget() {
    let packages = read("Cargo.lock").matches("[[package]]").count();
    println!("{packages} locked packages of {PACKAGES_MAX}");
    assert!(packages <= PACKAGES_MAX, "{packages} locked packages");
}

#[test]
fn the_privacy_page_shows_the_table_of_the_code() {
    let page = read("docs/privacy.md");
    assert!(
        page.contains(&spots_booking::field::table()),
        "{}",
        spots_booking::field::table()
    );
}

/// SPOTS governs itself: its frozen contracts, its migrations, its clock reads.
#[test]
fn the_repository_passes_its_own_gate() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runs the binary as people do"
    )]
    let output = Command::new(env!("CARGO_BIN_EXE_spots"))
        .args(["plan", "check", "."])
        .current_dir(root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
}

/// A page that says what holds names the tests that fail when it no longer does.
#[test]
fn the_threat_model_names_tests_that_there_are() {
    let sources: String = sources()
        .into_iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let text = read("docs/threat-model.md");
    // Names of tests are sentences; what else stands in that type is shorter.
    let named = text.split('`').skip(1).step_by(2);
    let is_name = |name: &&str| {
        let mut letters = name.chars();
        name.matches('_').count() >= 4 && letters.all(|one| one.is_ascii_lowercase() || one == '_')
    };
    let named: BTreeSet<_> = named.filter(is_name).collect();
    assert!(named.len() > 30, "the page names tests: {named:?}");
    let there = |name: &&str| {
        let function = format!("fn {name}(");
        sources.contains(&function)
    };
    let missing: Vec<_> = named.iter().filter(|name| !there(name)).collect();
    assert!(missing.is_empty(), "no such test: {missing:?}");
}
