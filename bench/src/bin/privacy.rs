//! What privacy costs, as ratios to a floor that is measured in turns in the same run.
//!
//! `privacy FOLDER [--postgres URL] [--page | --rotate KEYS]`: FOLDER is on the disk to measure.
//! `--page` measures only the page; `--rotate` fills a database with so many wrapped keys and rotates
//! it beside a service in use.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::Connection;
use spots_booking::requirement::{Ask, FieldRule, ValueKind};
use spots_booking::{
    BookingId, EventId, EventType, GuestCode, GuestId, HostId, HostKind, NewEvent, Occurrence,
    Request, Requirements, Schedule, ShareId,
};
use spots_clock::AtomicClock;
use spots_migrate::Silent;
use spots_privacy::consent::{NewShareField, Person};
use spots_privacy::{
    AgentId, MasterKeys, Personal, SealedField, SystemRandomness, UserId, WrappedKey, random,
};
use spots_store::keys::Closing;
use spots_store::model::{
    Book, Channel, EventToAdd, Host, NewAccount, NewShare, OpenGuests, PageRequest,
};
use spots_store::rotation::{Pace, rewrap};
use spots_store::{PostgresOptions, PostgresStore, SqliteStore, Stamp, Store};

const FIELDS: [(&str, &str); 3] = [
    ("name", "Ada Lovelace"),
    ("email", "ada@example.org"),
    ("phoneNumber", "+4930901820"),
];
const AT_ONCE: usize = 64;
const BOOKINGS: usize = 1_500;
const ROUNDS: usize = 7;
/// Guests of one page.
const PAGE: usize = 100;
const MEMORY_MAX_MIB: u64 = 256;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<ExitCode> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let folder = PathBuf::from(arguments.first().ok_or("name a folder")?);
    let mut kept = true;
    if let Some(keys) = after("--rotate") {
        let stage = match after("--postgres") {
            Some(url) => Stage::postgres(&url).await?,
            None => Stage::sqlite(&folder.join("rotate.db")).await?,
        };
        kept &= stage.rotate(keys.parse()?).await?;
        return Ok(ExitCode::from(u8::from(!kept)));
    }
    let sqlite = Stage::sqlite(&folder.join("privacy.db")).await?;
    let only_page = arguments.iter().any(|argument| argument == "--page");
    if !only_page {
        kept &= sqlite.seal_and_store("SQLite").await?;
    }
    kept &= sqlite.page(&folder.join("plain.db")).await?;
    if let Some(url) = after("--postgres") {
        let postgres = Stage::postgres(&url).await?;
        kept &= postgres.seal_and_store("PostgreSQL").await?;
    }
    Ok(ExitCode::from(u8::from(!kept)))
}

fn at_least(what: &str, ratio: f64, least: f64) -> bool {
    let kept = ratio >= least;
    println!("{what}: {ratio:.2} (at least {least}) {}", word(kept));
    kept
}

fn at_most(what: &str, ratio: f64, most: f64) -> bool {
    let kept = ratio <= most;
    println!("{what}: {ratio:.2} (at most {most}) {}", word(kept));
    kept
}

fn word(kept: bool) -> &'static str {
    if kept { "kept" } else { "MISSED" }
}

struct Stage {
    store: Arc<dyn Store>,
    keys: MasterKeys,
    clock: AtomicClock,
    host: HostId,
    event: EventId,
    agent: AgentId,
}

/// The same bytes, sealed or only laid out as if they were.
#[derive(Clone, Copy, PartialEq)]
enum How {
    Sealed,
    Unsealed,
}

impl Stage {
    async fn sqlite(path: &Path) -> Outcome<Self> {
        Self::on(Arc::new(SqliteStore::open(path, &mut Silent)?)).await
    }

    async fn postgres(url: &str) -> Outcome<Self> {
        let store = PostgresStore::connect(url, PostgresOptions::default(), &mut Silent).await?;
        Self::on(Arc::new(store)).await
    }

    async fn on(store: Arc<dyn Store>) -> Outcome<Self> {
        let keys = MasterKeys::generate(&SystemRandomness);
        let person = Person::create(UserId::generate(&SystemRandomness), &SystemRandomness);
        let lookup = keys.lookup().hash("agent", &person.agent().reveal());
        store
            .add_account(NewAccount {
                user: person.user().clone(),
                agent: person.agent().clone(),
                agent_lookup: lookup,
                stored: person.to_stored(&keys, &SystemRandomness)?,
                email_lookup: lookup,
                password_hash: "none".to_owned(),
                profile: Vec::new(),
            })
            .await?;
        let host = Host {
            id: HostId::from_random(bytes()),
            kind: HostKind::Business,
            name: "Bench".to_owned(),
        };
        store.add_host(host.clone(), person.user()).await?;
        store.update_requirements(host.id, asked()?).await?;
        let event = EventToAdd {
            id: EventId::from_random(bytes()),
            offer: offer()?,
            source_uid: None,
        };
        let added = store.add_events(host.id, vec![event]).await?;
        Ok(Self {
            store,
            keys,
            clock: AtomicClock::volatile()?,
            host: host.id,
            event: added.first().ok_or("no event")?.0,
            agent: person.agent().clone(),
        })
    }

    fn stamp(&self) -> Outcome<Stamp> {
        Ok(self.clock.now()?.into())
    }

    fn book(&self, how: How) -> Outcome<Book> {
        let id = ShareId::from_random(bytes());
        let text = id.to_string();
        let until = i64::MAX;
        let seal = |(field, plain): &(&str, &str)| -> Outcome<(NewShareField, i64)> {
            if how == How::Unsealed {
                let envelope = |plain: &[u8]| [&[1; 13], plain, &[0; 16]].concat();
                let field = NewShareField {
                    field: (*field).to_owned(),
                    value: SealedField::from_stored(envelope(plain.as_bytes())),
                    key: WrappedKey {
                        version: 1,
                        bytes: envelope(&[0; 32]),
                    },
                    salt: [0; 32],
                };
                return Ok((field, until));
            }
            let plain = Personal::new(*plain);
            let sealed = NewShareField::seal(&text, field, &plain, &self.keys, &SystemRandomness)?;
            Ok((sealed, until))
        };
        Ok(Book {
            agent: self.agent.clone(),
            host: self.host,
            event: self.event,
            request: Request {
                starts_at: starts_at()?,
                party: 1,
            },
            booking: BookingId::from_random(bytes()),
            guest: GuestId::from_random(bytes()),
            codes: [(); 4].map(|()| GuestCode::from_random(bytes())),
            requirements_version: 1,
            share: Some(NewShare {
                id,
                requirements_hash: [7; 32],
                fields: FIELDS.iter().map(seal).collect::<Outcome<_>>()?,
            }),
            stamp: self.stamp()?,
            idempotency: None,
        })
    }

    /// Takes so many bookings, some at a time; the seconds that it took.
    async fn take(&self, how: How, count: usize) -> Outcome<f64> {
        let start = Instant::now();
        let mut left = count;
        while left > 0 {
            let some = left.min(AT_ONCE);
            let books = (0..some)
                .map(|_| self.book(how))
                .collect::<Outcome<Vec<_>>>()?;
            let taking: Vec<_> = books
                .into_iter()
                .map(|book| {
                    let store = Arc::clone(&self.store);
                    tokio::spawn(async move { store.book(book).await.map(drop) })
                })
                .collect();
            for one in taking {
                one.await??;
            }
            left -= some;
        }
        Ok(start.elapsed().as_secs_f64())
    }

    async fn seal_and_store(&self, database: &str) -> Outcome<bool> {
        // A database grows slower as it grows: what is compared takes turns at being first, from a
        // database that holds something, and counts as a whole.
        self.take(How::Sealed, BOOKINGS).await?;
        let mut seconds = [0.0; 2];
        for round in 0..ROUNDS * 2 {
            let both = [How::Unsealed, How::Sealed];
            for turn in [round % 2, 1 - round % 2] {
                seconds[turn] += self.take(both[turn], BOOKINGS).await?;
            }
        }
        let taken = (BOOKINGS * ROUNDS * 2) as f64;
        let [unsealed, sealed] = seconds.map(|seconds| taken / seconds);
        println!("{database}: {sealed:.0} sealed shares a second, {unsealed:.0} unsealed");
        let what = format!("{database}: rate of sealing and storing to storing alone");
        Ok(at_least(&what, sealed / unsealed, 0.6))
    }

    async fn open(&self) -> Outcome<usize> {
        let open = OpenGuests {
            host: self.host,
            event: self.event,
            starts_at: None,
            code: None,
            channel: Channel::Page,
            stamp: self.stamp()?,
        };
        let page = self.store.open_guests(open, PageRequest::FIRST).await?;
        let mut opened = 0;
        for guest in page.items {
            for proof in guest.fields {
                opened += proof.open(&self.keys)?.disclose().len().min(1);
            }
        }
        Ok(opened)
    }

    /// A page opened, against a plain read of the same rows and one durable commit. It is that of an
    /// event of its own, so that nothing unsealed is on it.
    async fn page(&self, plain: &Path) -> Outcome<bool> {
        let fresh = Self::on(Arc::clone(&self.store)).await?;
        fresh.take(How::Sealed, PAGE).await?;
        let plain = plain_database(plain)?;
        let mut best = [f64::INFINITY; 2];
        for _ in 0..ROUNDS * 20 {
            let start = Instant::now();
            read_and_commit(&plain)?;
            best[0] = best[0].min(start.elapsed().as_secs_f64());
            let start = Instant::now();
            if fresh.open().await? != PAGE * FIELDS.len() {
                return Err("a page does not open".into());
            }
            best[1] = best[1].min(start.elapsed().as_secs_f64());
        }
        let [floor, opened] = best;
        println!(
            "SQLite: a page opened in {:.2} ms, floor {:.2} ms",
            opened * 1e3,
            floor * 1e3
        );
        Ok(at_most(
            "SQLite: a page of 100 shares to a plain read and a commit",
            opened / floor,
            1.5,
        ))
    }

    async fn rotate(self, keys: usize) -> Outcome<bool> {
        let bookings = keys.div_ceil(FIELDS.len());
        let seconds = self.take(How::Sealed, bookings).await?;
        println!(
            "filled with {bookings} shares of {} keys in {seconds:.0} s",
            FIELDS.len()
        );
        // A server that took the new version from the file; everything else is wrapped by the old.
        let newer = MasterKeys::parse(&self.keys.to_file())?.with_new_version(&SystemRandomness)?;
        let stage = Arc::new(Self {
            keys: newer,
            ..self
        });
        let quiet = stage.latencies(Duration::from_secs(10)).await?;
        let ended = Arc::new(AtomicBool::new(false));
        let peak = tokio::spawn(peak_of_memory(Arc::clone(&ended)));
        let service = {
            let (stage, ended) = (Arc::clone(&stage), Arc::clone(&ended));
            tokio::spawn(async move { stage.latencies_until(&ended).await })
        };
        let start = Instant::now();
        let pace = Pace::default();
        let store = stage.store.as_ref();
        let mut told = 0;
        let moved = rewrap(store, &stage.keys, &SystemRandomness, pace, &mut |done| {
            if done / 100_000 > told {
                told = done / 100_000;
                println!("{done} keys wrapped again");
            }
        })
        .await?;
        let seconds = start.elapsed().as_secs_f64();
        ended.store(true, Ordering::Relaxed);
        let (busy, peak) = (service.await??, peak.await??);
        let closed = stage
            .store
            .close_wrappings(stage.keys.newest(), stage.stamp()?)
            .await?;
        let proved = matches!(closed, Closing::Proved(_));
        println!(
            "{moved} keys in {seconds:.0} s, {:.0} a second; {closed:?}",
            moved as f64 / seconds
        );
        println!("latency of a booking, median / 99 %: quiet {quiet}, in rotation {busy}");
        let mut kept = proved;
        kept &= at_most(
            "latency in rotation to latency before, median",
            busy.ratio(&quiet),
            2.0,
        );
        kept &= at_most(
            "peak memory of the process in MiB",
            peak as f64,
            MEMORY_MAX_MIB as f64,
        );
        Ok(kept)
    }

    async fn latencies(&self, time: Duration) -> Outcome<Latencies> {
        let start = Instant::now();
        let mut all = Vec::new();
        while start.elapsed() < time {
            all.push(self.one_booking().await?);
        }
        Ok(Latencies::of(all))
    }

    async fn latencies_until(&self, ended: &AtomicBool) -> Outcome<Latencies> {
        let mut all = Vec::new();
        while !ended.load(Ordering::Relaxed) {
            all.push(self.one_booking().await?);
        }
        Ok(Latencies::of(all))
    }

    /// One booking of a service in use, some twenty a second.
    async fn one_booking(&self) -> Outcome<f64> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let book = self.book(How::Sealed)?;
        let start = Instant::now();
        self.store.book(book).await?;
        Ok(start.elapsed().as_secs_f64())
    }
}

struct Latencies(Vec<f64>);

impl Latencies {
    fn of(mut all: Vec<f64>) -> Self {
        all.sort_by(f64::total_cmp);
        Self(all)
    }

    fn at(&self, share: f64) -> f64 {
        let index = (self.0.len() as f64 * share) as usize;
        self.0
            .get(index.min(self.0.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0.0)
    }

    fn ratio(&self, other: &Self) -> f64 {
        self.at(0.5) / other.at(0.5)
    }
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (median, high) = (self.at(0.5) * 1e3, self.at(0.99) * 1e3);
        write!(f, "{median:.2} / {high:.2} ms of {}", self.0.len())
    }
}

/// The most memory that this process used, in MiB.
async fn peak_of_memory(ended: Arc<AtomicBool>) -> Outcome<u64> {
    let mut peak = 0;
    while !ended.load(Ordering::Relaxed) {
        let status = std::fs::read_to_string("/proc/self/status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = line
            .and_then(|line| line.split_whitespace().next())
            .ok_or("no VmRSS")?
            .parse()?;
        peak = peak.max(kib / 1_024);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(peak)
}

/// The same page without any of it: guests and their data in the clear.
fn plain_database(path: &Path) -> Outcome<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute_batch(
        "CREATE TABLE guests (host TEXT, guest TEXT, code TEXT, PRIMARY KEY (host, guest)) WITHOUT ROWID;
         CREATE TABLE bookings (host TEXT, booking TEXT, event TEXT, guest TEXT, starts_at INTEGER,
             ends_at INTEGER, party INTEGER, PRIMARY KEY (host, booking)) WITHOUT ROWID;
         CREATE INDEX bookings_event ON bookings (host, event, starts_at);
         CREATE TABLE shares (host TEXT, share TEXT, booking TEXT, PRIMARY KEY (host, share)) WITHOUT ROWID;
         CREATE UNIQUE INDEX shares_booking ON shares (host, booking);
         CREATE TABLE fields (host TEXT, share TEXT, field TEXT, value TEXT, PRIMARY KEY (host, share, field)) WITHOUT ROWID;
         CREATE TABLE log (at INTEGER PRIMARY KEY, what TEXT);",
    )?;
    let host = HostId::from_random(bytes()).to_string();
    let event = EventId::from_random(bytes()).to_string();
    for _ in 0..PAGE {
        let (booking, guest) = (
            BookingId::from_random(bytes()),
            GuestId::from_random(bytes()),
        );
        let (booking, guest) = (booking.to_string(), guest.to_string());
        let share = ShareId::from_random(bytes()).to_string();
        connection.execute(
            "INSERT INTO guests VALUES (?1, ?2, 'K7Q-2M4')",
            [&host, &guest],
        )?;
        connection.execute(
            "INSERT INTO bookings VALUES (?1, ?2, ?3, ?4, 1, 2, 1)",
            [&host, &booking, &event, &guest],
        )?;
        connection.execute(
            "INSERT INTO shares VALUES (?1, ?2, ?3)",
            [&host, &share, &booking],
        )?;
        for (field, value) in FIELDS {
            connection.execute(
                "INSERT INTO fields VALUES (?1, ?2, ?3, ?4)",
                [host.as_str(), &share, field, value],
            )?;
        }
    }
    Ok(connection)
}

fn read_and_commit(connection: &Connection) -> Outcome<()> {
    let mut read = 0;
    let mut bookings = connection.prepare_cached(
        "SELECT b.host, b.booking, g.code, b.starts_at, b.ends_at, b.party FROM bookings b
         JOIN guests g ON g.host = b.host AND g.guest = b.guest ORDER BY b.starts_at LIMIT 101",
    )?;
    let mut fields = connection.prepare_cached(
        "SELECT f.field, f.value FROM shares s
         JOIN fields f ON f.host = s.host AND f.share = s.share
         WHERE s.host = ?1 AND s.booking = ?2",
    )?;
    let mut rows = bookings.query([])?;
    while let Some(row) = rows.next()? {
        let (host, booking): (String, String) = (row.get(0)?, row.get(1)?);
        let _code: String = row.get(2)?;
        let mut of = fields.query([host, booking])?;
        while let Some(row) = of.next()? {
            let (_field, value): (String, String) = (row.get(0)?, row.get(1)?);
            read += value.len().min(1);
        }
    }
    if read != PAGE * FIELDS.len() {
        return Err("the plain page is not whole".into());
    }
    connection
        .prepare_cached("INSERT INTO log (what) VALUES ('opened')")?
        .execute([])?;
    Ok(())
}

fn bytes<const N: usize>() -> [u8; N] {
    random::bytes(&SystemRandomness)
}

fn starts_at() -> Outcome<Timestamp> {
    Ok("2036-12-01T18:00:00Z".parse()?)
}

fn offer() -> Outcome<NewEvent> {
    Ok(NewEvent {
        event_type: EventType::BusinessEvent,
        title: "Tasting".to_owned(),
        description: String::new(),
        place: String::new(),
        time_zone: "UTC".to_owned(),
        schedule: Schedule::Occurrences(vec![Occurrence {
            starts_at: starts_at()?,
            ends_at: "2036-12-01T20:00:00Z".parse()?,
        }]),
        capacity: None,
        party_max: 6,
    })
}

fn asked() -> Outcome<Requirements> {
    let rule = |field: &str| -> Outcome<FieldRule> {
        Ok(FieldRule {
            field: field.parse()?,
            label: field.to_owned(),
            kind: ValueKind::Text,
            ask: Ask::Optional,
            purpose: "To greet you.".to_owned(),
            retention_days: 1,
        })
    };
    let rules = FIELDS
        .iter()
        .map(|(field, _)| rule(field))
        .collect::<Outcome<_>>()?;
    Requirements::declare(EventType::BusinessEvent, 1, rules)
        .map_err(|error| format!("{error:?}").into())
}
