//! What the large form prints: time, memory, and what a reader beside the move feels.

use std::time::Duration;

use rusqlite::Connection;
use spots_clock::{ClockSource as _, SystemSource};
use spots_testkit::legacy::{Dice, OldDatabase};
use tokio::task::JoinHandle;

use super::place::{Place, connect, open};

/// Readings before the move, for comparison.
const READINGS: usize = 2_000;

/// Latencies of one reader, sorted.
pub(super) struct Latencies(Vec<Duration>);

impl Latencies {
    fn at(&self, share: f64) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "an index into a list of thousands"
        )]
        let index = (self.0.len() as f64 * share) as usize;
        self.0.get(index).copied().unwrap_or_default()
    }
}

/// Measures on the counter that the platform's clock goes by.
pub(super) struct Stopwatch(SystemSource, u64);

impl Stopwatch {
    pub(super) fn start() -> Self {
        let source = SystemSource::new();
        let begun = source.counter();
        Self(source, begun)
    }

    pub(super) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.0.counter() - self.1)
    }
}

/// Reads one old user after another, so often or until their table is gone.
pub(super) fn reader(place: &Place, old: OldDatabase, most: usize) -> JoinHandle<Latencies> {
    let reads = move |number: usize| {
        let mut dice = Dice::new(old.seed, 88, number as u64);
        let id = old.user_id(dice.below(old.users));
        format!("SELECT email, display_name FROM users WHERE id = '{id}'")
    };
    match place {
        Place::Sqlite(directory, _) => {
            let path = super::place::file(directory);
            tokio::task::spawn_blocking(move || {
                let connection = open(&path);
                read_all(most, |number| read_one(&connection, &reads(number)))
            })
        }
        Place::Postgres(database, _) => {
            let url = database.url();
            tokio::spawn(async move {
                let client = connect(&url).await;
                let mut all = Vec::new();
                while all.len() < most {
                    let begun = Stopwatch::start();
                    if client.simple_query(&reads(all.len())).await.is_err() {
                        break;
                    }
                    all.push(begun.elapsed());
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                all.sort_unstable();
                Latencies(all)
            })
        }
    }
}

fn read_all(most: usize, read: impl Fn(usize) -> bool) -> Latencies {
    let mut all = Vec::new();
    while all.len() < most {
        let begun = Stopwatch::start();
        if !read(all.len()) {
            break;
        }
        all.push(begun.elapsed());
        std::thread::park_timeout(Duration::from_millis(1));
    }
    all.sort_unstable();
    Latencies(all)
}

fn read_one(connection: &Connection, sql: &str) -> bool {
    let read = connection.query_row(sql, [], |row| row.get::<_, Option<String>>(0));
    read.is_ok()
}

/// Latencies of a reader that has the database for itself.
pub(super) async fn alone(place: &Place, old: OldDatabase) -> Latencies {
    reader(place, old, READINGS).await.unwrap()
}

pub(super) fn print(old: OldDatabase, took: Duration, (alone, beside): (&Latencies, &Latencies)) {
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = memory.lines().find(|line| line.starts_with("VmHWM"));
    let rate = u128::from(old.attendances) * 1_000 / took.as_millis().max(1);
    println!("{old:?}");
    println!(
        "up: {:.1} s, {rate} attendances a second",
        took.as_secs_f64()
    );
    println!("memory: {}", memory.unwrap_or("unknown"));
    for (name, share) in [("median", 0.5), ("99 %", 0.99)] {
        let (alone, beside) = (alone.at(share), beside.at(share));
        let ratio = beside.as_secs_f64() / alone.as_secs_f64().max(1e-9);
        println!("reader, {name}: alone {alone:?}, beside the move {beside:?}, ratio {ratio:.2}");
    }
}
