//! `spots migrate upgrade-legacy` as people run it, and as it dies.

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;
use spots_testkit::legacy::{Dice, OldDatabase, TABLES};

use crate::server::Server;

type Outcome = Result<(), Box<dyn Error>>;

const OLD: OldDatabase = OldDatabase {
    users: 300,
    attendances: 3_000,
    seed: 5,
};
/// How often one move is killed before it may finish.
const KILLS: u64 = 12;

/// How many kills there are in all: as told for a long proof, see docs/migrations.md.
#[expect(clippy::disallowed_methods, reason = "what a person tells a long run")]
fn kills() -> Result<u64, Box<dyn Error>> {
    let told = std::env::var("SPOTS_KILLS").ok();
    Ok(told.map_or(Ok(1), |told| told.parse())?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test runs the binary it tests"
)]
fn spots(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spots"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_remove("SPOTS_DATABASE")
        .env_remove("SPOTS_KEY_FILE");
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Result<(i32, String), Box<dyn Error>> {
    let output = spots(folder, arguments).output()?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.code().unwrap_or(-1), String::from_utf8(text)?))
}

fn upgrade(folder: &Path, arguments: &[&str]) -> Result<(i32, String), Box<dyn Error>> {
    let fixed = ["migrate", "upgrade-legacy", "--database", "old.db"];
    run(folder, &[&fixed, arguments].concat())
}

/// A database as the old application left it, without any record of migrations.
fn old_database(folder: &Path) -> Result<Connection, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let baseline = fs::read_to_string(root.join("migrations/0001-baseline/up.sqlite.sql"))?;
    let connection = Connection::open(folder.join("old.db"))?;
    connection.busy_timeout(Duration::from_secs(30))?;
    connection.execute_batch(&baseline)?;
    for statement in OLD.statements() {
        connection.execute_batch(&statement)?;
    }
    Ok(connection)
}

fn dump(connection: &Connection) -> Result<Vec<String>, Box<dyn Error>> {
    let mut all = Vec::new();
    for table in TABLES {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            // Only now: another process may have changed the table since it was last read here.
            for column in 0..row.as_ref().column_count() {
                all.push(format!("{:?}", row.get_ref(column)?));
            }
        }
    }
    Ok(all)
}

fn number(connection: &Connection, sql: &str) -> rusqlite::Result<i64> {
    connection.query_row(sql, [], |row| row.get(0))
}

#[tokio::test]
async fn a_move_that_is_killed_again_and_again_loses_and_doubles_nothing() -> Outcome {
    let wanted = kills()?;
    let mut dice = Dice::new(OLD.seed, 1, 1);
    let (mut killed, mut moves) = (0, 0);
    while killed < wanted {
        killed += killed_on_the_way(&mut dice).await?;
        moves += 1;
    }
    println!("{killed} kills of {moves} moves");
    Ok(())
}

/// Moves a database with kills on the way, and back; says how many there were.
async fn killed_on_the_way(dice: &mut Dice) -> Result<u64, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let connection = old_database(root)?;
    let before = dump(&connection)?;
    assert_eq!(run(root, &["keys", "init"])?.0, 0);
    let (status, text) = upgrade(root, &["--dry-run"])?;
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("300 users"), "{text}");
    assert_eq!(dump(&connection)?, before, "a dry run writes nothing");

    let mut killed = 0;
    let mut wait = 40;
    while killed < KILLS {
        let mut child = spots(root, &["migrate", "upgrade-legacy", "--database", "old.db"])
            .args(["--batch-rows", "20"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        tokio::time::sleep(Duration::from_millis(dice.below(wait))).await;
        if child.try_wait()?.is_some() {
            break;
        }
        child.kill()?;
        child.wait()?;
        killed += 1;
        // Later and later, so that every step is met on a fast and on a slow machine.
        wait += wait / 3;
    }
    assert!(killed > 2, "it finished after {killed} kills");
    let (status, text) = upgrade(root, &[])?;
    assert_eq!(status, 0, "{text}");
    assert_eq!(
        number(&connection, "SELECT count(*) FROM user_agent_mappings")?,
        i64::try_from(OLD.users)?
    );
    assert_eq!(
        number(&connection, "SELECT sum(party) FROM reservations")?,
        number(&connection, "SELECT sum(taken) FROM capacity_pools")?
    );
    assert_eq!(upgrade(root, &[])?.1, "nothing to do\n");

    let (status, text) = upgrade(root, &["--back"])?;
    assert_eq!(status, 0, "{text}");
    assert_eq!(dump(&connection)?, before);
    Ok(killed)
}

#[tokio::test]
async fn people_without_a_password_get_their_first_one_and_sign_in() -> Outcome {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let connection = old_database(root)?;
    let email = connection.query_row(
        "SELECT email FROM users WHERE email IS NOT NULL ORDER BY id LIMIT 1",
        [],
        |row| row.get::<_, String>(0),
    )?;
    assert_eq!(run(root, &["keys", "init"])?.0, 0);
    let (status, text) = upgrade(root, &[])?;
    assert_eq!(status, 0, "{text}");
    let first = |email: &str| -> Result<(i32, String, String), Box<dyn Error>> {
        let mut child = spots(root, &["migrate", "first-password"])
            .args(["--database-url", "sqlite://old.db"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().ok_or("no pipe")?;
        writeln!(stdin, " {} ", email.to_uppercase())?;
        drop(stdin);
        let output = child.wait_with_output()?;
        let (out, notes) = (
            String::from_utf8(output.stdout)?,
            String::from_utf8(output.stderr)?,
        );
        Ok((
            output.status.code().unwrap_or(-1),
            out.trim().to_owned(),
            notes,
        ))
    };
    let (status, password, notes) = first(&email)?;
    assert_eq!((status, password.len()), (0, 23), "{notes}");
    assert!(notes.contains("shown only now"), "{notes}");
    let (status, out, notes) = first(&email)?;
    assert_eq!((status, &*out), (1, ""));
    assert!(notes.contains("has a password already"), "{notes}");
    let (status, out, notes) = first("nobody@example.org")?;
    assert_eq!((status, &*out), (1, ""));
    assert!(notes.contains("no account"), "{notes}");

    let mut command = spots(root, &["serve", "--listen", "127.0.0.1:0"]);
    command
        .args(["--database-url", "sqlite://old.db"])
        .stdin(Stdio::null());
    let server = Server::start(command)?;
    let client = reqwest::Client::new();
    for (password, wanted) in [(password.as_str(), 201), ("aaaaa-aaaaa-aaaaa-aaaaa", 401)] {
        let answer = client
            .post(server.url("/api/v1/sessions"))
            .json(&serde_json::json!({ "email": email, "password": password }))
            .send()
            .await?;
        assert_eq!(answer.status().as_u16(), wanted, "{}", answer.text().await?);
    }
    server.stop()
}

#[test]
fn the_way_back_of_a_moved_database_is_named() -> Outcome {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let connection = old_database(root)?;
    assert_eq!(run(root, &["keys", "init"])?.0, 0);
    assert_eq!(upgrade(root, &[])?.0, 0);
    let set = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let set = set.to_str().ok_or("a path that is no text")?;
    let down = [
        "migrate",
        "down",
        "0015-legacy-window",
        "--database",
        "old.db",
        "--dir",
        set,
    ];
    let (status, text) = run(root, &down)?;
    assert_eq!(status, 1, "{text}");
    assert!(
        text.contains("run: spots migrate upgrade-legacy --back"),
        "{text}"
    );
    let users = i64::try_from(OLD.users)?;
    let agents = "SELECT count(*) FROM user_agent_mappings";
    assert_eq!(number(&connection, agents)?, users, "nothing went back");
    let (status, text) = upgrade(root, &["--back"])?;
    assert_eq!(status, 0, "{text}");
    assert_eq!(number(&connection, agents)?, 0);
    let (status, text) = upgrade(root, &[])?;
    assert_eq!(status, 0, "it goes up again: {text}");
    assert_eq!(number(&connection, agents)?, users);
    Ok(())
}

#[test]
fn the_whole_move_is_rehearsed_on_a_copy_first() -> Outcome {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let connection = old_database(root)?;
    let before = dump(&connection)?;
    let set = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let set = set.to_str().ok_or("a path that is no text")?;
    let on = ["--database", "old.db", "--dir", set];
    let adopt = ["migrate", "adopt", "--to", "0001-baseline"];
    let (status, text) = run(root, &[&adopt[..], &on].concat())?;
    assert_eq!((status, &*text), (0, "adopted 0001-baseline\n"));
    let (status, text) = run(root, &[&["migrate", "rehearse"][..], &on].concat())?;
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("0190-clear-text-gone: up "), "{text}");
    assert!(!text.contains("problem: "), "{text}");
    assert_eq!(dump(&connection)?, before, "a rehearsal is on a copy");
    Ok(())
}

/// Which table and column holds what, but for one that is misspelt.
fn mapping() -> String {
    let mapping = r#"
leave = ["spots"]

[users]
table = "profiles"
columns = { id = "id", email = "email", display_name = "name", phone_number = "phone_number", birthday = "birthday" }

[passwords]
table = "passwords"
columns = { id = "id", password_hash = "hash" }
"#;
    let same: String = ["expertise_events", "community_events"]
        .map(|table| {
            format!(
                "[{table}]\ntable = \"{table}\"\ncolumns = {{ id = \"id\", host_user_id = \
                 \"host_user_id\", title = \"title\", starts_at = \"starts_at\", ends_at = \
                 \"ends_at\", attendee_ids = \"attendee_ids\" }}\n"
            )
        })
        .concat();
    let profiles = "[personality_profiles]\ntable = \"personality_profiles\"\n\
                    columns = { user_id = \"user_id\", profile = \"profile\" }\n";
    format!("{mapping}{profiles}{same}")
}

#[test]
fn what_is_not_mapped_is_refused_with_its_line_and_the_next_step() -> Outcome {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let connection = old_database(root)?;
    connection.execute_batch(
        "ALTER TABLE users RENAME TO profiles;
         ALTER TABLE profiles RENAME COLUMN display_name TO full_name;
         CREATE TABLE spots (id TEXT);
         CREATE TABLE passwords (id TEXT, hash TEXT);",
    )?;
    let (status, text) = upgrade(root, &["--dry-run"])?;
    assert_eq!(status, 1, "{text}");
    for part in [
        "The old table profiles is not mapped",
        "leave = [\"spots\"]",
        "no table users",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let mapping = mapping();
    let file = root.join("legacy.toml");
    fs::write(&file, &mapping)?;
    let (status, text) = upgrade(root, &["--dry-run", "--mapping", "legacy.toml"])?;
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("legacy.toml:6:"), "{text}");
    assert!(text.contains("profiles has no column name"), "{text}");
    assert!(text.contains("profiles.full_name is not mapped"), "{text}");

    let mended = mapping.replace("\"name\"", "\"full_name\"");
    fs::write(&file, mended)?;
    let (status, text) = upgrade(root, &["--dry-run", "--mapping", "legacy.toml"])?;
    assert_eq!(status, 0, "{text}");

    assert_eq!(run(root, &["keys", "init"])?.0, 0);
    let (status, text) = upgrade(root, &["--mapping", "legacy.toml"])?;
    assert_eq!(status, 2, "{text}");
    assert!(text.contains("--from OLD --database NEW"), "{text}");
    let copy = [
        "migrate",
        "upgrade-legacy",
        "--from",
        "old.db",
        "--database",
        "new.db",
    ];
    let (status, text) = run(root, &[&copy[..], &["--mapping", "legacy.toml"]].concat())?;
    assert_eq!(status, 0, "{text}");
    let new = Connection::open(root.join("new.db"))?;
    let users = i64::try_from(OLD.users)?;
    assert_eq!(
        number(&new, "SELECT count(*) FROM user_agent_mappings")?,
        users
    );
    assert_eq!(number(&connection, "SELECT count(*) FROM profiles")?, users);
    Ok(())
}

#[test]
fn rows_that_cannot_move_are_named_before_anything_does() -> Outcome {
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    let connection = old_database(root)?;
    connection.execute_batch(
        "INSERT INTO users VALUES ('a', 'ADA@example.org', NULL, NULL, NULL),
                                  ('b', 'ada@example.org', NULL, NULL, NULL);
         INSERT INTO community_events VALUES ('e', 'a', 'T', 1700000000000, 1700000000001, '[1]');",
    )?;
    let before = dump(&connection)?;
    assert_eq!(run(root, &["keys", "init"])?.0, 0);
    for arguments in [&["--dry-run"][..], &[]] {
        let (status, text) = upgrade(root, arguments)?;
        assert_eq!(status, 1, "{text}");
        for part in [
            "Users a and b have one e-mail address",
            "event e is no JSON",
            "Event e of",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert_eq!(dump(&connection)?, before);
    Ok(())
}
