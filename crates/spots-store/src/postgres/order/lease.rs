//! Leases as rows: taking, renewing, ending them, and moving the final mark.

use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use deadpool_postgres::Pool;
use spots_clock::{NodeIdentity, Remote};
use tokio::try_join;

use super::{Order, Place};
use crate::postgres::columns::Columns;
use crate::postgres::session::{Fault, Param, Session, Work, statements};
use crate::rows::Inconsistent;

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

/// Whether this lease is live; holds it until the end of the transaction, which may not be left idle
/// for long.
pub(super) async fn fence(
    session: &Session,
    (node, incarnation): (i32, i32),
) -> Result<bool, tokio_postgres::Error> {
    let ((), ours) = try_join!(
        biased;
        session.run(&LIMIT_IDLE, [&IDLE_MS_MAX]),
        session.row(&FENCE, [&node, &incarnation]),
    )?;
    Ok(ours.is_some())
}

/// Takes a node that nobody holds, or a new one, above everything that was stamped.
pub(super) struct Join {
    pub(super) now_ns: i64,
}

pub(super) struct Joined {
    pub(super) identity: NodeIdentity,
    pub(super) above: i64,
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
pub(super) struct Leave {
    pub(super) numbers: (i32, i32),
    pub(super) last_ns: i64,
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
pub(super) async fn beat(pool: Pool, order: Weak<Order>, place: Weak<Place>) {
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
