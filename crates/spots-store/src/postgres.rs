//! PostgreSQL: every operation is one transaction, pipelined; bookings of one time share one.
//!
//! # Order of locks
//!
//! Transactions take locks in this order and therefore do not wait for each other in a circle:
//!
//! 0. where stamps are written into the order, the row of the own lease, shared ([`order`]);
//! 1. the rows of `agents`, by id: shared where a booking is taken, so that no account is deleted
//!    under it; alone where an agent cancels, revokes or goes;
//! 2. the rows of `capacity_pools`, by key, then those of `reservations`;
//! 3. the rows of `share_keys`, by key: shared by a host who opens, alone by whatever ends a share.
//!    So an opening is recorded before the revocation is answered, or finds no key;
//! 4. whatever is added.

mod accounts;
mod agents;
mod book;
mod bookings;
mod call_off;
mod cancel;
mod columns;
mod credentials;
mod events;
mod guests;
mod hosts;
mod journal;
mod keys;
mod lanes;
mod ledger;
mod order;
mod rights;
mod session;
mod shares;
mod store;
mod transit;
mod vouchers;
mod wall;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use spots_migrate::{Progress, Run};
use tokio::try_join;
use tokio_postgres::Row;

use self::lanes::Lanes;
use self::order::Order;
use self::session::{Fault, Param, Session, Sql, Work};
pub use self::transit::PostgresAddress;
use self::wall::Path;
pub use self::wall::Roles;
use crate::error::StoreError;
use crate::{legacy, schema};

/// How PostgreSQL is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The most connections of this process.
    pub connections_max: usize,
    /// How long an operation waits for a free connection, in milliseconds.
    pub wait_ms_max: u64,
    /// How long making a connection may take, in milliseconds.
    pub connect_ms_max: u64,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            connections_max: 16,
            wait_ms_max: 10_000,
            connect_ms_max: 5_000,
        }
    }
}

/// The platform's database in PostgreSQL 15 or later. Clones share their connections.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
    options: PostgresOptions,
    /// What hosts' and visitors' reads run on, if not on the platform's own.
    host: Option<Pool>,
    /// What people's reads of their own run on, if not on the platform's own.
    attendee: Option<Pool>,
    lanes: Arc<Lanes>,
    /// One connection for heartbeats, which must not wait behind the work that they keep alive.
    beats: Pool,
    order: Arc<Order>,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects to `postgres://user@host/database` and brings the schema up to date.
    pub async fn connect(
        url: &str,
        options: PostgresOptions,
        progress: &mut (dyn Progress + Send),
    ) -> Result<Self, StoreError> {
        let (beats, pool) = (
            pool(url, 1, options)?,
            pool(url, options.connections_max, options)?,
        );
        let mut connection = pool
            .get()
            .await
            .map_err(|cause| StoreError::failed(CONNECT, cause))?;
        let is_old = legacy::is_old_postgres(&connection)
            .await
            .map_err(|cause| StoreError::failed("look at the database", cause))?;
        legacy::refuse_old(is_old)?;
        let run = &mut Run::by("spots", progress);
        spots_migrate::postgres::apply(
            &mut connection,
            &schema::migrations(),
            &legacy::postgres_backfills(None),
            run,
        )
        .await
        .map_err(|cause| StoreError::failed("bring the database up to date", cause))?;
        wall::raise(&mut connection)
            .await
            .map_err(|cause| StoreError::failed("raise the wall in the database", cause))?;
        Ok(Self {
            pool,
            options,
            host: None,
            attendee: None,
            lanes: Arc::default(),
            beats,
            order: Arc::default(),
        })
    }

    /// Lets hosts' and visitors' reads log in as a role that can see no agent and no key.
    pub async fn with_host_role(mut self, url: &str) -> Result<Self, StoreError> {
        self.host = Some(self.walled(url, Path::Host).await?);
        Ok(self)
    }

    /// Lets people's reads of their own log in as a role that sees the rows of one agent.
    pub async fn with_attendee_role(mut self, url: &str) -> Result<Self, StoreError> {
        self.attendee = Some(self.walled(url, Path::Attendee).await?);
        Ok(self)
    }

    async fn walled(&self, url: &str, path: Path) -> Result<Pool, StoreError> {
        let pool = pool(url, self.options.connections_max, self.options)?;
        let connection = pool.get().await;
        let connection = connection.map_err(|cause| StoreError::failed(CONNECT, cause))?;
        wall::check(&connection, path).await?;
        Ok(pool)
    }

    async fn session(&self) -> Result<Session, Fault> {
        Ok(Session::new(self.pool.get().await?))
    }

    /// Runs one statement that reads what everybody may see, as the role that sees no more.
    async fn public_rows<const N: usize>(
        &self,
        sql: &Sql,
        params: [Param<'_>; N],
    ) -> Result<Vec<Row>, Fault> {
        let pool = self.host.as_ref().unwrap_or(&self.pool);
        Ok(Session::new(pool.get().await?).rows(sql, params).await?)
    }

    /// The same for at most one row.
    async fn public_row<const N: usize>(
        &self,
        sql: &Sql,
        params: [Param<'_>; N],
    ) -> Result<Option<Row>, Fault> {
        Ok(self.public_rows(sql, params).await?.into_iter().next())
    }

    /// Runs one statement that reads what is an agent's own, as the role that sees no more.
    async fn own_rows<const N: usize>(
        &self,
        agent: &str,
        sql: &Sql,
        params: [Param<'_>; N],
    ) -> Result<Vec<Row>, Fault> {
        let pool = self.attendee.as_ref().unwrap_or(&self.pool);
        let session = Session::new(pool.get().await?);
        let ((), (), rows, ()) = try_join!(
            biased;
            session.begin(),
            wall::name_agent(&session, agent),
            session.rows(sql, params),
            session.commit(),
        )?;
        Ok(rows)
    }

    /// A connection on which to read as a host.
    async fn host_session(&self) -> Result<Session, Fault> {
        let pool = self.host.as_ref().unwrap_or(&self.pool);
        Ok(Session::new(pool.get().await?))
    }

    /// Runs one statement by itself.
    async fn rows<const N: usize>(
        &self,
        sql: &Sql,
        params: [Param<'_>; N],
    ) -> Result<Vec<Row>, Fault> {
        Ok(self.session().await?.rows(sql, params).await?)
    }

    /// Runs one statement by itself, for at most one row.
    async fn row<const N: usize>(
        &self,
        sql: &Sql,
        params: [Param<'_>; N],
    ) -> Result<Option<Row>, Fault> {
        Ok(self.rows(sql, params).await?.into_iter().next())
    }

    /// Does work in a transaction.
    async fn transact<W: Work>(&self, work: &W) -> Result<W::Answer, Fault> {
        self.session().await?.transact(work).await
    }
}

const CONNECT: &str = "connect to PostgreSQL";

fn pool(url: &str, connections_max: usize, options: PostgresOptions) -> Result<Pool, StoreError> {
    let (config, connector) = PostgresAddress::parse(url)?.into_parts();
    let recycling = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    Pool::builder(Manager::from_config(config, connector, recycling))
        .max_size(connections_max)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(Duration::from_millis(options.wait_ms_max)))
        .create_timeout(Some(Duration::from_millis(options.connect_ms_max)))
        .build()
        .map_err(|cause| StoreError::failed(CONNECT, cause))
}

#[cfg(test)]
mod tests {
    use spots_migrate::Silent;
    use spots_testkit::postgres::Database;

    use super::*;

    #[tokio::test]
    async fn every_statement_prepares() {
        let database = Database::create().unwrap();
        let store =
            PostgresStore::connect(&database.url(), PostgresOptions::default(), &mut Silent)
                .await
                .unwrap();
        let client = store.pool.get().await.unwrap();
        let modules = [
            accounts::ALL,
            agents::ALL,
            book::ALL,
            bookings::ALL,
            call_off::ALL,
            cancel::ALL,
            credentials::ALL,
            events::ALL,
            guests::ALL,
            hosts::ALL,
            ledger::ALL,
            rights::ALL,
            journal::ALL,
            order::ALL,
            keys::ALL,
            shares::ALL,
            store::ALL,
            vouchers::ALL,
            wall::ALL,
        ];
        for (name, sql) in modules.into_iter().flatten() {
            let prepared = client.prepare_typed(sql.text, sql.types).await;
            let statement = prepared.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_eq!(statement.params(), sql.types, "{name}");
        }
    }
}
