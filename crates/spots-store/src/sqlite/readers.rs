//! Reading connections, each used by one read at a time.

use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::Fault;
use crate::error::StoreError;

/// A fixed number of connections; reads wait for a free one.
pub(super) struct Readers<C> {
    free: Mutex<Vec<C>>,
    places: Semaphore,
}

/// What a read runs on.
pub(super) trait Reading {
    /// The connection.
    fn connection(&self) -> &Connection;
}

impl Reading for Connection {
    fn connection(&self) -> &Connection {
        self
    }
}

impl<C: Reading> Readers<C> {
    /// Takes the connections.
    pub(super) fn new(connections: Vec<C>) -> Self {
        Self {
            places: Semaphore::new(connections.len()),
            free: Mutex::new(connections),
        }
    }

    /// Runs a read in one snapshot. A read is short and its pages are mostly in memory, so it
    /// runs where it is called instead of paying for a change of threads.
    pub(super) async fn run<T, F>(&self, doing: &'static str, work: F) -> Result<T, StoreError>
    where
        F: FnOnce(&C) -> Result<T, Fault>,
    {
        let place = self.places.acquire().await;
        let place = place.map_err(|closed| StoreError::failed(doing, closed))?;
        let connection = self
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
            .expect("there is a connection for every place");
        let result = in_snapshot(&connection, work);
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
        drop(place);
        result.map_err(|fault| fault.into_error(doing))
    }
}

fn in_snapshot<C: Reading, T>(
    reader: &C,
    work: impl FnOnce(&C) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let connection = reader.connection();
    connection.prepare_cached("BEGIN")?.execute([])?;
    let result = work(reader);
    connection.prepare_cached("ROLLBACK")?.execute([])?;
    result
}
