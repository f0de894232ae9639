//! This crate does not depend on the crate that defines `AgentId`, not even through another.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const FORBIDDEN: [&str; 5] = [
    "spots-privacy",
    "spots-store",
    "spots-web",
    "rusqlite",
    "tokio-postgres",
];

#[test]
fn no_way_leads_to_agent_ids() {
    let reached = reached_from("spots-host");
    assert!(
        reached.contains("spots-booking"),
        "the search finds what is there"
    );
    for name in FORBIDDEN {
        assert!(!reached.contains(name), "spots-host reaches {name}");
    }
    // The search would see it: the crate above reaches it.
    assert!(reached_from("spots-web").contains("spots-privacy"));
}

/// Every package that a workspace crate needs to run, directly or through others.
fn reached_from(root: &str) -> BTreeSet<String> {
    let metadata = metadata();
    let packages: BTreeMap<_, _> = array(&metadata["packages"])
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let needs: BTreeMap<_, _> = array(&metadata["resolve"]["nodes"])
        .map(|node| {
            let needed: Vec<_> = array(&node["deps"])
                .filter(|needed| array(&needed["dep_kinds"]).any(|kind| kind["kind"] != "dev"))
                .map(|needed| text(&needed["pkg"]))
                .collect();
            (text(&node["id"]), needed)
        })
        .collect();
    let start = packages.iter().find(|(_, name)| **name == root).unwrap();
    let mut waiting = vec![*start.0];
    let mut seen = BTreeSet::new();
    while let Some(package) = waiting.pop() {
        if seen.insert(package) {
            waiting.extend(&needs[package]);
        }
    }
    seen.iter()
        .map(|package| packages[package].to_owned())
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "asks cargo how the crates hang together"
)]
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--offline",
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
