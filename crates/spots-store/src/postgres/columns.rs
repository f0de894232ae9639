//! Reads the columns of a row from left to right.

use std::str::FromStr;

use jiff::Timestamp;
use spots_booking::{Occurrence, Placed, Pool};
use spots_privacy::{AgentId, UserId, WrappedKey};
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

use super::session::Fault;
use crate::model::{Host, Stamp};
use crate::rows::{Inconsistent, array, count, parse, second};

/// A row and the next column of it.
pub(super) struct Columns<'a> {
    row: &'a Row,
    next: usize,
}

impl<'a> Columns<'a> {
    pub(super) fn of(row: &'a Row) -> Self {
        Self { row, next: 0 }
    }

    /// The next column as it is.
    pub(super) fn take<T: FromSql<'a>>(&mut self) -> Result<T, Fault> {
        let value = self.row.try_get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    /// The next column of text in another form.
    pub(super) fn parse<T: FromStr>(&mut self, column: &'static str) -> Result<T, Fault> {
        Ok(parse(self.take::<&str>()?, column)?)
    }

    pub(super) fn count(&mut self, column: &'static str) -> Result<u32, Fault> {
        Ok(count(i64::from(self.take::<i32>()?), column)?)
    }

    pub(super) fn optional_count(&mut self, column: &'static str) -> Result<Option<u32>, Fault> {
        let number: Option<i32> = self.take()?;
        Ok(number
            .map(|number| count(i64::from(number), column))
            .transpose()?)
    }

    pub(super) fn second(&mut self, column: &'static str) -> Result<Timestamp, Fault> {
        Ok(second(self.take()?, column)?)
    }

    pub(super) fn array<const N: usize>(&mut self, column: &'static str) -> Result<[u8; N], Fault> {
        Ok(array(self.take()?, column)?)
    }

    pub(super) fn agent(&mut self) -> Result<AgentId, Fault> {
        Ok(AgentId::parse(self.take()?).ok_or(Inconsistent("agent_id"))?)
    }

    pub(super) fn user(&mut self) -> Result<UserId, Fault> {
        Ok(UserId::parse(self.take()?).ok_or(Inconsistent("user_id"))?)
    }

    /// `host_id, kind, name`.
    pub(super) fn host(&mut self) -> Result<Host, Fault> {
        Ok(Host {
            id: self.parse("hosts.host_id")?,
            kind: self.parse("hosts.kind")?,
            name: self.take()?,
        })
    }

    /// A moment, its bound and its stamp.
    pub(super) fn stamp(&mut self) -> Result<Stamp, Fault> {
        Ok(Stamp {
            at_ns: self.take()?,
            bound_ns: self.take()?,
            id: self.array("a stamp")?,
        })
    }

    /// `starts_at, ends_at`.
    pub(super) fn slot(&mut self) -> Result<Occurrence, Fault> {
        Ok(Occurrence {
            starts_at: self.second("starts_at")?,
            ends_at: self.second("ends_at")?,
        })
    }

    /// `starts_at, ends_at, party, position`.
    pub(super) fn placed(&mut self) -> Result<Placed, Fault> {
        Ok(Placed {
            slot: self.slot()?,
            party: self.count("reservations.party")?,
            position: self.take()?,
        })
    }

    /// `capacity, taken, next_position`.
    pub(super) fn pool(&mut self) -> Result<Pool, Fault> {
        Ok(Pool {
            capacity: self.optional_count("capacity_pools.capacity")?,
            taken: self.count("capacity_pools.taken")?,
            next_position: self.take()?,
        })
    }

    /// `wrapped_key, master_version`; both are null once the key is destroyed.
    pub(super) fn key(&mut self) -> Result<Option<WrappedKey>, Fault> {
        let bytes: Option<Vec<u8>> = self.take()?;
        let version = self.optional_count("master_version")?;
        Ok(bytes
            .zip(version)
            .map(|(bytes, version)| WrappedKey { version, bytes }))
    }
}

/// A count as the database holds it.
pub(super) fn integer(number: u32, column: &'static str) -> Result<i32, Fault> {
    Ok(i32::try_from(number).or(Err(Inconsistent(column)))?)
}
