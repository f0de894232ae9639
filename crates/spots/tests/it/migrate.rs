//! `spots migrate` as people run it: exit statuses, both sides of a merge, a database's whole life.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

type Outcome = Result<(), Box<dyn Error>>;

#[expect(
    clippy::disallowed_methods,
    reason = "the test runs the binary it tests, and git"
)]
fn run(program: &str, folder: &Path, arguments: &[&str]) -> Result<Output, Box<dyn Error>> {
    Ok(Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env_remove("SPOTS_DATABASE")
        .output()?)
}

fn migrate(folder: &Path, arguments: &[&str]) -> Result<(i32, String), Box<dyn Error>> {
    let arguments = [&["migrate"], arguments].concat();
    let output = run(env!("CARGO_BIN_EXE_spots"), folder, &arguments)?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.code().unwrap_or(-1), String::from_utf8(text)?))
}

fn git(folder: &Path, arguments: &[&str]) -> Outcome {
    let identity = ["-c", "user.name=test", "-c", "user.email=test@example.org"];
    let arguments = [&identity, arguments].concat();
    let output = run("git", folder, &arguments)?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[test]
fn a_check_exits_0_clean_1_findings_2_could_not_tell() -> Outcome {
    let folder = tempfile::tempdir()?;
    let set = folder.path().join("set");
    fs::create_dir(&set)?;
    let check = || migrate(folder.path(), &["check", "--dir", "set"]);
    assert_eq!(check()?.0, 2, "there is nothing to read");
    fs::write(set.join("1_a.sql"), "CREATE TABLE a (id int);")?;
    assert_eq!(check()?.0, 0);
    fs::write(set.join("2_b.sql"), "\nSELECT * FROM nowhere;")?;
    let (status, text) = check()?;
    assert_eq!(status, 1);
    assert!(text.contains("set/2_b.sql:2:1: error:"), "{text}");
    fs::write(set.join("2_b.sql"), "DROP TABLE a;")?;
    assert_eq!(check()?.0, 0, "a warning fails only a strict run");
    let (status, _) = migrate(folder.path(), &["check", "--dir", "set", "--strict"])?;
    assert_eq!(status, 1);
    let (status, _) = migrate(folder.path(), &["check", "--dir", "gone"])?;
    assert_eq!(status, 2);
    Ok(())
}

#[test]
fn both_sides_of_a_merge_are_read_from_commits() -> Outcome {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let set = root.join("db");
    fs::create_dir(&set)?;
    let commit = |name: &str, text: &str| -> Outcome {
        fs::write(set.join(name), text)?;
        git(root, &["add", "-A"])?;
        git(root, &["commit", "-q", "-m", name])
    };
    git(root, &["init", "-q", "-b", "main"])?;
    commit("1_users.sql", "CREATE TABLE users (id int);")?;
    git(root, &["checkout", "-q", "-b", "feature"])?;
    commit("2_email.sql", "ALTER TABLE users ADD email text;")?;
    git(root, &["checkout", "-q", "main"])?;
    commit("3_mail.sql", "ALTER TABLE users ADD email text;")?;
    git(root, &["checkout", "-q", "feature"])?;
    let arguments = [
        "check", "--dir", "db", "--base", "main", "--format", "sarif",
    ];
    let (status, text) = migrate(root, &arguments)?;
    assert_eq!(status, 1);
    let sarif: Value = serde_json::from_str(&text)?;
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "branches-write-same");
    let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(
        place, "db/2_email.sql",
        "it sits on the side that is not merged yet"
    );
    assert_eq!(migrate(root, &["check", "--dir", "db"])?.0, 0);
    let (status, _) = migrate(root, &["check", "--dir", "db", "--base", "no-such"])?;
    assert_eq!(status, 2);
    Ok(())
}

#[test]
fn a_database_goes_up_is_looked_at_and_goes_back() -> Outcome {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::create_dir(root.join("migrations"))?;
    for (name, text) in [
        ("1_a.up.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY);"),
        ("1_a.down.sql", "DROP TABLE a;"),
        (
            "2_b.up.sql",
            "CREATE TABLE b (a INTEGER REFERENCES a (id));",
        ),
        ("2_b.down.sql", "DROP TABLE b;"),
    ] {
        fs::write(root.join("migrations").join(name), text)?;
    }
    let on = |command: &[&str]| migrate(root, &[command, &["--database", "app.db"]].concat());
    assert_eq!(migrate(root, &["rehearse"])?.0, 0);
    assert!(on(&["apply"])?.1.contains("applied 2_b"));
    assert_eq!(on(&["apply"])?.1, "nothing to do\n");
    assert!(on(&["status"])?.1.contains("applied        1_a"));
    let (status, text) = on(&["down", "1_a"])?;
    assert_eq!(status, 0, "{text}");
    let first = text.find("rolled back 2_b");
    assert!(
        first.is_some() && first < text.find("rolled back 1_a"),
        "dependants first"
    );
    fs::write(
        root.join("migrations/1_a.up.sql"),
        "CREATE TABLE a (id INTEGER);\nSELECT x;",
    )?;
    let (status, text) = on(&["apply"])?;
    assert_eq!(status, 1);
    assert!(text.contains("1_a.up.sql:2"), "{text}");
    assert!(on(&["apply"])?.1.contains("failed before"));
    assert!(
        on(&["unlock", "--failed", "1_a"])?
            .1
            .contains("may be tried again")
    );
    Ok(())
}
