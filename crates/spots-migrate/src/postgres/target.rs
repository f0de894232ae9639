//! PostgreSQL as the frame drives it.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use tokio_postgres::Client;

use super::script::{self, from_database, reason, run_failed};
use super::{Backfill, journal, lock, outside, record};
use crate::engine::target::{Filling, One, Progressed, Step, Target, Trouble, Work};
use crate::set::in_transaction_refused;
use crate::{ApplyError, Dialect, Record, Run};

/// The longest pause between two tries for a lock.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// A session, and the fencing token once the lock is held.
pub(super) struct Postgres<'a> {
    pub(super) client: &'a mut Client,
    /// No lock has a negative one.
    pub(super) token: i64,
    /// Locks on tables, as table and mode, while a rehearsal watches.
    pub(super) locks: Option<Mutex<BTreeSet<(String, String)>>>,
}

impl<'a> Postgres<'a> {
    pub(super) fn new(client: &'a mut Client) -> Self {
        Self {
            client,
            token: -1,
            locks: None,
        }
    }

    /// A statement that can be in a transaction commits together with its journal entry.
    async fn inside(&self, one: &One<'_>, lock_timeout: Duration) -> Result<Progressed, Trouble> {
        let done = Progressed::finished();
        let sent = format!(
            "BEGIN;SET LOCAL lock_timeout = {};{}\n;{}COMMIT",
            lock_timeout.as_millis(),
            one.text,
            journal::write(self.token, &one.migration.id, one.step(), &done)
        );
        self.client
            .batch_execute(&sent)
            .await
            .map_err(|error| run_failed(one, error))?;
        Ok(done)
    }

    async fn batch(&mut self, filling: &Filling<'_, dyn Backfill>) -> Result<Progressed, Trouble> {
        let transaction = self.client.transaction().await.map_err(from_database)?;
        let batch = filling
            .backfill
            .batch(&transaction, filling.at.next.as_deref(), filling.rows)
            .await
            .map_err(|error| backfill_failed(&*error))?;
        let after = filling.at.after(batch);
        let id = &filling.migration.id;
        let journal = journal::write(self.token, id, filling.step, &after);
        transaction
            .batch_execute(&journal)
            .await
            .map_err(from_database)?;
        transaction.commit().await.map_err(from_database)?;
        Ok(after)
    }
}

impl Target for Postgres<'_> {
    const DIALECT: Dialect = Dialect::Postgres;
    const BUSY: &'static str = "sessions that hold locks on its tables (see pg_locks)";
    type Backfill = dyn Backfill;

    async fn records(&mut self) -> Result<Vec<Record>, ApplyError> {
        record::read(self.client).await
    }

    async fn take(&mut self, run: &mut Run<'_>) -> Result<(), ApplyError> {
        self.token = lock::take(self.client, run).await?;
        Ok(())
    }

    async fn release(&mut self) -> Result<(), ApplyError> {
        let token = std::mem::replace(&mut self.token, -1);
        lock::release(self.client, token).await
    }

    async fn once(
        &mut self,
        work: &Work<'_, dyn Backfill>,
        lock_timeout: Duration,
    ) -> Result<Progressed, Trouble> {
        let done = match work {
            Work::Change(change) => script::change(self, change, lock_timeout).await,
            Work::Statement(one)
                if in_transaction_refused(one.statement, Dialect::Postgres).is_some() =>
            {
                outside::run(self, one).await
            }
            Work::Statement(one) => self.inside(one, lock_timeout).await,
            Work::Batch(filling) => self.batch(filling).await,
        };
        if done.is_err() {
            // Without an open transaction this is a mere warning; a dead session says so later.
            drop(self.client.batch_execute("ROLLBACK").await);
        }
        done
    }

    async fn pause(&mut self, attempt: u32) {
        let pause = Duration::from_millis(100) * 2_u32.saturating_pow(attempt.min(10) - 1);
        tokio::time::sleep(pause.min(PAUSE_MAX)).await;
    }

    async fn begun(&mut self, id: &str, step: Step) -> Result<Option<Progressed>, Trouble> {
        journal::read(self.client, id, step).await
    }

    async fn count(&mut self, backfill: &Self::Backfill) -> Result<u64, Trouble> {
        backfill
            .count(self.client)
            .await
            .map_err(|error| backfill_failed(&*error))
    }

    fn follow(&mut self, leader: &Self) {
        self.token = leader.token;
    }

    async fn rows(&self, query: &str) -> Result<Vec<Vec<Option<String>>>, ApplyError> {
        script::rows(self.client, query)
            .await
            .map_err(ApplyError::database("ask the database a question"))
    }

    async fn execute(&mut self, statement: &str) -> Result<(), ApplyError> {
        self.client
            .batch_execute(statement)
            .await
            .map_err(ApplyError::database("write into the record of migrations"))
    }

    fn table(name: &str) -> String {
        format!("spots_migrate.{name}")
    }

    fn literal(text: &str) -> String {
        record::literal(text)
    }

    fn later(by: Duration) -> String {
        let seconds = by.as_secs();
        format!(
            "to_char((clock_timestamp() + interval '{seconds} seconds') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
        )
    }
}

fn backfill_failed(error: &(dyn std::error::Error + 'static)) -> Trouble {
    match error.downcast_ref::<tokio_postgres::Error>() {
        Some(error) if script::is_busy(error) => Trouble::Busy,
        Some(error) => Trouble::backfill(&reason(error)),
        None => Trouble::backfill(&error.to_string()),
    }
}
