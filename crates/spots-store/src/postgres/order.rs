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

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use spots_clock::closed::OpenTimestamps;
use spots_clock::{AtomicClock, AtomicTimestamp, NodeIdentity, Remote, TimestampId};
use tokio::sync::Mutex as AsyncMutex;
use tokio::try_join;
use tokio_postgres::Row;

use super::PostgresStore;
use super::columns::Columns;
use super::session::{Fault, Param, Session, Work, statements};
use crate::error::StoreError;
use crate::model::Stamp;
use crate::rows::Inconsistent;
use crate::store::order::{OrderStatus, OrderStore};

/// How long a lease lasts without a heartbeat, in milliseconds.
const LEASE_MS: i64 = 5_000;
/// How often a lease is renewed and the final mark moved.
const BEAT_EVERY: Duration = Duration::from_millis(250);
/// A transaction of the order that its process leaves idle is cancelled after this, so that a
/// process that fell silent does not hold the order up.
const IDLE_MS_MAX: &str = "10000";
/// A process whose clock is further from the database's than this takes no place; so any two are
/// within each other's poison cap.
const SKEW_NS_MAX: i64 = 30_000_000_000;
/// How often a write takes a new place after losing one.
const TRIES_MAX: u32 = 3;

/// The database's clock in nanoseconds since the Unix epoch; `now()` would be the transaction's
/// beginning.
macro_rules! now_ns {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000000000)::int8"
    };
}

statements! {
    LIMIT_IDLE(TEXT) = "SELECT set_config('idle_in_transaction_session_timeout', $1, true)";
    LOCK_FINAL() = concat!("SELECT final_ns, ", now_ns!(), " FROM clock_final FOR UPDATE");
    END_EXPIRED() =
        concat!("UPDATE clock_leases SET live = 0
         WHERE node_id IN (
             SELECT l.node_id FROM clock_leases l
             JOIN clock_heartbeats h ON h.node_id = l.node_id
             WHERE l.live = 1 AND h.expires_ns <= ", now_ns!(), "
             FOR UPDATE OF l SKIP LOCKED)");
    FREE(INT4) =
        "SELECT node_id, incarnation FROM clock_leases
         WHERE live = 0 AND incarnation < $1 ORDER BY node_id LIMIT 1";
    LAST() = "SELECT COALESCE(max(node_id), 0) FROM clock_leases";
    LEASE(INT4, INT4) =
        "INSERT INTO clock_leases (node_id, incarnation, live) VALUES ($1, $2, 1)
         ON CONFLICT (node_id) DO UPDATE SET incarnation = excluded.incarnation, live = 1";
    HIGHEST() =
        "SELECT GREATEST((SELECT final_ns FROM clock_final),
                         (SELECT COALESCE(max(high_ns), 0) FROM clock_heartbeats))";
    BEGIN_BEATING(INT4, INT4, INT8, INT8) =
        concat!("INSERT INTO clock_heartbeats (node_id, incarnation, expires_ns, closed_ns, high_ns)
         VALUES ($1, $2, ", now_ns!(), " + $3 * 1000000, $4, $4)
         ON CONFLICT (node_id) DO UPDATE SET
             incarnation = excluded.incarnation, expires_ns = excluded.expires_ns,
             closed_ns = excluded.closed_ns, high_ns = excluded.high_ns");
    BEAT(INT4, INT4, INT8, INT8, INT8) =
        concat!("UPDATE clock_heartbeats h
         SET expires_ns = ", now_ns!(), " + $3 * 1000000,
             closed_ns = GREATEST(h.closed_ns, $4), high_ns = GREATEST(h.high_ns, $5)
         FROM clock_leases l
         WHERE h.node_id = $1 AND h.incarnation = $2
           AND l.node_id = $1 AND l.incarnation = $2 AND l.live = 1
         RETURNING 1");
    /// The least closed timestamp of the live leases; with none, nothing more becomes final.
    MOVE_FINAL() =
        "UPDATE clock_final
         SET final_ns = GREATEST(final_ns, COALESCE((
             SELECT min(h.closed_ns) FROM clock_leases l
             JOIN clock_heartbeats h ON h.node_id = l.node_id
             WHERE l.live = 1), final_ns))
         RETURNING final_ns,
             (SELECT COALESCE(max(h.high_ns), 0) FROM clock_leases l
              JOIN clock_heartbeats h ON h.node_id = l.node_id WHERE l.live = 1)";
    CLOSE(INT4, INT4, INT8) =
        "UPDATE clock_heartbeats SET expires_ns = 0, closed_ns = $3, high_ns = $3
         WHERE node_id = $1 AND incarnation = $2";
    END(INT4, INT4) =
        "UPDATE clock_leases SET live = 0 WHERE node_id = $1 AND incarnation = $2";
    /// `FOR KEY SHARE` would not do: ending a lease changes no key, and would not wait for it.
    FENCE(INT4, INT4) =
        concat!("SELECT 1 FROM clock_leases l
         WHERE l.node_id = $1 AND l.incarnation = $2 AND l.live = 1
           AND EXISTS (SELECT 1 FROM clock_heartbeats h
                       WHERE h.node_id = $1 AND h.incarnation = $2 AND h.expires_ns > ", now_ns!(), ")
         FOR SHARE OF l");
}

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
        let (node, incarnation) = self.place.numbers();
        let ((), ours) = try_join!(
            biased;
            session.run(&LIMIT_IDLE, [&IDLE_MS_MAX]),
            session.row(&FENCE, [&node, &incarnation]),
        )?;
        Ok(ours.is_some())
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
        let join = Join {
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
        tokio::spawn(beat(pool, order, Arc::downgrade(&place)));
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
            self.transact(&Leave {
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

/// Takes a node that nobody holds, or a new one, above everything that was stamped.
struct Join {
    now_ns: i64,
}

struct Joined {
    identity: NodeIdentity,
    above: i64,
}

impl Work for Join {
    type Answer = Joined;

    async fn work(&self, session: &Session) -> Result<Joined, Fault> {
        let most = i32::try_from(NodeIdentity::INCARNATION_MAX).unwrap_or(i32::MAX);
        let ((), (), locked, (), free, last, above) = try_join!(
            biased;
            session.begin(),
            session.run(&LIMIT_IDLE, [&IDLE_MS_MAX]),
            session.row(&LOCK_FINAL, []),
            session.run(&END_EXPIRED, []),
            session.row(&FREE, [&most]),
            session.row(&LAST, []),
            session.row(&HIGHEST, []),
        )?;
        let locked = locked.ok_or(Inconsistent("clock_final"))?;
        let database_ns: i64 = locked.try_get(1)?;
        let skew = self.now_ns.saturating_sub(database_ns);
        if skew.saturating_abs() > SKEW_NS_MAX {
            return Err(Fault::Order(
                format!(
                    "this server's clock is {} s {} the database's; synchronise both and start again",
                    skew.unsigned_abs() / 1_000_000_000,
                    if skew > 0 { "ahead of" } else { "behind" },
                )
                .into(),
            ));
        }
        let above: i64 = above.map_or(Ok(0), |row| row.try_get(0))?;
        let (node, incarnation): (i32, i32) = match free {
            Some(row) => {
                let mut columns = Columns::of(&row);
                (columns.take()?, columns.take::<i32>()? + 1)
            }
            None => (last.map_or(Ok(0), |row| row.try_get::<_, i32>(0))? + 1, 1),
        };
        let identity = u16::try_from(node)
            .ok()
            .zip(u32::try_from(incarnation).ok())
            .and_then(|(node, incarnation)| NodeIdentity::new(node, incarnation))
            .ok_or_else(|| Fault::Order("all 65,535 nodes of this database are used up".into()))?;
        try_join!(
            biased;
            session.run(&LEASE, [&node, &incarnation]),
            session.run(&BEGIN_BEATING, [&node, &incarnation, &LEASE_MS, &above]),
            session.commit(),
        )?;
        Ok(Joined { identity, above })
    }
}

/// Gives a place back, with its exact last stamp.
struct Leave {
    numbers: (i32, i32),
    last_ns: i64,
}

impl Work for Leave {
    type Answer = ();

    async fn work(&self, session: &Session) -> Result<(), Fault> {
        let (node, incarnation) = self.numbers;
        try_join!(
            biased;
            session.begin(),
            session.run(&LIMIT_IDLE, [&IDLE_MS_MAX]),
            session.run(&LOCK_FINAL, []),
            session.run(&CLOSE, [&node, &incarnation, &self.last_ns]),
            session.run(&MOVE_FINAL, []),
            session.run(&END, [&node, &incarnation]),
            session.commit(),
        )?;
        Ok(())
    }
}

/// Renews a lease, ends those that expired, and moves the final mark; all in one flush, so that the
/// database finishes it even if this process is stopped in the middle.
struct Beat {
    numbers: (i32, i32),
    promise: (i64, i64),
}

/// What a heartbeat finds: nothing if the lease has ended.
struct Beaten {
    final_ns: i64,
    high_ns: i64,
}

impl Work for Beat {
    type Answer = Option<Beaten>;

    async fn work(&self, session: &Session) -> Result<Option<Beaten>, Fault> {
        let (node, incarnation) = self.numbers;
        let (closed, high) = self.promise;
        let beat: [Param<'_>; 5] = [&node, &incarnation, &LEASE_MS, &closed, &high];
        let ((), (), (), ours, (), mark, ()) = try_join!(
            biased;
            session.begin(),
            session.run(&LIMIT_IDLE, [&IDLE_MS_MAX]),
            session.run(&LOCK_FINAL, []),
            session.row(&BEAT, beat),
            session.run(&END_EXPIRED, []),
            session.row(&MOVE_FINAL, []),
            session.commit(),
        )?;
        let mark = mark.ok_or(Inconsistent("clock_final"))?;
        let mut columns = Columns::of(&mark);
        let beaten = Beaten {
            final_ns: columns.take()?,
            high_ns: columns.take()?,
        };
        Ok(ours.map(|_| beaten))
    }
}

/// Beats for a place until it is lost or gone.
async fn beat(pool: Pool, order: Weak<Order>, place: Weak<Place>) {
    let mut rounds = tokio::time::interval(BEAT_EVERY);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let (Some(order), Some(place)) = (order.upgrade(), place.upgrade()) else {
            return;
        };
        if place.is_lost() {
            return;
        }
        match beat_once(&pool, &place).await {
            Ok(Some(beaten)) => {
                order.final_ns.fetch_max(beaten.final_ns, Ordering::Relaxed);
                let high = Remote::from_nanoseconds(beaten.high_ns.unsigned_abs());
                if let Err(refused) = place.clock.catch_up(high) {
                    tracing::warn!(%refused, "another server's clock is far ahead");
                }
            }
            Ok(None) => {
                tracing::warn!("lost the place in the order; takes a new one");
                place.lose();
            }
            // The lease may still be there the next time; if not, the fence says so.
            Err(fault) => tracing::warn!(%fault, "failed to renew the place in the order"),
        }
    }
}

async fn beat_once(pool: &Pool, place: &Place) -> Result<Option<Beaten>, Fault> {
    let session = Session::new(pool.get().await?);
    let work = Beat {
        numbers: place.numbers(),
        promise: place.promise()?,
    };
    session.transact(&work).await
}
