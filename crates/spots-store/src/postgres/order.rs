//! This process's place in the order: a leased node whose incarnation fences it.
//!
//! # Why a late commit is impossible
//!
//! Every transaction that writes stamps into the order first takes a share (`FOR SHARE`) of its
//! lease's row and finds it live, with its own incarnation, before its time is over. Ending a lease
//! changes that row. So whoever ends the lease of a process that fell silent waits for its open
//! transactions, or rather does not wait, and leaves the lease alive until the server has cancelled
//! them for being idle. Only ended leases stop holding the final mark back. A process that wakes up
//! later finds its lease ended at the next fence, and takes a new one, with a new incarnation.
//!
//! The final mark is one row, and whoever takes a place or moves the mark locks it. A place begins
//! above everything that was ever stamped.

mod lease;

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use async_trait::async_trait;
use spots_clock::closed::OpenTimestamps;
use spots_clock::{AtomicClock, AtomicTimestamp, NodeIdentity, Remote, TimestampId};
use tokio::sync::Mutex as AsyncMutex;
use tokio_postgres::Row;

use super::PostgresStore;
use super::columns::Columns;
use super::session::{Fault, Session, Work};
use crate::error::StoreError;
use crate::model::Stamp;
use crate::rows::Inconsistent;
use crate::store::order::{OrderStatus, OrderStore};

/// How often a write takes a new place after losing one.
const TRIES_MAX: u32 = 3;

/// Every statement of this module by its name.
#[cfg(test)]
pub(super) const ALL: &[(&str, &super::session::Sql)] = lease::ALL;

/// How this process takes part in the order.
#[derive(Default)]
pub(super) struct Order {
    clock: OnceLock<Arc<AtomicClock>>,
    /// Held while a place is taken or given back.
    place: AsyncMutex<Option<Arc<Place>>>,
    /// The same for whoever only looks.
    seen: Mutex<Weak<Place>>,
    leases: AtomicU64,
    final_ns: AtomicI64,
}

/// A leased place, until it is lost.
pub(super) struct Place {
    clock: Arc<AtomicClock>,
    identity: NodeIdentity,
    open: Mutex<OpenTimestamps>,
    held: AtomicU64,
    lost: AtomicBool,
}

impl Place {
    fn open(&self) -> MutexGuard<'_, OpenTimestamps> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    fn lose(&self) {
        self.lost.store(true, Ordering::Release);
    }

    fn numbers(&self) -> (i32, i32) {
        numbers(self.identity)
    }

    /// What this process promises now: its closed timestamp and its last one.
    fn promise(&self) -> Result<(i64, i64), Fault> {
        let just_issued = self.clock.now()?;
        let closed = self.open().close(&just_issued);
        Ok((signed(closed), signed(just_issued.nanoseconds())))
    }
}

fn numbers(identity: NodeIdentity) -> (i32, i32) {
    let incarnation = i32::try_from(identity.incarnation()).expect("22 bits fit 31");
    (i32::from(identity.node()), incarnation)
}

fn signed(nanoseconds: u64) -> i64 {
    i64::try_from(nanoseconds).unwrap_or(i64::MAX)
}

/// Stamps of one transaction: open until it is known what became of it.
pub(super) struct Opened {
    place: Arc<Place>,
    stamps: Mutex<Vec<AtomicTimestamp>>,
}

impl Opened {
    /// The next stamp for something that this transaction writes.
    pub(super) fn issue(&self) -> Result<Stamp, Fault> {
        let stamp = self.place.open().open(|| self.place.clock.now())?;
        self.place.held.fetch_add(1, Ordering::Relaxed);
        self.stamps
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(stamp);
        Ok(stamp.into())
    }

    /// Stamps from now on lie after this one of a stream.
    pub(super) fn follow(&self, last: Option<Row>) -> Result<(), Fault> {
        let Some(row) = last else { return Ok(()) };
        let stamp: [u8; 16] = Columns::of(&row).array("journal_entries.stamp")?;
        let stamp =
            TimestampId::from_bytes(stamp).or(Err(Inconsistent("journal_entries.stamp")))?;
        let followed = self.place.clock.catch_up(stamp);
        followed.map_err(|cause| Fault::Order(cause.into()))
    }

    /// Fails the transaction unless the place is still ours, and keeps it ours until the end.
    pub(super) async fn fence(&self, session: &Session) -> Result<bool, tokio_postgres::Error> {
        lease::fence(session, self.place.numbers()).await
    }

    /// The transaction has ended. Where nobody can know how, its stamps stay open and the place is
    /// given up: it ends when the database has ended the transaction.
    fn settle<T>(self, outcome: &Result<T, Fault>) {
        match outcome {
            Err(Fault::Fenced) => self.place.lose(),
            Err(Fault::Postgres(error)) if error.code().is_none() => return,
            _ => {}
        }
        let mut stamps = self.stamps.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = self.place.open();
        for stamp in stamps.drain(..) {
            open.settle(&stamp);
            self.place.held.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let stamps = self
            .stamps
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if !stamps.is_empty() {
            self.place.lose();
        }
    }
}

/// Work that writes stamps into the order.
pub(super) trait OrderedWork: Sync {
    /// What comes of it.
    type Answer: Send;

    /// Does it like [`Work::work`]; stamps come from `opened`, which also fences it: a fence that
    /// is not passed must end in [`Fault::Fenced`].
    fn work(
        &self,
        session: &Session,
        opened: &Opened,
    ) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;
}

struct Within<'a, W> {
    work: &'a W,
    opened: &'a Opened,
}

impl<W: OrderedWork> Work for Within<'_, W> {
    type Answer = W::Answer;

    async fn work(&self, session: &Session) -> Result<W::Answer, Fault> {
        self.work.work(session, self.opened).await
    }
}

impl PostgresStore {
    /// The same store with the process's clock, which from now on also leads its order.
    #[must_use]
    pub fn with_clock(self, clock: Arc<AtomicClock>) -> Self {
        // The first one stays: a place that was taken already has stamped with it.
        drop(self.order.clock.set(clock));
        self
    }

    /// Does work in a transaction of the order, to its end even if whoever asked goes away: a
    /// transaction whose end nobody has seen would cost the place.
    pub(super) async fn transact_in_order<W>(&self, work: W) -> Result<W::Answer, Fault>
    where
        W: OrderedWork + Send + 'static,
        W::Answer: 'static,
    {
        let store = self.clone();
        let done = tokio::spawn(async move {
            let session = store.session().await?;
            store.transact_on(&session, &work).await
        });
        done.await
            .unwrap_or_else(|cause| Err(Fault::Order(cause.into())))
    }

    /// The same on a connection that the caller holds, in a task that nobody gives up.
    pub(super) async fn transact_on<W: OrderedWork>(
        &self,
        session: &Session,
        work: &W,
    ) -> Result<W::Answer, Fault> {
        let mut tries = 1;
        loop {
            let opened = Opened {
                place: self.place(session).await?,
                stamps: Mutex::default(),
            };
            let within = Within {
                work,
                opened: &opened,
            };
            let outcome = session.transact(&within).await;
            opened.settle(&outcome);
            match outcome {
                Err(Fault::Fenced) if tries < TRIES_MAX => tries += 1,
                outcome => return outcome,
            }
        }
    }

    /// The place of this process; takes one if there is none.
    async fn place(&self, session: &Session) -> Result<Arc<Place>, Fault> {
        let mut held = self.order.place.lock().await;
        if let Some(place) = held.as_ref().filter(|place| !place.is_lost()) {
            return Ok(Arc::clone(place));
        }
        let clock = self.order.clock()?;
        let join = lease::Join {
            now_ns: signed(clock.status().server_time),
        };
        let joined = session.transact(&join).await?;
        clock
            .catch_up(Remote::from_nanoseconds(joined.above.unsigned_abs()))
            .map_err(|cause| Fault::Order(cause.into()))?;
        clock.adopt(joined.identity);
        let place = Arc::new(Place {
            clock,
            identity: joined.identity,
            open: Mutex::default(),
            held: AtomicU64::new(0),
            lost: AtomicBool::new(false),
        });
        self.order.leases.fetch_add(1, Ordering::Relaxed);
        *self.order.seen() = Arc::downgrade(&place);
        *held = Some(Arc::clone(&place));
        let (pool, order) = (self.beats.clone(), Arc::downgrade(&self.order));
        tokio::spawn(lease::beat(pool, order, Arc::downgrade(&place)));
        Ok(place)
    }
}

impl Order {
    /// The process's clock, or one of its own for a process that has none.
    fn clock(&self) -> Result<Arc<AtomicClock>, Fault> {
        if let Some(clock) = self.clock.get() {
            return Ok(Arc::clone(clock));
        }
        let clock = AtomicClock::volatile().map_err(|cause| Fault::Order(cause.into()))?;
        Ok(Arc::clone(self.clock.get_or_init(|| Arc::new(clock))))
    }

    fn seen(&self) -> MutexGuard<'_, Weak<Place>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl OrderStore for PostgresStore {
    async fn join_order(&self) -> Result<NodeIdentity, StoreError> {
        let joining = async || self.place(&self.session().await?).await;
        match joining().await {
            Ok(place) => Ok(place.identity),
            Err(fault) => Err(fault.into_error("take a place in the database's order")),
        }
    }

    async fn leave_order(&self) -> Result<(), StoreError> {
        const DOING: &str = "give a place in the order back";
        let Some(place) = self.order.place.lock().await.take() else {
            return Ok(());
        };
        let leaving = async || {
            let (closed, high) = place.promise()?;
            // With something still open, the place is left to end by itself.
            if place.is_lost() || closed < high - 1 {
                return Ok(());
            }
            place.lose();
            self.transact(&lease::Leave {
                numbers: place.numbers(),
                last_ns: high,
            })
            .await
        };
        leaving()
            .await
            .map_err(|fault: Fault| fault.into_error(DOING))
    }

    fn order(&self) -> OrderStatus {
        let place = self.order.seen().upgrade();
        let place = place.filter(|place| !place.is_lost());
        let order = place.as_ref().map(|place| {
            let status = place.clock.status();
            status.server_time.saturating_add(status.lead)
        });
        let known = self.order.final_ns.load(Ordering::Relaxed).unsigned_abs();
        OrderStatus {
            node: place.as_ref().map(|place| place.identity),
            open: place.map_or(0, |place| place.held.load(Ordering::Relaxed)),
            leases_total: self.order.leases.load(Ordering::Relaxed),
            final_lag_ns: order
                .filter(|_| known > 0)
                .map(|order| order.saturating_sub(known)),
        }
    }
}
