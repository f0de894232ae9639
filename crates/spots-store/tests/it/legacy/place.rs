//! An old database on either engine.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use spots_migrate::{MigrationSet, RollBack, Run, Silent, postgres, sqlite};
use spots_privacy::consent::sha256;
use spots_store::legacy::{Mover, postgres_backfills, sqlite_backfills};
use spots_store::{
    PostgresOptions, PostgresStore, SqliteStore, Store, StoreError, schema::migrations,
};
use spots_testkit::legacy::{Dice, OldDatabase};
use spots_testkit::postgres::Database;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Rows that a cursor gives at once.
const FETCH: usize = 5_000;

pub(super) enum Place {
    Sqlite(TempDir, Mutex<Connection>),
    Postgres(Database, Client),
}

type TextRow = Vec<Option<String>>;

impl Place {
    pub(super) fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let connection = open(&file(&directory));
        Self::Sqlite(directory, Mutex::new(connection))
    }

    pub(super) async fn postgres() -> Self {
        let database = Database::create().unwrap();
        let client = connect(&database.url()).await;
        Self::Postgres(database, client)
    }

    /// The baseline's tables with this much in them.
    pub(super) async fn fill(&mut self, old: OldDatabase) {
        let keys = super::keys();
        self.up(Some(super::BASELINE), &super::mover(&keys)).await;
        self.run("BEGIN").await;
        for statement in old.statements() {
            self.run(&statement).await;
        }
        self.run("COMMIT").await;
    }

    pub(super) async fn run(&self, sql: &str) {
        match self {
            Self::Sqlite(_, connection) => connection.lock().unwrap().execute_batch(sql).unwrap(),
            Self::Postgres(_, client) => client.batch_execute(sql).await.unwrap(),
        }
    }

    pub(super) async fn up(&mut self, to: Option<&str>, mover: &Mover) {
        self.up_set(&migrations(), to, mover).await;
    }

    pub(super) async fn up_set(&mut self, set: &MigrationSet, to: Option<&str>, mover: &Mover) {
        let mut silent = Silent;
        let mut run = Run::by("test", &mut silent);
        if let Some(to) = to {
            run = run.to(to);
        }
        let done = match self {
            Self::Sqlite(_, connection) => {
                let connection = connection.get_mut().unwrap();
                sqlite::apply(connection, set, &sqlite_backfills(Some(mover)), &mut run)
            }
            Self::Postgres(_, client) => {
                postgres::apply(client, set, &postgres_backfills(Some(mover)), &mut run).await
            }
        };
        done.unwrap_or_else(|error| panic!("{error}: {error:?}"));
    }

    pub(super) async fn down(&mut self, target: &RollBack, mover: &Mover) {
        let mut silent = Silent;
        let set = migrations();
        let ids = set.migrations().iter().map(|one| one.id.clone());
        let mut run = Run::by("test", &mut silent).accept_data_loss(ids);
        let done = match self {
            Self::Sqlite(_, connection) => {
                let backfills = sqlite_backfills(Some(mover));
                sqlite::roll_back(
                    connection.get_mut().unwrap(),
                    &set,
                    &backfills,
                    target,
                    &mut run,
                )
            }
            Self::Postgres(_, client) => {
                let backfills = postgres_backfills(Some(mover));
                postgres::roll_back(client, &set, &backfills, target, &mut run).await
            }
        };
        done.unwrap_or_else(|error| panic!("{error}: {error:?}"));
    }

    /// What a rehearsal of everything on this database found.
    pub(super) async fn rehearse(&mut self, mover: &Mover) -> Vec<String> {
        let set = migrations();
        let rehearsal = match self {
            Self::Sqlite(_, connection) => {
                let connection = connection.get_mut().unwrap();
                sqlite::rehearse(Some(connection), &set, &sqlite_backfills(Some(mover)))
            }
            Self::Postgres(_, client) => {
                postgres::rehearse(client, &set, &postgres_backfills(Some(mover))).await
            }
        };
        let rehearsal = rehearsal.unwrap();
        assert!(!rehearsal.steps.is_empty());
        rehearsal.problems
    }

    pub(super) async fn serve(&self) -> Result<Arc<dyn Store>, StoreError> {
        Ok(match self {
            Self::Sqlite(directory, _) => {
                Arc::new(SqliteStore::open(&file(directory), &mut Silent)?)
            }
            Self::Postgres(database, _) => {
                let options = PostgresOptions::default();
                Arc::new(PostgresStore::connect(&database.url(), options, &mut Silent).await?)
            }
        })
    }

    /// Every value as text; bytes as `\x` and hexadecimal digits.
    pub(super) async fn rows(&self, sql: &str) -> Vec<TextRow> {
        match self {
            Self::Sqlite(_, connection) => {
                let connection = connection.lock().unwrap();
                let mut statement = connection.prepare(sql).unwrap();
                let columns = statement.column_count();
                let rows = statement
                    .query_map([], |row| {
                        Ok((0..columns)
                            .map(|at| text(row.get_ref(at).unwrap()))
                            .collect())
                    })
                    .unwrap();
                rows.map(Result::unwrap).collect()
            }
            Self::Postgres(_, client) => client
                .simple_query(sql)
                .await
                .unwrap()
                .into_iter()
                .filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(
                        (0..row.len())
                            .map(|at| row.get(at).map(str::to_owned))
                            .collect(),
                    ),
                    _ => None,
                })
                .collect(),
        }
    }

    pub(super) async fn count(&self, table: &str) -> u64 {
        let rows = self.rows(&format!("SELECT count(*) FROM {table}")).await;
        rows[0][0].as_deref().unwrap().parse().unwrap()
    }

    pub(super) async fn tables(&self) -> Vec<String> {
        let sql = match self {
            Self::Sqlite(..) => "SELECT name FROM sqlite_schema WHERE type = 'table'",
            Self::Postgres(..) => {
                "SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE c.relkind IN ('r', 'm', 'p')
                   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
            }
        };
        let tables = self.rows(sql).await.into_iter();
        let names = tables.map(|row| row[0].clone().unwrap());
        names
            .map(|name| name.trim_start_matches("public.").to_owned())
            .collect()
    }

    /// Hands out every row of a table as one text, a few thousand at a time.
    pub(super) async fn each_row(&self, table: &str, each: &mut (dyn FnMut(&str) + Send)) {
        let Self::Postgres(_, client) = self else {
            let sql = format!("SELECT * FROM {table}");
            let Self::Sqlite(_, connection) = self else {
                return;
            };
            let connection = connection.lock().unwrap();
            let mut statement = connection.prepare(&sql).unwrap();
            let columns = statement.column_count();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values = (0..columns).map(|at| text(row.get_ref(at).unwrap()));
                let values: Vec<_> = values.map(Option::unwrap_or_default).collect();
                each(&values.join("\u{1f}"));
            }
            return;
        };
        let declare = format!("BEGIN; DECLARE all_rows CURSOR FOR SELECT t::text FROM {table} t");
        client.batch_execute(&declare).await.unwrap();
        loop {
            let rows = self.rows(&format!("FETCH {FETCH} FROM all_rows")).await;
            for row in &rows {
                each(row[0].as_deref().unwrap());
            }
            if rows.len() < FETCH {
                break;
            }
        }
        client.batch_execute("COMMIT").await.unwrap();
    }

    /// Rows of each table and a sum of their hashes, whatever their order.
    pub(super) async fn fingerprints(&self, tables: &[&str]) -> Vec<(u64, u128)> {
        let mut all = Vec::new();
        for table in tables {
            let mut print = (0, 0_u128);
            self.each_row(table, &mut |row| {
                let hash = sha256(row.as_bytes());
                print.0 += 1;
                print.1 = print
                    .1
                    .wrapping_add(u128::from_be_bytes(*hash.first_chunk().unwrap()));
            })
            .await;
            all.push(print);
        }
        all
    }

    /// An old application that writes, in its own tables and in their mirrors, until it is refused.
    pub(super) fn writes_until_refused(&self, old: OldDatabase) -> JoinHandle<u64> {
        match self {
            Self::Sqlite(directory, _) => {
                let path = file(directory);
                tokio::task::spawn_blocking(move || {
                    let connection = open(&path);
                    let mut written = 0;
                    loop {
                        let write = one_write(old, written).replacen("BEGIN", "BEGIN IMMEDIATE", 1);
                        if let Err(error) = connection.execute_batch(&write) {
                            if !connection.is_autocommit() {
                                connection.execute_batch("ROLLBACK").unwrap();
                            }
                            if error.to_string().contains("locked") {
                                continue;
                            }
                            return written;
                        }
                        written += 1;
                    }
                })
            }
            Self::Postgres(database, _) => {
                let url = database.url();
                tokio::spawn(async move {
                    let client = connect(&url).await;
                    let mut written = 0;
                    while client.batch_execute(&one_write(old, written)).await.is_ok() {
                        written += 1;
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                    written
                })
            }
        }
    }
}

/// One transaction of an old application; the first statement fails when its tables are gone.
fn one_write(old: OldDatabase, number: u64) -> String {
    let mut all = "BEGIN; UPDATE expertise_events SET title = title WHERE id = '';".to_owned();
    for (table, sql) in change(old, number) {
        for name in [table.to_owned(), format!("mirror_{table}")] {
            all.push_str(&sql.replace('#', &name));
            all.push(';');
        }
    }
    all.push_str("COMMIT;");
    all
}

/// What that transaction changes: tables, and statements in which `#` is the table or its mirror.
fn change(old: OldDatabase, number: u64) -> Vec<(&'static str, String)> {
    let mut dice = Dice::new(old.seed, 77, number);
    let who = old.user_id(dice.below(old.users));
    let other = old.user_id(dice.below(old.users));
    let events = if dice.below(2) == 0 {
        "expertise_events"
    } else {
        "community_events"
    };
    let new = format!("new-{number}");
    match number % 7 {
        0 => vec![(
            "users",
            format!(
                "INSERT INTO # VALUES ('{new}', 'new{number}@old.example', 'Oldname {number}', NULL, NULL)"
            ),
        )],
        1 => vec![(
            "users",
            format!("UPDATE # SET phone_number = '+49{number}' WHERE id = '{who}'"),
        )],
        2 => vec![
            ("users", format!("DELETE FROM # WHERE id = '{who}'")),
            (
                "personality_profiles",
                format!("DELETE FROM # WHERE user_id = '{who}'"),
            ),
        ],
        3 => vec![(
            events,
            format!(
                "INSERT INTO # VALUES ('{new}', '{other}', 'New {number}', 1800000000, 1800007200, '[\"{who}\"]')"
            ),
        )],
        4 => vec![(
            events,
            format!(
                "UPDATE # SET attendee_ids = '[\"{who}\", \"new-{}\"]'
             WHERE id = (SELECT min(id) FROM # WHERE id > '{other}')",
                number - 4
            ),
        )],
        5 => vec![(
            events,
            format!("DELETE FROM # WHERE id = (SELECT min(id) FROM # WHERE id > '{other}')"),
        )],
        _ => vec![(
            "personality_profiles",
            format!(
                "UPDATE # SET profile = '{{\"userId\":\"{who}\",\"n\":{number}}}' WHERE user_id = '{who}'"
            ),
        )],
    }
}

pub(super) fn bytes(text: &str) -> Vec<u8> {
    let digits = text.strip_prefix("\\x").unwrap();
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8(text.to_vec()).unwrap()),
        ValueRef::Blob(bytes) => {
            let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Some(format!("\\x{}", digits.concat()))
        }
    }
}

pub(super) fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("spots.sqlite")
}

pub(super) fn open(path: &std::path::Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    connection
        .pragma_update(None, "journal_mode", "wal")
        .unwrap();
    connection
        .pragma_update(None, "synchronous", "normal")
        .unwrap();
    connection
}

pub(super) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}
