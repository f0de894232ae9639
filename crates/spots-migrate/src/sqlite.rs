//! The runner for SQLite.
//!
//! Every change commits together with its record, under a fencing token. Foreign keys are enforced,
//! except where a table is dropped or rebuilt: there they are off, so that nothing cascades, and
//! checked before the commit.

mod catalogue;
mod journal;
mod lock;
mod record;
mod rehearse;
mod script;
mod snapshot;
mod target;

use std::error::Error;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rusqlite::{Connection, Transaction};

pub use self::rehearse::{rehearse, rehearse_with};

use self::target::Sqlite;
use crate::engine::gate::{self, Entry};
use crate::engine::{RECORD_FORMAT, frame};
use crate::{
    Applied, ApplyError, Batch, Certificate, Environment, MigrationSet, Record, Refusal, RollBack,
    Run, Standing,
};

/// A step that needs the program: for example sealing with a key that the database does not have.
///
/// Batches commit one by one with the place where the next goes on, so a crash repeats none.
pub trait Backfill: Send + Sync {
    /// How many rows there are to do, for progress and dry runs.
    fn count(&self, connection: &Connection) -> Result<u64, Box<dyn Error + Send + Sync>>;

    /// Does at most `rows` rows after `from`, inside the transaction that also records them.
    fn batch(
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

/// The backfills that a program registers for SQLite.
pub type Backfills = crate::Backfills<dyn Backfill>;

/// Applies what is pending, in order.
///
/// With nothing to do it takes no lock and writes nothing.
///
/// # Errors
/// Refusals name the next step and leave the database as it was; a failed statement is undone and
/// recorded.
pub fn apply(
    connection: &mut Connection,
    set: &MigrationSet,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    target::refuse_open(connection)?;
    let mut target = [Sqlite::new(connection)];
    at_once(frame::apply(&mut target, set, backfills, run))
}

/// Rolls back, dependants first, each in a transaction of its own.
///
/// # Errors
/// Refusals: no way back, a condition that does not hold, a loss nobody consented to. All are
/// checked before the first change, and each again in its own transaction.
pub fn roll_back(
    connection: &mut Connection,
    set: &MigrationSet,
    backfills: &Backfills,
    target: &RollBack,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    target::refuse_open(connection)?;
    let mut database = Sqlite::new(connection);
    at_once(frame::roll_back(&mut database, set, backfills, target, run))
}

/// What the database remembers, in the order of applying.
pub fn status(connection: &Connection) -> Result<Vec<Record>, ApplyError> {
    record::read(connection)
}

/// Takes over a database that other means brought to the state that the set gives.
///
/// The set is applied to a scratch database, up to [`Run::to`], and the schemas are compared; only
/// when they are equal is everything recorded as applied.
///
/// # Errors
/// A refusal that names each difference; then nothing is recorded.
pub fn adopt(
    connection: &mut Connection,
    set: &MigrationSet,
    backfills: &Backfills,
    run: &mut Run<'_>,
) -> Result<Applied, ApplyError> {
    target::refuse_open(connection)?;
    if !record::read(connection)?.is_empty() {
        return Err(ApplyError::Refused(Refusal::AlreadyRecorded));
    }
    let (applied, what) = rehearse::compare(connection, set, backfills, run.to.as_deref())?;
    if !what.is_empty() {
        return Err(ApplyError::Refused(Refusal::Differs { what }));
    }
    let mut target = Sqlite::new(connection);
    at_once(frame::record_applied(&mut target, set, applied, run))
}

/// Says who holds the lock, and on request frees what an operator has mended: a `failed` migration
/// whose cause lay outside its script, or (`force`) the lock of a run that will not come back.
pub fn unlock(
    connection: &mut Connection,
    failed: Option<&str>,
    force: bool,
) -> Result<Vec<String>, ApplyError> {
    target::refuse_open(connection)?;
    lock::unlock(connection, failed, force)
}

/// What the database is for, what is in testing and what was rehearsed.
pub fn standing(connection: &Connection) -> Result<Standing, ApplyError> {
    if record::format(connection)? != Some(RECORD_FORMAT) {
        return Ok(Standing::default());
    }
    at_once(gate::standing(&Sqlite::new(connection)))
}

/// Says what the database is for. Production takes only a set that was rehearsed from its state.
pub fn set_environment(
    connection: &mut Connection,
    environment: Environment,
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    enter(connection, &Entry::Environment(environment), run)
}

/// Writes down that a rehearsal found no problem.
pub fn record_rehearsal(
    connection: &mut Connection,
    certificate: &Certificate,
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    enter(connection, &Entry::Rehearsed(certificate), run)
}

/// Puts migrations into testing: nothing that touches the same may start, for so long.
///
/// # Errors
/// Refuses while another owner tests something that touches the same.
pub fn begin_testing(
    connection: &mut Connection,
    set: &MigrationSet,
    ids: &[String],
    time: Duration,
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    enter(connection, &Entry::Testing(set, ids, time), run)
}

/// Ends the testing of migrations.
pub fn end_testing(
    connection: &mut Connection,
    ids: &[String],
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    enter(connection, &Entry::Tested(ids), run)
}

fn enter(
    connection: &mut Connection,
    entry: &Entry<'_>,
    run: &mut Run<'_>,
) -> Result<(), ApplyError> {
    target::refuse_open(connection)?;
    at_once(gate::write(&mut Sqlite::new(connection), entry, run))
}

/// Finishes work that never waits: SQLite answers at once, and waits for locks by itself.
fn at_once<F: Future>(work: F) -> F::Output {
    let mut work = std::pin::pin!(work);
    loop {
        if let Poll::Ready(done) = work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}
