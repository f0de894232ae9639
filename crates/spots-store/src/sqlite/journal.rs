//! The journal on SQLite: the one writer is the order.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use spots_booking::Stream;
use spots_booking::journal::Settlement;
use spots_clock::{AtomicClock, NodeIdentity, TimestampId};

use super::{Fault, SqliteStore};
use crate::error::StoreError;
use crate::model::Stamp;
use crate::rows::array;
use crate::store::journal::{
    Append, Appended, Entry, Evidence, JOURNAL_PAGE_MAX, JournalFilter, JournalPart, JournalStore,
    NewEntry, Outcome, first_id,
};
use crate::store::order::{OrderStatus, OrderStore};

#[async_trait]
impl JournalStore for SqliteStore {
    async fn append_journal(&self, batch: Append) -> Result<Vec<Appended>, StoreError> {
        let clock = self.clock();
        self.write("add to the journal", move |db| append(db, &clock, &batch))
            .await
    }

    async fn retire_journal(
        &self,
        stream: Stream,
        before_ns: i64,
        most: u32,
    ) -> Result<u64, StoreError> {
        self.write("remove old entries of the journal", move |db| {
            retire(db, stream, before_ns, most)
        })
        .await
    }

    async fn list_journal(&self, filter: JournalFilter) -> Result<JournalPart, StoreError> {
        self.read("read the journal", move |db| list(db, &filter))
            .await
    }
}

#[async_trait]
impl OrderStore for SqliteStore {
    async fn join_order(&self) -> Result<NodeIdentity, StoreError> {
        Ok(self.clock().identity())
    }

    async fn leave_order(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn order(&self) -> OrderStatus {
        OrderStatus {
            node: Some(self.clock().identity()),
            open: 0,
            leases_total: 1,
            final_lag_ns: Some(0),
        }
    }
}

/// Adds entries inside the writer's transaction.
pub(super) fn append(
    db: &Connection,
    clock: &AtomicClock,
    batch: &Append,
) -> Result<Vec<Appended>, Fault> {
    follow(db, clock, batch.stream)?;
    let entries = batch.entries.iter();
    let mut appended = entries
        .map(|entry| add(db, clock, batch, entry))
        .collect::<Result<Vec<_>, _>>()?;
    // Only now is it known which of the batch count.
    for (entry, done) in batch.entries.iter().zip(&mut appended) {
        done.current = is_current(db, batch, entry, &done.stamp)?;
    }
    Ok(appended)
}

/// Another program may have written since with a clock that is ahead: what is added now comes after.
fn follow(db: &Connection, clock: &AtomicClock, stream: Stream) -> Result<(), Fault> {
    let last: Option<Vec<u8>> = db
        .prepare_cached("SELECT max(stamp) FROM journal_entries WHERE stream = ?1")?
        .query_row([stream.as_str()], |row| row.get(0))?;
    let Some(last) = last else { return Ok(()) };
    let last = TimestampId::from_bytes(array(last, "journal_entries.stamp")?)
        .or(Err(crate::rows::Inconsistent("journal_entries.stamp")))?;
    if let Err(refused) = clock.catch_up(last) {
        // Only after a clock was wrong and repaired; what is written must not wait for years.
        tracing::warn!(%refused, "the journal holds stamps of a time that was not");
    }
    Ok(())
}

fn add(
    db: &Connection,
    clock: &AtomicClock,
    batch: &Append,
    entry: &NewEntry,
) -> Result<Appended, Fault> {
    let (stream, actor) = (batch.stream.as_str(), batch.actor.as_str());
    let known = db
        .prepare_cached(
            "SELECT at_ns, bound_ns, stamp, digest FROM journal_entries
             WHERE stream = ?1 AND actor = ?2 AND entry_key = ?3",
        )?
        .query_row([stream, actor, &entry.key], |row| {
            let stamp = (row.get(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?);
            Ok((stamp, row.get::<_, Vec<u8>>(3)?))
        })
        .optional()?;
    let (stamp, outcome) = match known {
        Some(((at_ns, bound_ns, id), digest)) => {
            let id = array(id, "journal_entries.stamp")?;
            let outcome = if digest == entry.digest {
                Outcome::Repeated
            } else {
                Outcome::Conflict
            };
            (
                Stamp {
                    at_ns,
                    bound_ns,
                    id,
                },
                outcome,
            )
        }
        None => (insert(db, clock, batch, entry)?, Outcome::Added),
    };
    Ok(Appended {
        stamp,
        outcome,
        current: None,
    })
}

fn insert(
    db: &Connection,
    clock: &AtomicClock,
    batch: &Append,
    entry: &NewEntry,
) -> Result<Stamp, Fault> {
    let stamp = Stamp::from(clock.now()?);
    let Evidence {
        claimed,
        correction,
        receipt,
        earliest_ns,
        latest_ns,
    } = &entry.evidence;
    let (stream, actor) = (batch.stream.as_str(), batch.actor.as_str());
    db.prepare_cached(
        "INSERT INTO journal_entries (stream, stamp, at_ns, bound_ns, actor, entry_key, digest,
             kind, subject, body, claimed, correction, receipt_stamp, earliest_ns, latest_ns)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?
    .execute(params![
        stream,
        stamp.id,
        stamp.at_ns,
        stamp.bound_ns,
        actor,
        entry.key,
        entry.digest,
        entry.kind,
        entry.subject,
        entry.body,
        claimed,
        correction,
        receipt,
        earliest_ns,
        latest_ns,
    ])?;
    if batch.stream.settlement() == Settlement::UpperBound
        && let Some(subject) = &entry.subject
    {
        db.prepare_cached(
            "INSERT INTO journal_heads (stream, actor, subject, stamp, latest_ns)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (stream, actor, subject) DO UPDATE SET
                 stamp = excluded.stamp, latest_ns = excluded.latest_ns
             WHERE (journal_heads.latest_ns, journal_heads.stamp)
                 < (excluded.latest_ns, excluded.stamp)",
        )?
        .execute(params![stream, actor, subject, stamp.id, latest_ns])?;
    }
    Ok(stamp)
}

fn is_current(
    db: &Connection,
    batch: &Append,
    entry: &NewEntry,
    stamp: &Stamp,
) -> Result<Option<bool>, Fault> {
    let Some(subject) = entry
        .subject
        .as_ref()
        .filter(|_| batch.stream.settlement() == Settlement::UpperBound)
    else {
        return Ok(None);
    };
    let mut head = db.prepare_cached(
        "SELECT 1 FROM journal_heads
         WHERE stream = ?1 AND actor = ?2 AND subject = ?3 AND stamp = ?4",
    )?;
    let key = params![batch.stream.as_str(), batch.actor, subject, stamp.id];
    Ok(Some(head.exists(key)?))
}

fn retire(db: &Connection, stream: Stream, before_ns: i64, most: u32) -> Result<u64, Fault> {
    let mut remove = db.prepare_cached(
        "DELETE FROM journal_entries WHERE stream = ?1 AND stamp IN (
             SELECT stamp FROM journal_entries WHERE stream = ?1 AND stamp < ?2
             ORDER BY stamp LIMIT ?3)
         RETURNING actor, subject, stamp",
    )?;
    let mut behead = db.prepare_cached(
        "DELETE FROM journal_heads
         WHERE stream = ?1 AND actor = ?2 AND subject = ?3 AND stamp = ?4",
    )?;
    let mut rows = remove.query(params![stream.as_str(), first_id(before_ns), most])?;
    let mut gone = 0;
    while let Some(row) = rows.next()? {
        let (actor, subject): (String, Option<String>) = (row.get(0)?, row.get(1)?);
        let stamp: Vec<u8> = row.get(2)?;
        if let Some(subject) = subject {
            behead.execute(params![stream.as_str(), actor, subject, stamp])?;
        }
        gone += 1;
    }
    Ok(gone)
}

/// Removes what an agent did, where the stream says that it goes with the person.
pub(super) fn forget(db: &Connection, agent: &str) -> Result<(), Fault> {
    let streams = Stream::ALL.iter();
    for stream in streams.filter(|stream| stream.goes_with_the_person()) {
        for statement in [
            "DELETE FROM journal_entries WHERE stream = ?1 AND actor = ?2",
            "DELETE FROM journal_heads WHERE stream = ?1 AND actor = ?2",
        ] {
            db.prepare_cached(statement)?
                .execute([stream.as_str(), agent])?;
        }
    }
    Ok(())
}

fn list(db: &Connection, filter: &JournalFilter) -> Result<JournalPart, Fault> {
    let limit = filter.limit.clamp(1, JOURNAL_PAGE_MAX);
    let mut statement = db.prepare_cached(
        "SELECT e.at_ns, e.bound_ns, e.stamp, e.actor, e.entry_key, e.digest, e.kind, e.subject,
                e.body, e.claimed, e.correction, e.receipt_stamp, e.earliest_ns, e.latest_ns
         FROM journal_entries e
         WHERE e.stream = ?1 AND e.stamp > COALESCE(?2, x'') AND e.at_ns >= ?3 AND e.at_ns < ?4
           AND (?5 IS NULL OR e.kind = ?5)
           AND (NOT ?6 OR EXISTS (
                SELECT 1 FROM journal_heads h
                WHERE h.stream = e.stream AND h.actor = e.actor AND h.subject = e.subject
                  AND h.stamp = e.stamp))
         ORDER BY e.stamp LIMIT ?7",
    )?;
    let mut rows = statement.query(params![
        filter.stream.as_str(),
        filter.after,
        filter.from_ns.unwrap_or(0),
        filter.until_ns.unwrap_or(i64::MAX),
        filter.kind,
        filter.current,
        limit + 1,
    ])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(from_row(row)?);
    }
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let last: Option<i64> = db
        .prepare_cached("SELECT max(at_ns) FROM journal_entries WHERE stream = ?1")?
        .query_row([filter.stream.as_str()], |row| row.get(0))?;
    Ok(JournalPart {
        entries,
        more,
        final_ns: last.unwrap_or(0),
    })
}

fn from_row(row: &Row<'_>) -> Result<Entry, Fault> {
    let receipt: Option<Vec<u8>> = row.get(11)?;
    Ok(Entry {
        stamp: super::bookings::stamp_from_row(row, 0)?,
        actor: row.get(3)?,
        entry: NewEntry {
            key: row.get(4)?,
            digest: array(row.get(5)?, "journal_entries.digest")?,
            kind: row.get(6)?,
            subject: row.get(7)?,
            body: row.get(8)?,
            evidence: Evidence {
                claimed: row.get(9)?,
                correction: row.get(10)?,
                receipt: receipt
                    .map(|bytes| array(bytes, "journal_entries.receipt_stamp"))
                    .transpose()?,
                earliest_ns: row.get(12)?,
                latest_ns: row.get(13)?,
            },
        },
    })
}
