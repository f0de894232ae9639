//! `spots migrate` as people run it: exit statuses, both sides of a merge, a database's whole life.

use std::error::Error;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
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

/// A script that no database would take, the line at fault, and what is said.
const BAD: &[(&str, &[u8], u32, &str)] = &[
    ("empty", b"", 1, "holds no statement"),
    (
        "bom",
        b"\xef\xbb\xbf-- nothing\r\n",
        1,
        "holds no statement",
    ),
    ("quote", b"SELECT 1;\nSELECT 'a;\n", 2, "never closed"),
    ("dollar", b"SELECT 1;\n\nSELECT $$ a;\n", 3, "dollar quote"),
    ("psql", b"SELECT 1;\n\\i other.sql\n", 2, "meta-command"),
    (
        "commit",
        b"SELECT 1;\nCOMMIT;\nSELECT 2;\n",
        2,
        "has COMMIT",
    ),
    ("latin", b"SELECT 1;\n-- caf\xe9\n", 2, "not UTF-8"),
    ("nul", b"SELECT 1;\n\n\0\n", 3, "NUL"),
];

#[test]
fn what_no_database_would_take_is_refused_with_its_line_and_nothing_is_made() -> Outcome {
    for (name, script, line, said) in BAD {
        let folder = tempfile::tempdir()?;
        let root = folder.path();
        let set = root.join("set/1-a");
        fs::create_dir_all(&set)?;
        fs::write(set.join("migration.toml"), "")?;
        fs::write(set.join("up.sql"), script)?;
        let (status, text) = migrate(root, &["check", "--dir", "set"])?;
        assert_eq!(status, 1, "{name}: {text}");
        assert!(
            text.contains(&format!("set/1-a/up.sql:{line}:1: error: ")) && text.contains(said),
            "{name}: {text}"
        );
        assert!(text.contains("check: 1 error\n"), "{name}: {text}");
        let (status, text) = migrate(root, &["apply", "--dir", "set", "--database", "app.db"])?;
        assert_ne!(status, 0, "{name}: {text}");
        assert!(
            text.contains(&format!("1-a/up.sql:{line}: ")) && text.contains(said),
            "{name}: {text}"
        );
        assert!(!root.join("app.db").exists(), "{name}: nothing is made");
    }
    Ok(())
}

/// Runs the binary as a user whom permissions bind: root reads everything.
fn bound(folder: &Path, arguments: &[&str]) -> Result<(i32, String), Box<dyn Error>> {
    let root = fs::metadata("/proc/self")?.uid() == 0;
    let binary = env!("CARGO_BIN_EXE_spots");
    let drop = ["--reuid=65534", "--regid=65534", "--clear-groups"];
    let (program, before) = if root {
        ("setpriv", [&drop[..], &[binary]].concat())
    } else {
        (binary, Vec::new())
    };
    let arguments = [&before[..], &["migrate"], arguments].concat();
    let output = run(program, folder, &arguments)?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.code().unwrap_or(-1), String::from_utf8(text)?))
}

#[test]
fn what_may_not_be_read_is_named_and_nothing_is_touched() -> Outcome {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    // Whoever runs this may make a database here.
    mode(root, 0o777)?;
    for id in ["1-a", "2-b"] {
        let one = root.join("set").join(id);
        fs::create_dir_all(&one)?;
        fs::write(one.join("migration.toml"), "")?;
        fs::write(one.join("up.sql"), "SELECT 1;")?;
        fs::write(one.join("down.sql"), "SELECT 1;")?;
    }
    let set = root.join("set");
    for (path, shown) in [
        (set.join("2-b"), "2-b"),
        (set.join("2-b/down.sql"), "2-b/down.sql"),
        (set.clone(), "."),
    ] {
        let before = fs::metadata(&path)?.permissions().mode();
        mode(&path, 0)?;
        let check = bound(root, &["check", "--dir", "set"]);
        let apply = bound(root, &["apply", "--dir", "set", "--database", "app.db"]);
        mode(&path, before)?;
        let (status, text) = check?;
        assert_eq!(status, 2, "{shown}: {text}");
        let said = format!("set/{shown}: could not read: {shown} cannot be read: Permission");
        assert!(text.contains(&said), "{text}");
        assert!(text.contains("no findings, 1 could not be read"), "{text}");
        let (status, text) = apply?;
        assert_eq!(status, 2, "{shown}: {text}");
        assert!(text.contains("Make it readable"), "{text}");
        assert!(!root.join("app.db").exists());
    }
    Ok(())
}

#[test]
fn a_set_that_does_not_fit_the_database_is_told_apart() -> Outcome {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let write = |set: &str, number: u32, text: &str| -> Outcome {
        let one = root.join(set).join(format!("{number}-t"));
        fs::create_dir_all(&one)?;
        fs::write(one.join("migration.toml"), "")?;
        Ok(fs::write(one.join("up.sql"), text)?)
    };
    let table = |number: u32| format!("CREATE TABLE t{number} (id INTEGER);\n");
    for number in 1..=3 {
        write("set", number, &table(number))?;
        write(
            "windows",
            number,
            &format!("\u{feff}{}", table(number).replace('\n', "\r\n")),
        )?;
        write("edited", number, &table(number + u32::from(number == 2)))?;
    }
    for number in [1, 2] {
        write("older", number, &table(number))?;
    }
    for number in [1, 3] {
        write("removed", number, &table(number))?;
    }
    let apply = |set: &str| migrate(root, &["apply", "--dir", set, "--database", "app.db"]);
    assert_eq!(apply("set")?.0, 0);
    assert_eq!(apply("windows")?, (0, "nothing to do\n".to_owned()));
    for (set, said) in [
        ("older", "newer than this set: it has 3-t; run the release"),
        ("removed", "no longer in the set: 2-t; restore"),
        (
            "edited",
            "edited after they were applied: 2-t (2-t/up.sql:1); restore",
        ),
    ] {
        let (status, text) = apply(set)?;
        assert_eq!(status, 1, "{set}: {text}");
        assert!(
            text.starts_with("refused: ") && text.contains(said),
            "{set}: {text}"
        );
    }
    assert_eq!(apply("set")?.1, "nothing to do\n", "nothing was touched");
    let (status, text) = migrate(root, &["unlock", "--failed", "1-t", "--database", "app.db"])?;
    assert_eq!(status, 1);
    assert!(text.contains("1-t has not failed"), "{text}");
    let (status, text) = migrate(root, &["status", "--dir", "set", "--database", "gone.db"])?;
    assert_eq!(status, 2);
    assert!(
        text.contains("there is no SQLite database gone.db"),
        "{text}"
    );
    Ok(())
}

#[test]
fn a_failure_says_what_was_done_and_what_was_not() -> Outcome {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    fs::create_dir(root.join("migrations"))?;
    for (name, text) in [
        ("1_a.up.sql", "CREATE TABLE a (id INTEGER PRIMARY KEY);"),
        (
            "2_b.up.sql",
            "INSERT INTO a VALUES (1);\nINSERT INTO a\nVALUES (1);",
        ),
        ("3_c.up.sql", "CREATE TABLE c (id INTEGER);"),
    ] {
        fs::write(root.join("migrations").join(name), text)?;
    }
    let on = |command: &[&str]| migrate(root, &[command, &["--database", "app.db"]].concat());
    let (status, text) = on(&["apply"])?;
    assert_eq!(status, 1);
    for part in [
        "applied and kept: 1 migrations; not begun: 3_c",
        "2_b.up.sql:2: statement 2 of 2_b failed: UNIQUE",
        "nothing of it took effect",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (status, text) = on(&["apply", "--json"])?;
    assert_eq!(status, 1);
    let json = text.split("refused: ").next().ok_or("no JSON")?;
    let json = json.trim_start_matches(|sign| sign != '{');
    let said: Value = serde_json::Deserializer::from_str(json)
        .into_iter()
        .next()
        .ok_or("no JSON")??;
    assert_eq!(said["done"], "applied");
    let refused = said["refused"].as_str().ok_or("no reason")?;
    assert!(refused.contains("unlock --failed 2_b"), "{refused}");
    let (status, text) = on(&["unlock"])?;
    assert_eq!(status, 0);
    assert!(text.contains("2_b failed: 2_b.up.sql:2"), "{text}");
    fs::write(
        root.join("migrations/2_b.up.sql"),
        "INSERT INTO a VALUES (1);",
    )?;
    let (status, text) = on(&["apply", "--json"])?;
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("\"2_b\",\n    \"3_c\""), "{text}");
    Ok(())
}
