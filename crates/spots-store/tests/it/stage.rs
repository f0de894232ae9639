//! A store with people, hosts and events on it, and a look behind it by SQL.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::Connection;
use spots_booking::requirement::{Ask, FieldRule, ValueKind};
use spots_booking::{
    BookingId, EventId, EventType, GuestCode, GuestId, HostId, HostKind, NewEvent, Occurrence,
    Refusal, Request, Requirements, Schedule, ShareId,
};
use spots_clock::{AtomicClock, ManualSource};
use spots_migrate::Silent;
use spots_privacy::consent::{NewShareField, Person};
use spots_privacy::{
    AgentId, Epochs, KeySource, KeyTexts, MasterKeys, Personal, Randomness as _, SystemRandomness,
    UserId,
};
use spots_store::model::{
    Book, Channel, EventToAdd, GuestRecord, Host, Idempotency, Message, NewAccount, NewShare,
    OpenGuests, Opening, PageRequest, Selection, ShareFilter, SharedField,
};
use spots_store::{
    HostWindow, PostgresAddress, PostgresOptions, PostgresStore, Roles, SqliteStore, Stamp, Store,
    StoreError,
};
use spots_testkit::postgres::Database;
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// Now, at the beginning of every test.
pub(crate) const NOW: &str = "2026-11-22T12:00:00Z";
/// When events of the stage begin: a first and a second time.
pub(crate) const SLOTS: [&str; 2] = ["2026-12-01T18:00:00Z", "2026-12-02T18:00:00Z"];
const SECOND_NS: u64 = 1_000_000_000;

/// Where the rows are.
enum Place {
    Sqlite(TempDir),
    Postgres(Database),
}

pub(crate) struct Stage {
    pub(crate) store: Arc<dyn Store>,
    place: Place,
    pub(crate) keys: MasterKeys,
    files: KeyFiles,
    clock: AtomicClock,
    time: ManualSource,
}

/// An event with what a booking of it names.
#[derive(Clone, Copy)]
pub(crate) struct Offer {
    pub(crate) host: HostId,
    pub(crate) event: EventId,
    pub(crate) requirements_version: u32,
}

impl Stage {
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = open_sqlite(&directory);
        Self::on(store, Place::Sqlite(directory))
    }

    /// On a copy of this database.
    pub(crate) async fn postgres(template: &Database) -> Self {
        let database = template.copy().unwrap();
        let store = connect_walled(&database).await;
        Self::on(Arc::new(store), Place::Postgres(database))
    }

    /// On a database as it is, with one login for everything.
    pub(crate) fn on_database(store: PostgresStore, database: Database) -> Self {
        Self::on(Arc::new(store), Place::Postgres(database))
    }

    fn on(store: Arc<dyn Store>, place: Place) -> Self {
        let now: Timestamp = NOW.parse().unwrap();
        let start = u64::try_from(now.as_second()).unwrap() * SECOND_NS;
        let (clock, time) = AtomicClock::simulated(start);
        let text = MasterKeys::generate(&SystemRandomness).to_file();
        let files = KeyFiles(Arc::new(Mutex::new((text.to_string(), Epochs::default()))));
        let keys = MasterKeys::from_source(Box::new(files.clone())).unwrap();
        Self {
            store,
            place,
            keys,
            files,
            clock,
            time,
        }
    }

    /// Another process on the same database, where the database allows one.
    pub(crate) async fn replica(&self) -> Arc<dyn Store> {
        match &self.place {
            Place::Sqlite(_) => Arc::clone(&self.store),
            Place::Postgres(database) => Arc::new(connect_walled(database).await),
        }
    }

    /// Whether this stage stands on PostgreSQL.
    pub(crate) fn on_postgres(&self) -> bool {
        matches!(self.place, Place::Postgres(_))
    }

    /// The PostgreSQL database behind this stage.
    pub(crate) fn database(&self) -> &Database {
        match &self.place {
            Place::Postgres(database) => database,
            Place::Sqlite(_) => panic!("this stage stands on SQLite"),
        }
    }

    /// What a host, or nobody, gets for a statement of theirs: the rows as text, or why not.
    pub(crate) async fn as_host(
        &self,
        host: Option<HostId>,
        sql: &str,
    ) -> Result<Vec<String>, String> {
        match &self.place {
            Place::Sqlite(directory) => {
                let path = directory.path().join("spots.sqlite");
                let window = HostWindow::open(&path).unwrap();
                window.set_host(host.map(|host| host.to_string()));
                rows_of(window.walled(), sql).map_err(|error| error.to_string())
            }
            Place::Postgres(_) => {
                let set = host.map(|host| format!("SET spots.host = '{host}'"));
                self.as_role("spots_host", set.as_deref(), sql).await
            }
        }
    }

    /// What a role of PostgreSQL gets for statements, after it was set up.
    pub(crate) async fn as_role(
        &self,
        role: &str,
        set: Option<&str>,
        sql: &str,
    ) -> Result<Vec<String>, String> {
        let url = self.database().url_as(role);
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(set.unwrap_or("")).await.unwrap();
        let answers = client.simple_query(sql).await;
        let answers = answers.map_err(|error| {
            error
                .as_db_error()
                .map_or_else(|| error.to_string(), |error| error.message().to_owned())
        })?;
        let row = |row: &tokio_postgres::SimpleQueryRow| {
            (0..row.len())
                .map(|index| row.get(index).unwrap_or(""))
                .collect::<Vec<_>>()
                .join("|")
        };
        let rows = answers.iter().filter_map(|answer| match answer {
            tokio_postgres::SimpleQueryMessage::Row(found) => Some(row(found)),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Runs statements behind the store's back, as whoever may do everything.
    pub(crate) async fn run(&self, sql: &str) {
        match &self.place {
            Place::Sqlite(directory) => Connection::open(directory.path().join("spots.sqlite"))
                .unwrap()
                .execute_batch(sql)
                .unwrap(),
            Place::Postgres(_) => drop(self.as_role("spots", None, sql).await.unwrap()),
        }
    }

    /// Every table there is.
    pub(crate) async fn tables(&self) -> Vec<String> {
        match &self.place {
            Place::Sqlite(directory) => {
                let path = directory.path().join("spots.sqlite");
                let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
                rows_of(&Connection::open(path).unwrap(), names).unwrap()
            }
            Place::Postgres(_) => {
                let names =
                    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
                self.as_role("spots", None, names).await.unwrap()
            }
        }
    }

    /// Changes the files of keys and epochs as an operator or a server would; the stage's keys are
    /// read again.
    pub(crate) fn change_keys<T>(&self, change: impl FnOnce(&mut String, &mut Epochs) -> T) -> T {
        let answer = {
            let mut files = self.files.0.lock().unwrap();
            let (text, epochs) = &mut *files;
            change(text, epochs)
        };
        self.keys.refresh().unwrap();
        answer
    }

    /// The keys and epochs as they are now, which read nothing again.
    pub(crate) fn loose_keys(&self) -> MasterKeys {
        let files = self.files.0.lock().unwrap();
        let keys = MasterKeys::parse(&files.0).unwrap();
        keys.with_epochs(Epochs::parse(&files.1.to_file()).unwrap())
    }

    /// The bytes of the database's files, the log's included; on PostgreSQL those of the whole
    /// cluster.
    pub(crate) fn files(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match &self.place {
            Place::Sqlite(directory) => read_all(directory.path(), &mut bytes),
            Place::Postgres(database) => read_all(database.cluster_folder(), &mut bytes),
        }
        bytes
    }

    /// The same database, opened once more.
    pub(crate) async fn reopened(&self) -> Arc<dyn Store> {
        match &self.place {
            Place::Sqlite(directory) => open_sqlite(directory),
            Place::Postgres(_) => self.replica().await,
        }
    }

    /// A number that SQL counts behind the store's back.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        match &self.place {
            Place::Sqlite(directory) => Connection::open(directory.path().join("spots.sqlite"))
                .unwrap()
                .query_row(sql, [], |row| row.get(0))
                .unwrap(),
            Place::Postgres(database) => {
                let (client, connection) = tokio_postgres::connect(&database.url(), NoTls)
                    .await
                    .unwrap();
                tokio::spawn(connection);
                client.query_one(sql, &[]).await.unwrap().get(0)
            }
        }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.place, Place::Sqlite(_))
    }

    /// A statement behind the store's back, and what the database says to it.
    pub(crate) async fn execute(&self, sql: &str) -> Result<(), String> {
        match &self.place {
            Place::Sqlite(directory) => Connection::open(directory.path().join("spots.sqlite"))
                .unwrap()
                .execute_batch(sql)
                .map_err(|error| error.to_string()),
            Place::Postgres(database) => {
                let (client, connection) = tokio_postgres::connect(&database.url(), NoTls)
                    .await
                    .unwrap();
                tokio::spawn(connection);
                let done = client.batch_execute(sql).await;
                done.map_err(|error| format!("{error:?}"))
            }
        }
    }

    /// Every column of every table of the platform, as `table.column`.
    pub(crate) async fn columns(&self) -> Vec<String> {
        match &self.place {
            Place::Sqlite(directory) => {
                let sql = "SELECT t.name || '.' || c.name FROM sqlite_schema t
                           JOIN pragma_table_xinfo(t.name) c
                           WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1";
                let connection = Connection::open(directory.path().join("spots.sqlite")).unwrap();
                let mut statement = connection.prepare(sql).unwrap();
                let rows = statement.query_map([], |row| row.get(0)).unwrap();
                rows.collect::<Result<_, _>>().unwrap()
            }
            Place::Postgres(database) => {
                let sql = "SELECT CASE table_schema WHEN 'public' THEN '' ELSE table_schema || '_'
                                  END || table_name || '.' || column_name
                           FROM information_schema.columns
                           WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
                             AND (table_schema, table_name) NOT IN (
                                 SELECT table_schema, table_name FROM information_schema.views)
                           ORDER BY 1";
                let (client, connection) = tokio_postgres::connect(&database.url(), NoTls)
                    .await
                    .unwrap();
                tokio::spawn(connection);
                let rows = client.query(sql, &[]).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.clock.now().unwrap().into()
    }

    /// Lets time pass until this moment.
    pub(crate) fn advance_to(&self, moment: &str) -> Stamp {
        let moment: Timestamp = moment.parse().unwrap();
        self.time
            .set(u64::try_from(moment.as_second()).unwrap() * SECOND_NS);
        self.stamp()
    }

    /// Somebody with an account.
    pub(crate) async fn person(&self) -> Person {
        let person = Person::create(UserId::generate(&SystemRandomness), &SystemRandomness);
        self.store
            .add_account(self.account(&person, &random_text()))
            .await
            .unwrap();
        person
    }

    pub(crate) fn account(&self, person: &Person, email: &str) -> NewAccount {
        let lookup = self.keys.lookup();
        NewAccount {
            user: person.user().clone(),
            agent: person.agent().clone(),
            agent_lookup: lookup.hash("agent", &person.agent().reveal()),
            stored: person.to_stored(&self.keys, &SystemRandomness).unwrap(),
            email_lookup: lookup.hash("email", email),
            password_hash: "$argon2id$test".to_owned(),
            profile: Vec::new(),
        }
    }

    /// A host with a member of its own.
    pub(crate) async fn host(&self, name: &str) -> Host {
        let member = self.person().await;
        let host = Host {
            id: HostId::from_random(random()),
            kind: HostKind::Business,
            name: name.to_owned(),
        };
        self.store
            .add_host(host.clone(), member.user())
            .await
            .unwrap();
        host
    }

    /// A host with one event of two times, which asks for name, phone number and e-mail.
    pub(crate) async fn offer(&self, capacity: Option<u32>) -> Offer {
        let host = self.host("Café Mira").await;
        self.offer_of(&host, capacity).await
    }

    pub(crate) async fn offer_of(&self, host: &Host, capacity: Option<u32>) -> Offer {
        let event = EventToAdd {
            id: EventId::from_random(random()),
            offer: new_event("Tasting", capacity),
            source_uid: None,
        };
        let added = self.store.add_events(host.id, vec![event]).await.unwrap();
        let asked = self
            .store
            .update_requirements(host.id, asked(1))
            .await
            .unwrap();
        Offer {
            host: host.id,
            event: added[0].0,
            requirements_version: asked.requirements.version(),
        }
    }

    /// A booking of the first time for one person who shares nothing.
    pub(crate) fn book(&self, agent: &AgentId, offer: &Offer) -> Book {
        Book {
            agent: agent.clone(),
            host: offer.host,
            event: offer.event,
            request: Request {
                starts_at: SLOTS[0].parse().unwrap(),
                party: 1,
            },
            booking: BookingId::from_random(random()),
            guest: GuestId::from_random(random()),
            codes: [(); 4].map(|()| GuestCode::from_random(random())),
            requirements_version: offer.requirements_version,
            share: None,
            stamp: self.stamp(),
            idempotency: None,
        }
    }

    /// A booking that shares these fields, until a week after the first time.
    pub(crate) fn book_sharing(
        &self,
        agent: &AgentId,
        offer: &Offer,
        fields: &[(&str, &str)],
    ) -> Book {
        let end: Timestamp = "2026-12-08T18:00:00Z".parse().unwrap();
        let id = ShareId::from_random(random());
        let seal = |(field, text): &(&str, &str)| {
            let text = Personal::new(*text);
            let sealed =
                NewShareField::seal(&id.to_string(), field, &text, &self.keys, &SystemRandomness);
            (sealed.unwrap(), i64::try_from(end.as_nanosecond()).unwrap())
        };
        let fields = fields.iter().map(seal).collect();
        let share = Some(NewShare {
            id,
            requirements_hash: [7; 32],
            fields,
        });
        Book {
            share,
            ..self.book(agent, offer)
        }
    }

    /// Takes back, and says how many fields ended.
    pub(crate) async fn revoke(&self, agent: &AgentId, selection: Selection) -> u64 {
        let revoked = self.store.revoke(agent, selection, self.stamp());
        revoked.await.unwrap()
    }

    /// The first page of what a person shares.
    pub(crate) async fn shares(&self, agent: &AgentId, filter: ShareFilter) -> Vec<SharedField> {
        let (now, page) = (self.stamp(), PageRequest::FIRST);
        let found = self.store.list_shares(agent, filter, now, page).await;
        found.unwrap().items
    }

    /// The first page of the openings that a person sees.
    pub(crate) async fn openings(&self, agent: &AgentId) -> Vec<Opening> {
        let found = self.store.list_openings(agent, PageRequest::FIRST).await;
        found.unwrap().items
    }

    /// What waits and is due.
    pub(crate) async fn messages(&self) -> Vec<Message> {
        self.store.list_messages(self.stamp(), 100).await.unwrap()
    }

    /// What the host of an offer sees now, guest by guest: code and opened fields in order.
    pub(crate) async fn open(&self, offer: &Offer) -> Vec<(GuestRecordView, Vec<String>)> {
        let open = self.opening(offer);
        let page = self
            .store
            .open_guests(open, PageRequest::FIRST)
            .await
            .unwrap();
        page.items
            .into_iter()
            .map(|guest| self.read(guest))
            .collect()
    }

    pub(crate) fn opening(&self, offer: &Offer) -> OpenGuests {
        OpenGuests {
            host: offer.host,
            event: offer.event,
            starts_at: None,
            code: None,
            channel: Channel::Page,
            stamp: self.stamp(),
        }
    }

    fn read(&self, guest: GuestRecord) -> (GuestRecordView, Vec<String>) {
        let view = GuestRecordView {
            guest: guest.guest,
            booking: guest.booking,
            cancelled: guest.cancelled,
        };
        let mut fields: Vec<_> = guest
            .fields
            .into_iter()
            .map(|proof| {
                let field = proof.field().to_owned();
                format!("{field}={}", proof.open(&self.keys).unwrap().disclose())
            })
            .collect();
        fields.sort();
        (view, fields)
    }
}

/// The files of keys and epochs.
#[derive(Clone)]
struct KeyFiles(Arc<Mutex<(String, Epochs)>>);

impl KeySource for KeyFiles {
    fn read(&self) -> Result<KeyTexts, Box<dyn std::error::Error + Send + Sync>> {
        let files = self.0.lock().unwrap();
        Ok(KeyTexts {
            keys: files.0.clone().into(),
            epochs: Some(files.1.to_file()),
        })
    }
}

/// The bytes of a file, or of all files of a folder.
pub(crate) fn bytes_of(path: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    if path.is_dir() {
        read_all(path, &mut bytes);
    } else {
        bytes = std::fs::read(path).unwrap();
    }
    bytes
}

fn read_all(folder: &std::path::Path, bytes: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        // A file may go while the database works.
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            read_all(&entry.path(), bytes);
        } else if kind.is_file() {
            bytes.extend(std::fs::read(entry.path()).unwrap_or_default());
        }
    }
}

/// A guest without the proofs, which are used up by reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GuestRecordView {
    pub(crate) guest: GuestId,
    pub(crate) booking: BookingId,
    pub(crate) cancelled: bool,
}

/// A database with tables and no rows.
pub(crate) async fn migrated() -> Database {
    let database = Database::create().unwrap();
    own(&database, "spots_platform").await;
    let options = PostgresOptions::default();
    let url = database.url_as("spots_platform");
    drop(
        PostgresStore::connect(&url, options, &mut Silent)
            .await
            .unwrap(),
    );
    let address = PostgresAddress::parse(&url).unwrap();
    Roles::default().set_up(&address).await.unwrap();
    database
}

/// Gives the database to a role that is no superuser.
async fn own(database: &Database, role: &str) {
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    let role_of_ours = format!("CREATE ROLE {role} LOGIN CREATEROLE");
    // Another test of this process may have made it.
    drop(client.batch_execute(&role_of_ours).await);
    let database: String = client
        .query_one("SELECT quote_ident(current_database())", &[])
        .await
        .unwrap()
        .get(0);
    let owned =
        format!("ALTER DATABASE {database} OWNER TO {role}; ALTER SCHEMA public OWNER TO {role}");
    client.batch_execute(&owned).await.unwrap();
}

/// A store whose paths log in as the roles that an operator gives them.
pub(crate) async fn connect_walled(database: &Database) -> PostgresStore {
    let (url, options) = (
        database.url_as("spots_platform"),
        PostgresOptions::default(),
    );
    let store = PostgresStore::connect(&url, options, &mut Silent)
        .await
        .unwrap();
    let store = store
        .with_host_role(&database.url_as("spots_host"))
        .await
        .unwrap();
    store
        .with_attendee_role(&database.url_as("spots_attendee"))
        .await
        .unwrap()
}

pub(crate) async fn connect(database: &Database, options: PostgresOptions) -> PostgresStore {
    PostgresStore::connect(&database.url(), options, &mut Silent)
        .await
        .unwrap()
}

fn rows_of(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let cells = (0..columns).map(|index| row.get::<_, rusqlite::types::Value>(index));
        let cells = cells.collect::<rusqlite::Result<Vec<_>>>()?;
        let text = cells.into_iter().map(|cell| match cell {
            rusqlite::types::Value::Null => String::new(),
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => format!("{other:?}"),
        });
        found.push(text.collect::<Vec<_>>().join("|"));
    }
    Ok(found)
}

fn open_sqlite(directory: &TempDir) -> Arc<dyn Store> {
    let path = directory.path().join("spots.sqlite");
    Arc::new(SqliteStore::open(&path, &mut Silent).unwrap())
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandomness.fill(&mut bytes);
    bytes
}

pub(crate) fn random_text() -> String {
    EventId::from_random(random()).to_string()
}

pub(crate) fn slot(index: usize) -> Occurrence {
    let starts_at: Timestamp = SLOTS[index].parse().unwrap();
    let hours = jiff::SignedDuration::from_hours(2);
    Occurrence {
        starts_at,
        ends_at: starts_at.checked_add(hours).unwrap(),
    }
}

pub(crate) fn new_event(title: &str, capacity: Option<u32>) -> NewEvent {
    NewEvent {
        event_type: EventType::BusinessEvent,
        title: title.to_owned(),
        description: "Wine and bread.".to_owned(),
        place: "Oderberger Straße".to_owned(),
        time_zone: TimeZone::UTC.iana_name().unwrap().to_owned(),
        schedule: Schedule::Occurrences(vec![slot(0), slot(1)]),
        capacity,
        party_max: 6,
    }
}

/// What hosts of the stage ask; another retention is another version.
pub(crate) fn asked(retention_days: u16) -> Requirements {
    let rule = |field: &str| FieldRule {
        field: field.parse().unwrap(),
        label: field.to_owned(),
        kind: ValueKind::Text,
        ask: Ask::Optional,
        purpose: "To greet you.".to_owned(),
        retention_days,
    };
    let rules = vec![rule("name"), rule("phoneNumber"), rule("email")];
    Requirements::declare(EventType::BusinessEvent, 1, rules).unwrap()
}

pub(crate) fn named(key: &str, digest: u8) -> Idempotency {
    Idempotency {
        key: key.to_owned(),
        digest: [digest; 32],
    }
}

/// The refusal that must have come.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, StoreError>) -> Refusal {
    match answer {
        Err(StoreError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}
