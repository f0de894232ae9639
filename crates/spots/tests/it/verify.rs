//! `spots verify leaks`, as a person types it and a script reads it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use spots_testkit::postgres::Database;

fn leaks(folder: &Path, arguments: &[&str]) -> Output {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runs the binary as people do"
    )]
    let mut command = Command::new(env!("CARGO_BIN_EXE_spots"));
    command
        .args(["verify", "leaks"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

#[test]
fn nothing_comes_out_and_a_script_can_read_so() {
    let folder = tempfile::tempdir().unwrap();
    let text = leaks(folder.path(), &[]);
    assert_eq!(text.status.code(), Some(0));
    assert_eq!(text.stdout, b"nothing came out\n");
    let output = leaks(folder.path(), &["--format", "json"]);
    let found = json(&output);
    assert_eq!(output.status.code(), Some(0), "{found}");
    assert_eq!(found["leaks"], serde_json::json!([]));
    let counts = &found["counts"];
    assert_eq!(counts["leaks"], 0);
    for (count, least) in [
        ("requests", 300),
        ("routes", 60),
        ("letters", 3),
        ("logBytes", 10_000),
    ] {
        assert!(counts[count].as_u64().unwrap() > least, "{count}: {counts}");
    }
    let searched = found["searched"].as_array().unwrap();
    assert!(searched.len() >= 2, "the file and its backup: {searched:?}");
}

/// PostgreSQL keeps the bytes of destroyed keys for a while: in its data directory they are found,
/// and named by file and byte.
#[test]
fn what_comes_out_is_named_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::create().unwrap();
    let (url, cluster) = (database.url(), database.cluster_folder());
    let data = cluster.join("data").display().to_string();
    let arguments = [
        "--format",
        "json",
        "--database-url",
        &url,
        "--search",
        &data,
    ];
    let output = leaks(folder.path(), &arguments);
    let found = json(&output);
    assert_eq!(output.status.code(), Some(1), "{found}");
    let leaks_found = found["leaks"].as_array().unwrap();
    assert_eq!(found["counts"]["leaks"], leaks_found.len());
    for leak in leaks_found {
        assert_eq!(leak["what"], "destroyed key", "{leak}");
        assert!(leak["place"].as_str().unwrap().starts_with(&data), "{leak}");
        assert!(leak["at"].as_u64().is_some() && leak["form"].is_string());
    }
    // Once more: now there are accounts, so it cannot tell.
    let output = leaks(folder.path(), &["--database-url", &url]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("name one that is empty"), "{said}");
}

/// The first command of the set-up in `docs/threat-model.md`, on a database with nothing in it.
#[test]
fn roles_are_made_in_an_empty_database() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::create().unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runs the binary as people do"
    )]
    let mut command = Command::new(env!("CARGO_BIN_EXE_spots"));
    let output = command
        .args(["migrate", "roles", "--database", &database.url()])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("next: give both a password"), "{said}");
}
