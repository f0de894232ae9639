//! A connection with a transaction on it: statements in one flush, nothing left behind.
//!
//! Futures that are polled in order put their statements on the wire in order, so
//! `try_join!(biased; session.begin(), session.rows(…), session.commit())` is one round trip.
//! Statements are unnamed and carry their types: safe behind a pooler that hands every
//! transaction another connection.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use deadpool_postgres::{Object, PoolError};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Row};

use crate::error::StoreError;
use crate::rows::Inconsistent;

/// How often a transaction is begun again after losing against another one.
const TRIES_MAX: u32 = 6;

/// A statement with the types of its parameters.
pub(super) struct Sql {
    pub(super) text: &'static str,
    pub(super) types: &'static [Type],
}

/// Declares the statements of a module, and the list of all that a test prepares.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident($($type:ident),*) = $text:expr;)*) => {
        $($(#[$doc])*
        const $name: $crate::postgres::session::Sql = $crate::postgres::session::Sql {
            text: $text,
            types: &[$(tokio_postgres::types::Type::$type),*],
        };)*

        /// Every statement of this module by its name.
        #[cfg(test)]
        pub(super) const ALL: &[(&str, &$crate::postgres::session::Sql)] =
            &[$((stringify!($name), &$name)),*];
    };
}
pub(super) use statements;

/// A parameter of a statement.
pub(super) type Param<'a> = &'a (dyn ToSql + Sync);

/// Why an operation on PostgreSQL does not succeed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    /// An answer for a person.
    #[error(transparent)]
    Refused(#[from] spots_booking::Refusal),
    /// The database says no.
    #[error(transparent)]
    Postgres(#[from] Error),
    /// No connection.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// A row holds what this program never writes.
    #[error(transparent)]
    Row(#[from] Inconsistent),
    /// No timestamp.
    #[error(transparent)]
    Clock(#[from] spots_clock::ClockError),
    /// The place in the order was lost before the work committed.
    #[error("this process's place in the order has ended")]
    Fenced,
    /// No place in the order can be had.
    #[error(transparent)]
    Order(Box<dyn std::error::Error + Send + Sync>),
}

impl Fault {
    pub(super) fn into_error(self, doing: &'static str) -> StoreError {
        match self {
            Self::Refused(refusal) => StoreError::Refused(refusal),
            Self::Postgres(cause) => StoreError::failed(doing, cause),
            Self::Pool(cause) => StoreError::failed(doing, cause),
            Self::Row(cause) => StoreError::failed(doing, cause),
            Self::Clock(cause) => StoreError::failed(doing, cause),
            Self::Fenced => StoreError::failed(doing, self),
            Self::Order(cause) => StoreError::failed(doing, cause),
        }
    }

    /// Whether the same work may succeed when it is begun again: another transaction came first.
    /// After a unique violation the next try sees the row that was in the way.
    fn passes(&self) -> bool {
        let Self::Postgres(error) = self else {
            return false;
        };
        error.code().is_some_and(|code| {
            [
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::T_R_DEADLOCK_DETECTED,
                SqlState::UNIQUE_VIOLATION,
            ]
            .contains(code)
        })
    }
}

/// The work of one transaction; run again when it loses against another.
pub(super) trait Work: Sync {
    /// What comes of it.
    type Answer: Send;

    /// Does it, from [`Session::begin`] to [`Session::commit`]. Without a commit it is undone.
    fn work(&self, session: &Session) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;
}

/// A connection of the pool. One that is dropped inside a transaction never goes back.
pub(super) struct Session {
    connection: Option<Object>,
    open: AtomicBool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(connection: Object) -> Self {
        Self {
            connection: Some(connection),
            open: AtomicBool::new(false),
        }
    }

    fn client(&self) -> &Object {
        self.connection
            .as_ref()
            .expect("a session holds its connection until it is dropped")
    }

    /// Begins a transaction in which every statement sees what was committed before it.
    pub(super) async fn begin(&self) -> Result<(), Error> {
        self.open.store(true, Ordering::Relaxed);
        self.client()
            .batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            .await
    }

    /// Makes everything since [`Self::begin`] durable. In one flush with statements of which one
    /// fails it undoes them instead, and the failure is that statement's.
    pub(super) async fn commit(&self) -> Result<(), Error> {
        self.client().batch_execute("COMMIT").await?;
        self.open.store(false, Ordering::Relaxed);
        Ok(())
    }

    async fn roll_back(&self) -> Result<(), Error> {
        self.client().batch_execute("ROLLBACK").await?;
        self.open.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Runs a statement that gives rows.
    pub(super) async fn rows<const N: usize>(
        &self,
        sql: &Sql,
        params: [Param<'_>; N],
    ) -> Result<Vec<Row>, Error> {
        debug_assert_eq!(sql.types.len(), N, "{}", sql.text);
        let typed: Vec<_> = params.into_iter().zip(sql.types.iter().cloned()).collect();
        self.client().query_typed(sql.text, &typed).await
    }

    /// Runs a statement that gives at most one row of interest.
    pub(super) async fn row<const N: usize>(
        &self,
        sql: &Sql,
        params: [Param<'_>; N],
    ) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// Runs a statement for what it does.
    pub(super) async fn run<const N: usize>(
        &self,
        sql: &Sql,
        params: [Param<'_>; N],
    ) -> Result<(), Error> {
        self.rows(sql, params).await.map(drop)
    }

    /// Runs a statement that would find nothing to do if this holds.
    pub(super) async fn run_unless<const N: usize>(
        &self,
        idle: bool,
        sql: &Sql,
        params: [Param<'_>; N],
    ) -> Result<(), Error> {
        if idle {
            Ok(())
        } else {
            self.run(sql, params).await
        }
    }

    /// Does the work in a transaction; what is not committed in the end is undone.
    pub(super) async fn transact<W: Work>(&self, work: &W) -> Result<W::Answer, Fault> {
        let mut tries = 1;
        loop {
            let done = work.work(self).await;
            if self.open.load(Ordering::Relaxed) {
                self.roll_back().await?;
            }
            match done {
                Err(fault) if fault.passes() && tries < TRIES_MAX => {
                    tracing::debug!(%fault, tries, "begins a transaction again");
                    tries += 1;
                }
                done => return done,
            }
        }
    }
}

impl Drop for Session {
    /// Whoever waited for the transaction is gone: the connection closes, and the server undoes it.
    fn drop(&mut self) {
        if self.open.load(Ordering::Relaxed)
            && let Some(connection) = self.connection.take()
        {
            drop(Object::take(connection));
        }
    }
}
