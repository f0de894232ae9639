//! Three servers with skewed clocks on one PostgreSQL, one stopped in the middle and woken up later.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use spots_testkit::postgres::Database;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::server::{Outcome, Server, operator, person, spots};

/// How the servers' system clocks differ from the database's.
const SKEWS: [&str; 3] = ["-20s", "+0s", "+20s"];
/// Which one is stopped: the one that is ahead, whose stamps the others have to follow.
const STOPPED: usize = 2;
/// Entries of one batch.
const BATCH: usize = 5;
/// Final entries that are waited for before the stop, while it lasts, and after it.
const PHASE: usize = 150;
/// How often the reader looks, at most.
const LOOKS_MAX: u32 = 6_000;

fn library() -> Outcome<PathBuf> {
    std::fs::read_dir("/usr/lib")?
        .filter_map(|entry| Some(entry.ok()?.path().join("faketime/libfaketime.so.1")))
        .find(|path| path.exists())
        .ok_or_else(|| "libfaketime is missing: install Debian's package faketime".into())
}

fn serve(folder: &Path, url: &str, skew: &str, number: usize) -> Outcome<Server> {
    let state = format!("clock-{number}");
    let mut command = spots(
        folder,
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--clock-state",
            &state,
            "--log",
            "warn",
        ],
    );
    command
        .env("SPOTS_DATABASE_URL", url)
        .env("LD_PRELOAD", library()?)
        .env("FAKETIME", skew)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
        .env("NO_FAKE_STAT", "1");
    Server::start(command)
}

/// What was acknowledged: the ids of entries, and of bookings.
#[derive(Clone, Default)]
struct Acknowledged {
    entries: Arc<Mutex<Vec<String>>>,
    bookings: Arc<Mutex<Vec<String>>>,
}

struct Writers {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Writers {
    /// One that journals and one that books, at each server, until they are told to stop. What
    /// fails was not acknowledged.
    fn start(urls: &[String], token: &str, event: &str, acknowledged: &Acknowledged) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut tasks = Vec::new();
        for (number, url) in urls.iter().enumerate() {
            let journal = Writer {
                client: reqwest::Client::new(),
                url: format!("{url}/api/v1/journal/analytics"),
                token: token.to_owned(),
                acknowledged: acknowledged.clone(),
                stop: Arc::clone(&stop),
            };
            let booking = Writer {
                url: format!("{url}/api/v1/events/{event}/bookings"),
                client: journal.client.clone(),
                token: token.to_owned(),
                acknowledged: acknowledged.clone(),
                stop: Arc::clone(&stop),
            };
            tasks.push(tokio::spawn(async move { journal.journal(number).await }));
            tasks.push(tokio::spawn(async move { booking.book().await }));
        }
        Self { stop, tasks }
    }

    async fn finish(self) -> Outcome {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await?;
        }
        Ok(())
    }
}

struct Writer {
    client: reqwest::Client,
    url: String,
    token: String,
    acknowledged: Acknowledged,
    stop: Arc<AtomicBool>,
}

impl Writer {
    async fn post(&self, body: &Value) -> Option<Value> {
        let request = self
            .client
            .post(&self.url)
            .bearer_auth(&self.token)
            .json(body);
        let answer = request.send().await.ok()?;
        if !answer.status().is_success() {
            return None;
        }
        answer.json().await.ok()
    }

    async fn journal(&self, number: usize) {
        for round in 0_u32.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let entry = |index| {
                json!({
                    "key": format!("writer-{number}-{round}-{index}"), "kind": "used",
                    "body": {"feature": "map", "count": 1},
                })
            };
            let entries: Vec<_> = (0..BATCH).map(entry).collect();
            if let Some(answer) = self.post(&json!({ "entries": entries })).await {
                let mut held = self.acknowledged.entries.lock().await;
                for entry in answer["entries"].as_array().unwrap() {
                    assert_eq!(entry["outcome"], "added");
                    held.push(entry["timestampId"].as_str().unwrap().to_owned());
                }
            } else {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    async fn book(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            if let Some(answer) = self.post(&json!({})).await {
                let mut held = self.acknowledged.bookings.lock().await;
                held.push(answer["bookingId"].as_str().unwrap().to_owned());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Reads whole streams and holds them to what it has read before.
struct Reader {
    client: reqwest::Client,
    token: String,
    seen: Vec<String>,
}

impl Reader {
    async fn read(&self, url: &str, stream: &str) -> Outcome<Vec<Value>> {
        let mut all: Vec<Value> = Vec::new();
        let mut after = String::new();
        loop {
            let path = format!("{url}/api/v1/journal/{stream}?limit=500{after}");
            let answer = self
                .client
                .get(path)
                .bearer_auth(&self.token)
                .send()
                .await?;
            assert_eq!(answer.status(), 200);
            let answer: Value = answer.json().await?;
            all.extend(
                answer["entries"]
                    .as_array()
                    .ok_or("no entries")?
                    .iter()
                    .cloned(),
            );
            if answer["more"] != true {
                return Ok(all);
            }
            after = format!("&after={}", answer["next"].as_str().ok_or("no next")?);
        }
    }

    /// Reads until so many entries are final; what was final before must stand unchanged.
    async fn until(&mut self, url: &str, count: usize) -> Outcome {
        for _ in 0..LOOKS_MAX {
            let entries = self.read(url, "analytics").await?;
            let ids: Vec<_> = entries
                .iter()
                .filter_map(|entry| entry["timestampId"].as_str())
                .collect();
            assert!(
                ids.is_sorted_by(|a, b| a < b),
                "an id stands twice or out of order"
            );
            let kept = ids.len() >= self.seen.len()
                && ids.iter().zip(&self.seen).all(|(now, then)| now == then);
            assert!(kept, "what was final has changed");
            self.seen = ids.into_iter().map(str::to_owned).collect();
            if self.seen.len() >= count {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("only {} of {count} entries became final", self.seen.len()).into())
    }
}

async fn an_event(client: &reqwest::Client, server: &Server, token: &str) -> Outcome<String> {
    let post = async |path: &str, body: Value| -> Outcome<Value> {
        let request = client.post(server.url(path)).bearer_auth(token).json(&body);
        let answer = request.send().await?;
        assert_eq!(answer.status(), 201, "{path}");
        Ok(answer.json().await?)
    };
    let host = post("/api/v1/hosts", json!({"name": "Klub", "kind": "club"})).await?;
    let path = format!(
        "/api/v1/hosts/{}/events",
        host["hostId"].as_str().ok_or("no host")?
    );
    let event = json!({
        "eventType": "club_event", "title": "Night", "capacity": 100_000,
        "startsAt": "2036-11-30T18:00:00Z", "endsAt": "2036-11-30T20:00:00Z",
    });
    let event = post(&path, event).await?;
    Ok(event["eventId"].as_str().ok_or("no event")?.to_owned())
}

/// Places of one pool are journalled in the order of the queue, whichever server took them.
fn check_queue(entries: &[Value], bookings: &[String]) {
    let positions: Vec<_> = entries
        .iter()
        .map(|entry| entry["body"]["position"].as_i64())
        .collect();
    let expected: Vec<_> = (1..).take(positions.len()).map(Some).collect();
    assert_eq!(positions, expected, "the journal does not follow the queue");
    let entered: BTreeSet<_> = entries
        .iter()
        .filter_map(|entry| entry["body"]["bookingId"].as_str())
        .collect();
    for booking in bookings {
        assert!(
            entered.contains(booking.as_str()),
            "{booking} was acknowledged and is lost"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_three_skewed_servers_made_final_never_changes() -> Outcome {
    let database = Database::create()?;
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    assert!(spots(folder, &["keys", "init"]).status()?.success());
    let mut reader = Reader {
        client: reqwest::Client::new(),
        token: operator(folder)?,
        seen: Vec::new(),
    };
    let url = database.url();
    let mut servers = Vec::new();
    for (number, skew) in SKEWS.iter().enumerate() {
        servers.push(serve(folder, &url, skew, number)?);
    }
    let token = person(&reader.client, &servers[0], "ada@example.org").await?;
    let event = an_event(&reader.client, &servers[0], &token).await?;
    let urls: Vec<_> = servers.iter().map(|server| server.url.clone()).collect();
    let acknowledged = Acknowledged::default();
    let writers = Writers::start(&urls, &token, &event, &acknowledged);

    reader.until(&urls[0], PHASE).await?;
    servers[STOPPED].signal("STOP")?;
    // More becomes final only once its lease has ended.
    let reached = reader.seen.len() + 2 * PHASE;
    reader.until(&urls[1], reached).await?;
    servers[STOPPED].signal("CONT")?;
    let reached = reader.seen.len() + PHASE;
    reader.until(&urls[0], reached).await?;
    let woken = acknowledged.entries.lock().await.len();
    writers.finish().await?;
    assert!(woken > 0);

    let entries = acknowledged.entries.lock().await.clone();
    reader.until(&urls[0], entries.len()).await?;
    let stopped = servers.pop().ok_or("three servers")?;
    stopped.stop()?;
    reader.until(&urls[1], entries.len()).await?;
    let held: BTreeSet<_> = reader.seen.iter().collect();
    assert_eq!(held.len(), reader.seen.len());
    let lost = entries.iter().find(|id| !held.contains(id));
    assert_eq!(lost, None, "acknowledged and lost");
    let bookings = acknowledged.bookings.lock().await.clone();
    assert!(bookings.len() > 10);
    let mut queue = Vec::new();
    for _ in 0..LOOKS_MAX {
        queue = reader.read(&urls[0], "reservations").await?;
        if queue.len() >= bookings.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    check_queue(&queue, &bookings);
    for server in servers {
        server.stop()?;
    }
    Ok(())
}
