//! Bookings of one time of one event that wait while a transaction runs share the next one.
//!
//! A hot event is bound by row lock × commit latency. Here its lock is taken once for all that
//! wait, so the more wait, the more each commit carries.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use spots_booking::{EventId, HostId, Refusal};
use tokio::sync::oneshot;

use super::PostgresStore;
use super::book::{Batch, Outcome};
use super::session::{Fault, Session};
use crate::error::StoreError;
use crate::model::{Book, Booked};

/// What a booking that fails was doing.
const DOING: &str = "take a booking";
/// Bookings that share one transaction.
const BATCH_MAX: usize = 128;
/// Bookings that may wait for one time of one event in this process.
const WAITING_MAX: usize = 10_000;

/// One pool of places: host, event, beginning of the slot in seconds.
pub(super) type Lane = (HostId, EventId, i64);

struct Waiting {
    book: Book,
    asker: oneshot::Sender<Result<Booked, StoreError>>,
}

/// Who waits for which pool. A lane is here exactly while a task drives it.
#[derive(Default)]
pub(super) struct Lanes(Mutex<BTreeMap<Lane, VecDeque<Waiting>>>);

impl Lanes {
    fn held(&self) -> MutexGuard<'_, BTreeMap<Lane, VecDeque<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a booking; says whether its lane is new and wants a driver.
    fn enter(&self, lane: Lane, waiting: Waiting) -> Result<bool, Refusal> {
        let mut lanes = self.held();
        let new = !lanes.contains_key(&lane);
        let queue = lanes.entry(lane).or_default();
        if queue.len() >= WAITING_MAX {
            let most = WAITING_MAX as u64;
            return Err(Refusal::Limit {
                what: "bookings that wait for this time",
                most,
            });
        }
        queue.push_back(waiting);
        Ok(new)
    }

    /// Takes the next batch; takes the lane away when nobody waits.
    fn take(&self, lane: &Lane) -> Option<Vec<Waiting>> {
        let mut lanes = self.held();
        let queue = lanes.get_mut(lane)?;
        let most = queue.len().min(BATCH_MAX);
        if most == 0 {
            lanes.remove(lane);
            return None;
        }
        Some(queue.drain(..most).collect())
    }
}

/// Takes a booking, together with those that wait for the same places. It is taken or refused
/// even if whoever asked does not wait for the answer.
pub(super) async fn book(store: &PostgresStore, book: Book) -> Result<Booked, StoreError> {
    let lane = (book.host, book.event, book.request.starts_at.as_second());
    let (asker, answer) = oneshot::channel();
    if store.lanes.enter(lane, Waiting { book, asker })? {
        let driver = Driver {
            store: store.clone(),
            lane,
            done: false,
        };
        tokio::spawn(driver.drive());
    }
    answer
        .await
        .map_err(|gone| StoreError::failed(DOING, gone))?
}

/// Serves one lane until nobody waits.
struct Driver {
    store: PostgresStore,
    lane: Lane,
    done: bool,
}

impl Driver {
    async fn drive(mut self) {
        loop {
            // First the connection: who comes while it is waited for shares the transaction.
            let session = self.store.session().await;
            let Some(waiting) = self.store.lanes.take(&self.lane) else {
                break;
            };
            match session {
                Ok(session) => self.serve(&session, waiting).await,
                Err(fault) => fail(waiting, &fault.into_error(DOING)),
            }
        }
        self.done = true;
    }

    async fn serve(&self, session: &Session, waiting: Vec<Waiting>) {
        let (books, askers): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .map(|waiting| (waiting.book, waiting.asker))
            .unzip();
        let outcomes = self.take(session, &books).await;
        for (asker, outcome) in askers.into_iter().zip(outcomes) {
            // Whoever asked may have gone; the booking stands all the same.
            drop(asker.send(outcome));
        }
    }

    /// Takes all in one transaction, or, where one of them makes it fail, each in its own.
    async fn take(&self, session: &Session, books: &[Book]) -> Vec<Result<Booked, StoreError>> {
        match self.take_together(session, books).await {
            Ok(outcomes) => return outcomes.into_iter().map(answer).collect(),
            Err(fault) if books.len() == 1 => return vec![Err(fault.into_error(DOING))],
            Err(fault) => {
                tracing::warn!(%fault, bookings = books.len(), "takes bookings one by one");
            }
        }
        let mut outcomes = Vec::with_capacity(books.len());
        for book in books {
            let alone = self
                .take_together(session, std::slice::from_ref(book))
                .await;
            outcomes.push(match alone {
                Ok(mut outcomes) => answer(outcomes.pop().expect("one outcome a booking")),
                Err(fault) => Err(fault.into_error(DOING)),
            });
        }
        outcomes
    }

    async fn take_together(
        &self,
        session: &Session,
        books: &[Book],
    ) -> Result<Vec<Outcome>, Fault> {
        let batch = Batch {
            lane: self.lane,
            books,
        };
        // The statements of a batch are many; so its future is kept on the heap.
        Box::pin(self.store.transact_on(session, &batch)).await
    }
}

impl Drop for Driver {
    /// A driver that dies tells everyone who waits, by dropping their askers.
    fn drop(&mut self) {
        if !self.done {
            self.store.lanes.held().remove(&self.lane);
        }
    }
}

fn answer(outcome: Outcome) -> Result<Booked, StoreError> {
    outcome.map_err(StoreError::Refused)
}

fn fail(waiting: Vec<Waiting>, error: &StoreError) {
    let cause = std::error::Error::source(error).map_or_else(String::new, ToString::to_string);
    for Waiting { asker, .. } in waiting {
        drop(asker.send(Err(StoreError::failed(DOING, cause.clone()))));
    }
}
