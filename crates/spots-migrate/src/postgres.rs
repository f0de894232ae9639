//! The runner for PostgreSQL 15 or later.
//!
//! A migration and its record commit together, in one round trip. The lock is an advisory one of
//! this session, which dies with it, and is polled for, so that a waiting runner holds no snapshot
//! that a concurrent index build would wait for. Waits use Tokio's timer.

mod catalogue;
mod journal;
mod lock;
mod outside;
mod record;
mod rehearse;
mod script;
mod snapshot;
mod target;

use std::error::Error;
use std::time::Duration;

use tokio_postgres::{Client, Transaction};

pub use self::rehearse::{fingerprint, rehearse, rehearse_with};

use self::target::Postgres;
use crate::engine::gate::{self, Entry};
use crate::engine::{RECORD_FORMAT, frame};
use crate::{
    Applied, ApplyError, Batch, Certificate, Environment, MigrationSet, Record, Refusal, RollBack,
    Run, Standing,
};

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
    apply_beside(client, &mut [], set, backfills, run).await
}

/// Like [`apply`], with migrations of one stage side by side: one on each of these connections to
/// the same database too. The lock stays with `client`.
///
/// # Errors
/// As [`apply`]; what ran beside a failed migration comes to its own end first.
pub async fn apply_beside(
    client: &mut Client,
    beside: &mut [Client],
    set: &MigrationSet,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    let clients = std::iter::once(client).chain(beside);
    let mut targets = clients.map(Postgres::new).collect::<Vec<_>>();
    frame::apply(&mut targets, set, backfills, run).await
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
    client: &mut Client,
    failed: Option<&str>,
    force: bool,
) -> Result<Vec<String>, ApplyError> {
    lock::unlock(client, failed, force).await
}

/// What the database is for, what is in testing and what was rehearsed.
pub async fn standing(client: &mut Client) -> Result<Standing, ApplyError> {
    if record::format(client).await? != Some(RECORD_FORMAT) {
        return Ok(Standing::default());
    }
    gate::standing(&Postgres::new(client)).await
}

/// Says what the database is for. Production takes only a set that was rehearsed from its state.
pub async fn set_environment(
    client: &mut Client,
    environment: Environment,
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    enter(client, &Entry::Environment(environment), run).await
}

/// Writes down that a rehearsal found no problem.
pub async fn record_rehearsal(
    client: &mut Client,
    certificate: &Certificate,
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    enter(client, &Entry::Rehearsed(certificate), run).await
}

/// Puts migrations into testing: nothing that touches the same may start, for so long.
///
/// # Errors
/// Refuses while another owner tests something that touches the same.
pub async fn begin_testing(
    client: &mut Client,
    set: &MigrationSet,
    ids: &[String],
    time: Duration,
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    enter(client, &Entry::Testing(set, ids, time), run).await
}

/// Ends the testing of migrations.
pub async fn end_testing(
    client: &mut Client,
    ids: &[String],
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    enter(client, &Entry::Tested(ids), run).await
}

async fn enter(
    client: &mut Client,
    entry: &Entry<'_>,
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    gate::write(&mut Postgres::new(client), entry, run).await
}
