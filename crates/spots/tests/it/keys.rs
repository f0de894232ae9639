//! `spots keys`: rotation beside a running service, killed again and again; and key files that
//! cannot be used.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

const KILLS: u32 = 12;
const BOOKINGS: usize = 40;

fn command(folder: &Path, arguments: &[&str]) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runs the binary as people do"
    )]
    let mut command = Command::new(env!("CARGO_BIN_EXE_spots"));
    command.args(arguments).current_dir(folder);
    command
}

fn spots(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr]
        .map(|text| String::from_utf8_lossy(text))
        .concat()
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = spots(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

fn refused(folder: &Path, arguments: &[&str], text: &str) {
    let output = spots(folder, arguments);
    assert_eq!(
        output.status.code(),
        Some(2),
        "{arguments:?}: {}",
        said(&output)
    );
    assert!(
        said(&output).contains(text),
        "{arguments:?}: {}",
        said(&output)
    );
}

/// A server that is killed with the test.
struct Server {
    child: Child,
    address: String,
    client: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = command(folder, &["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        Self {
            child,
            address,
            client: reqwest::Client::new(),
        }
    }

    async fn send(&self, method: reqwest::Method, path: &str, token: &str, body: Value) -> Value {
        let request = self
            .client
            .request(method, format!("{}/api/v1{path}", self.address));
        let reply = request.bearer_auth(token).json(&body).send().await.unwrap();
        let status = reply.status();
        let body: Value = reply.json().await.unwrap_or_default();
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    async fn get(&self, path: &str, token: &str) -> Value {
        self.send(reqwest::Method::GET, path, token, json!({}))
            .await
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Value {
        self.send(reqwest::Method::POST, path, token, body).await
    }
}

/// Someone with an event at which they are the host.
struct World {
    token: String,
    guests: String,
    bookings: String,
}

async fn world(server: &Server) -> World {
    let account = json!({
        "email": "mira@example.org", "password": "correct horse battery", "name": "Mira",
    });
    server.post("/accounts", "", account.clone()).await;
    let session = json!({"email": account["email"], "password": account["password"]});
    let session = server.post("/sessions", "", session).await;
    let token = session["token"].as_str().unwrap().to_owned();
    let host = server
        .post(
            "/hosts",
            &token,
            json!({"name": "Café", "kind": "business"}),
        )
        .await;
    let host = host["hostId"].as_str().unwrap();
    let asked = json!({"fields": [
        {"field": "name", "ask": "optional", "purpose": "To greet you.", "retentionDays": 1},
        {"field": "email", "ask": "optional", "purpose": "To write to you.", "retentionDays": 1},
    ]});
    let path = format!("/hosts/{host}/requirements/business_event");
    server
        .send(reqwest::Method::PUT, &path, &token, asked)
        .await;
    let event = json!({
        "eventType": "business_event", "title": "Tasting", "partyMax": 2,
        "startsAt": "2030-12-01T18:00:00Z", "endsAt": "2030-12-01T20:00:00Z",
    });
    let event = server
        .post(&format!("/hosts/{host}/events"), &token, event)
        .await;
    let event = event["eventId"].as_str().unwrap();
    World {
        guests: format!("/hosts/{host}/events/{event}/guests?perPage=100"),
        bookings: format!("/events/{event}/bookings"),
        token,
    }
}

async fn book(server: &Server, world: &World, number: usize) {
    let data = json!({"userData": {
        "name": format!("Guest number {number}"), "email": "a@example.org", "sharedWithHost": true,
    }});
    server.post(&world.bookings, &world.token, data).await;
}

/// All names that the host reads, in order.
async fn names(server: &Server, world: &World) -> Vec<String> {
    let guests = server.get(&world.guests, &world.token).await;
    let items = guests["items"].as_array().unwrap();
    let names = items
        .iter()
        .filter_map(|guest| guest["userData"]["name"].as_str());
    let mut names: Vec<_> = names.map(str::to_owned).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_killed_again_and_again_ends_beside_a_running_service() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let server = Server::start(folder);
    let world = world(&server).await;
    for number in 0..BOOKINGS {
        book(&server, &world, number).await;
    }
    let before = names(&server, &world).await;
    assert_eq!(before.len(), BOOKINGS);
    for kill in 0..KILLS {
        // Slow enough to be killed in the middle: a batch takes seconds at this rate.
        let mut rotation = command(folder, &["keys", "rotate", "--rate", "40"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let wait = Duration::from_millis(u64::from(kill) * 397 % 4_600);
        tokio::time::sleep(wait).await;
        rotation.kill().unwrap();
        rotation.wait().unwrap();
        assert_eq!(names(&server, &world).await, before, "after kill {kill}");
    }
    // The service goes on taking bookings while the last one runs.
    let mut rotation = command(folder, &["keys", "rotate"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut number = BOOKINGS;
    while rotation.try_wait().unwrap().is_none() {
        book(&server, &world, number).await;
        number += 1;
    }
    let output = rotation.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(
        said(&output).contains("nothing is wrapped below version"),
        "{}",
        said(&output)
    );
    assert!(number > BOOKINGS, "the service was in use");
    retires(folder, &server, &world, number).await;
}

async fn retires(folder: &Path, server: &Server, world: &World, number: usize) {
    let old = fs::read_to_string(folder.join("spots.keys")).unwrap();
    let said = succeeds(folder, &["keys", "retire"]);
    assert!(said.contains("proved at"), "{said}");
    let new = fs::read_to_string(folder.join("spots.keys")).unwrap();
    assert_eq!(new.matches("master").count(), 1, "one version is left");
    assert!(old.matches("master").count() > 1);
    let mode = fs::metadata(folder.join("spots.keys"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let said = succeeds(folder, &["keys", "status"]);
    assert!(
        said.contains("share_keys") && !said.contains("older"),
        "{said}"
    );
    // The server reads the file again by itself, and everything opens with what is left.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    book(server, world, number).await;
    assert_eq!(names(server, world).await.len(), (number + 1).min(100));
}

#[test]
fn a_key_file_that_cannot_be_used_is_refused_and_nothing_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &["keys", "init"]);
    let server = Server::start(folder);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(world(&server));
    drop(server);
    let file = folder.join("spots.keys");
    let keys = fs::read_to_string(&file).unwrap();
    let with = |text: &str, mode: u32, said: &str| {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        for arguments in [&["serve"][..], &["keys", "rotate"], &["keys", "retire"]] {
            refused(folder, arguments, said);
        }
        assert_eq!(
            fs::read_to_string(&file).unwrap(),
            text,
            "the file stays as it was"
        );
    };
    with(&keys, 0o644, "chmod 600");
    with(&keys, 0o660, "chmod 600");
    let (master, lookup) = keys.split_once('\n').unwrap();
    with(&keys[..keys.len() - 20], 0o600, "not base64 of 32 bytes");
    with(&format!("{master}\n"), 0o600, "no `lookup` line");
    with(lookup, 0o600, "no `master` line");
    with("", 0o600, "no `master` line");
    let others = tempfile::tempdir().unwrap();
    succeeds(others.path(), &["keys", "init"]);
    let others = fs::read_to_string(others.path().join("spots.keys")).unwrap();
    with(&others, 0o600, "give the keys that sealed it");
    fs::remove_file(&file).unwrap();
    refused(folder, &["serve"], "spots keys init");
    assert!(!file.exists(), "lost keys are not replaced by new ones");
}

#[test]
fn keys_come_from_the_environment_or_a_command_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &["keys", "init"]);
    let file = folder.join("spots.keys");
    let text = fs::read_to_string(&file).unwrap();
    fs::rename(&file, folder.join("elsewhere")).unwrap();
    let of_command = ["keys", "status", "--key-command", "cat elsewhere"];
    assert!(succeeds(folder, &of_command).contains("versions held: 1"));
    let failing = ["keys", "status", "--key-command", "exit 3"];
    refused(folder, &failing, "the key command ended with");
    let status = command(folder, &["keys", "status"])
        .env("SPOTS_KEYS", &text)
        .output()
        .unwrap();
    assert!(status.status.success(), "{}", said(&status));
    // What this program cannot write it asks for, and it never prints a key.
    let rotate = command(folder, &["keys", "rotate"])
        .env("SPOTS_KEYS", &text)
        .output()
        .unwrap();
    assert_eq!(rotate.status.code(), Some(2));
    assert!(
        said(&rotate).contains("add the line `master 2 "),
        "{}",
        said(&rotate)
    );
    for output in [&status, &rotate] {
        for line in text.lines() {
            let key = line.rsplit(' ').next().unwrap();
            assert!(!said(output).contains(key), "a key is printed");
        }
    }
}

/// What was prepared is what a rotation uses; one that died before its proof goes on.
#[test]
fn a_version_that_was_prepared_is_the_one_that_is_moved_to() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeeds(folder, &["keys", "init"]);
    let said = succeeds(folder, &["keys", "rotate", "--prepare"]);
    assert!(said.contains("version 2"), "{said}");
    for command in [&["keys", "rotate", "--prepare"][..], &["keys", "rotate"]] {
        let said = succeeds(folder, command);
        assert!(
            said.contains("going on with version 2"),
            "{command:?}: {said}"
        );
        assert!(!said.contains("version 3"), "{command:?}: {said}");
    }
    let said = succeeds(folder, &["keys", "retire"]);
    assert!(
        said.contains("1 versions of the master key removed"),
        "{said}"
    );
    let said = succeeds(folder, &["keys", "rotate"]);
    assert!(said.contains("wrote master key version 3"), "{said}");
}
