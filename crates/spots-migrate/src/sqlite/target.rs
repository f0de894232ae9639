//! SQLite as the frame drives it.

use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::lock::{self, Settings, is_busy};
use super::{Backfill, journal, record, script};
use crate::engine::frame;
use crate::engine::target::{Change, Filling, One, Progressed, Step, Target, Trouble, Work, cut};
use crate::set::in_transaction_refused;
use crate::{ApplyError, Dialect, Record, Refusal, Run};

/// A connection, and the fencing token once the lock is held.
pub(super) struct Sqlite<'a> {
    pub(super) connection: &'a Connection,
    held: Option<Held>,
}

struct Held {
    token: i64,
    /// What the caller's connection had, for the end.
    settings: Settings,
}

impl<'a> Sqlite<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            held: None,
        }
    }

    /// A token that no lock has, until it is held.
    fn token(&self) -> i64 {
        self.held.as_ref().map_or(-1, |held| held.token)
    }

    /// One transaction: fence, body, foreign keys, commit.
    fn transaction(
        &self,
        foreign_keys_off: bool,
        id: &str,
        body: impl FnOnce(&Transaction<'_>) -> Result<Progressed, Trouble>,
    ) -> Result<Progressed, Trouble> {
        // Has no effect inside a transaction, therefore before it.
        self.connection
            .pragma_update(None, "foreign_keys", !foreign_keys_off)?;
        let transaction =
            Transaction::new_unchecked(self.connection, TransactionBehavior::Immediate)?;
        lock::fence(&transaction, self.token()).map_err(Trouble::Apply)?;
        let before = foreign_keys_off
            .then(|| script::orphans(&transaction))
            .transpose()?;
        let done = body(&transaction)?;
        if let Some(before) = before {
            script::refuse_orphans(&transaction, &before, id)?;
        }
        transaction.commit()?;
        Ok(done)
    }

    fn change(&self, change: &Change<'_>) -> Result<Progressed, Trouble> {
        let statements = change.source.map(|source| cut(source, Dialect::Sqlite));
        let statements = statements.unwrap_or_default();
        let off = script::drops_a_table(&statements);
        self.transaction(off, &change.migration.id, |transaction| {
            if change.conditions {
                super::at_once(frame::conditions(self, change.migration))
                    .map_err(Trouble::Apply)?;
            }
            if let Some(source) = change.source {
                script::execute(transaction, source, &statements)?;
            }
            if let Some(verify) = change.verify {
                script::verify(transaction, verify)?;
            }
            record::write(transaction, change, self.token())?;
            Ok(Progressed::finished())
        })
    }

    fn statement(&self, one: &One<'_>) -> Result<Progressed, Trouble> {
        let outside = one.statement.begins(&["PRAGMA"])
            || in_transaction_refused(one.statement, Dialect::Sqlite).is_some();
        let execute = || {
            self.connection.execute_batch(one.text).map_err(|error| {
                if is_busy(&error) {
                    Trouble::Busy
                } else {
                    one.failed(error.to_string())
                }
            })
        };
        if outside {
            // These can be repeated: a crash before the journal's entry does no harm.
            execute()?;
        }
        let off = script::drops_a_table(std::slice::from_ref(one.statement));
        let id = &one.migration.id;
        self.transaction(off, id, |transaction| {
            if !outside {
                execute()?;
            }
            journal::write(transaction, id, one.step(), Progressed::finished())
        })
    }

    fn batch(&self, filling: &Filling<'_, dyn Backfill>) -> Result<Progressed, Trouble> {
        let id = &filling.migration.id;
        self.transaction(false, id, |transaction| {
            let from = filling.at.next.as_deref();
            let batch = filling
                .backfill
                .batch(transaction, from, filling.rows)
                .map_err(|error| backfill_failed(&*error))?;
            journal::write(transaction, id, filling.step, filling.at.after(batch))
        })
    }
}

#[expect(
    clippy::future_not_send,
    reason = "a connection to SQLite stays on its thread, and nothing here waits"
)]
impl Target for Sqlite<'_> {
    const DIALECT: Dialect = Dialect::Sqlite;
    const BUSY: &'static str = "a connection that writes to the database";
    type Backfill = dyn Backfill;

    async fn records(&mut self) -> Result<Vec<Record>, ApplyError> {
        record::read(self.connection)
    }

    async fn take(&mut self, run: &mut Run<'_>) -> Result<(), ApplyError> {
        let settings = Settings::read(self.connection)?;
        let taken = lock::take(self.connection, run);
        let restored = taken.is_err().then(|| settings.restore(self.connection));
        self.held = Some(Held {
            token: taken?,
            settings,
        });
        restored.unwrap_or(Ok(()))
    }

    async fn release(&mut self) -> Result<(), ApplyError> {
        let Some(held) = self.held.take() else {
            return Ok(());
        };
        let released = lock::release(self.connection, held.token);
        let restored = held.settings.restore(self.connection);
        released.and(restored)
    }

    async fn once(
        &mut self,
        work: &Work<'_, dyn Backfill>,
        lock_timeout: Duration,
    ) -> Result<Progressed, Trouble> {
        self.connection.busy_timeout(lock_timeout)?;
        match work {
            Work::Change(change) => self.change(change),
            Work::Statement(one) => self.statement(one),
            Work::Batch(filling) => self.batch(filling),
        }
    }

    async fn pause(&mut self, _attempt: u32) {
        // The busy timeout has waited already.
    }

    async fn begun(&mut self, id: &str, step: Step) -> Result<Option<Progressed>, Trouble> {
        Ok(journal::read(self.connection, id, step)?)
    }

    async fn count(&mut self, backfill: &Self::Backfill) -> Result<u64, Trouble> {
        backfill
            .count(self.connection)
            .map_err(|error| backfill_failed(&*error))
    }

    fn follow(&mut self, _leader: &Self) {
        // SQLite has one writer: nobody follows.
    }

    async fn rows(&self, query: &str) -> Result<Vec<Vec<Option<String>>>, ApplyError> {
        script::rows(self.connection, query)
            .map_err(ApplyError::database("ask the database a question"))
    }

    async fn execute(&mut self, statement: &str) -> Result<(), ApplyError> {
        self.connection
            .execute_batch(statement)
            .map_err(ApplyError::database("write into the record of migrations"))
    }

    fn table(name: &str) -> String {
        format!("spots_migrate_{name}")
    }

    fn literal(text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    fn later(by: Duration) -> String {
        let seconds = by.as_secs();
        format!("strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '+{seconds} seconds')")
    }
}

fn backfill_failed(error: &(dyn std::error::Error + 'static)) -> Trouble {
    let busy = error.downcast_ref::<rusqlite::Error>().is_some_and(is_busy);
    if busy {
        Trouble::Busy
    } else {
        Trouble::backfill(&error.to_string())
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        if is_busy(&error) {
            Self::Busy
        } else {
            Self::Apply(ApplyError::database("run a migration")(error))
        }
    }
}

/// Refuses a connection that is inside a transaction, which a run could not commit.
pub(super) fn refuse_open(connection: &Connection) -> Result<(), ApplyError> {
    if connection.is_autocommit() {
        Ok(())
    } else {
        Err(ApplyError::Refused(Refusal::InTransaction))
    }
}
