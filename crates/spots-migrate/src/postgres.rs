//! The runner for PostgreSQL 15 or later.
//!
//! A migration and its record commit together, in one round trip. The lock is an advisory one of
//! this session, which dies with it, and is polled for, so that a waiting runner holds no snapshot
//! that a concurrent index build would wait for. Waits use Tokio's timer.

mod journal;
mod lock;
mod outside;
mod record;
mod rehearse;
mod script;
mod target;

use std::error::Error;

use tokio_postgres::{Client, Transaction};

pub use self::rehearse::rehearse;

use self::target::Postgres;
use crate::engine::frame;
use crate::{Applied, ApplyError, Batch, MigrationSet, Record, Refusal, RollBack, Run};

/// A step that needs the program: for example sealing with a key that the database does not have.
///
/// Batches commit one by one with the place where the next goes on, so a crash repeats none.
#[async_trait::async_trait]
pub trait Backfill: Send + Sync {
    /// How many rows there are to do, for progress and dry runs.
    async fn count(&self, client: &Client) -> Result<u64, Box<dyn Error + Send + Sync>>;

    /// Does at most `rows` rows after `from`, inside the transaction that also records them.
    async fn batch(
        &self,
        transaction: &Transaction<'_>,
        from: Option<&str>,
        rows: u32,
    ) -> Result<Batch, Box<dyn Error + Send + Sync>>;
}

impl<B: Backfill + 'static> From<B> for Box<dyn Backfill> {
    fn from(backfill: B) -> Self {
        Box::new(backfill)
    }
}

/// The backfills that a program registers for PostgreSQL.
pub type Backfills = crate::Backfills<dyn Backfill>;

/// Applies what is pending, in order.
///
/// With nothing to do it takes no lock and writes nothing.
///
/// # Errors
/// Refusals name the next step and leave the database as it was; a failed statement is undone and
/// recorded.
pub async fn apply(
    client: &mut Client,
    set: &MigrationSet,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    frame::apply(&mut Postgres::new(client), set, backfills, run).await
}

/// Rolls back, dependants first, each in a transaction of its own.
///
/// # Errors
/// Refusals: no way back, a condition that does not hold, a loss nobody consented to. All are
/// checked before the first change, and each again in its own transaction.
pub async fn roll_back(
    client: &mut Client,
    set: &MigrationSet,
    backfills: &Backfills,
    target: &RollBack,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    frame::roll_back(&mut Postgres::new(client), set, backfills, target, run).await
}

/// What the database remembers, in the order of applying.
pub async fn status(client: &Client) -> Result<Vec<Record>, ApplyError> {
    record::read(client).await
}

/// Takes over a database that other means brought to the state that the set gives.
///
/// The set is applied to `scratch`, an empty database of the same server, up to [`Run::to`], and the
/// schemas are compared; only when they are equal is everything recorded as applied.
///
/// # Errors
/// A refusal that names each difference; then nothing is recorded.
pub async fn adopt(
    client: &mut Client,
    scratch: &mut Client,
    set: &MigrationSet,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    if !record::read(client).await?.is_empty() {
        return Err(ApplyError::Refused(Refusal::AlreadyRecorded));
    }
    let applied = apply(scratch, set, backfills, run).await?;
    let what = rehearse::compare(scratch, client).await?;
    if !what.is_empty() {
        return Err(ApplyError::Refused(Refusal::Differs { what }));
    }
    frame::record_applied(&mut Postgres::new(client), set, applied, run).await
}

/// Says who holds the lock, and on request frees what an operator has mended: a `failed` migration
/// whose cause lay outside its script, or (`force`) the lock, by ending its session on the server.
pub async fn unlock(
    client: &Client,
    failed: Option<&str>,
    force: bool,
) -> Result<Vec<String>, ApplyError> {
    lock::unlock(client, failed, force).await
}
