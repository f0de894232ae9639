//! The journal on PostgreSQL: stamps are issued under a leased place, and read up to the final mark.

use std::collections::BTreeMap;

use async_trait::async_trait;
use spots_booking::Stream;
use spots_booking::journal::Settlement;
use tokio::try_join;
use tokio_postgres::{Error, Row};

use super::PostgresStore;
use super::columns::Columns;
use super::order::{Opened, OrderedWork};
use super::session::{Fault, Session, statements};
use crate::error::StoreError;
use crate::model::Stamp;
use crate::rows::{Inconsistent, array};
use crate::store::journal::{
    Append, Appended, Entry, Evidence, JOURNAL_PAGE_MAX, JournalFilter, JournalPart, JournalStore,
    NewEntry, Outcome, first_id,
};

statements! {
    ADD(
        TEXT, TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY, INT8_ARRAY, INT8_ARRAY, BYTEA_ARRAY, TEXT_ARRAY,
        TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY, INT8_ARRAY, INT8_ARRAY
    ) = "INSERT INTO journal_entries (stream, actor, entry_key, stamp, at_ns, bound_ns, digest, kind,
             subject, body, claimed, correction, receipt_stamp, earliest_ns, latest_ns)
         SELECT $1, n.*
         FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) AS n
         ON CONFLICT (stream, actor, entry_key) DO NOTHING";
    STANDING(TEXT, TEXT, TEXT_ARRAY) =
        "SELECT entry_key, at_ns, bound_ns, stamp, digest FROM journal_entries
         WHERE stream = $1 AND actor = $2 AND entry_key = ANY($3)";
    MOVE_HEADS(TEXT, TEXT, TEXT_ARRAY, BYTEA_ARRAY, INT8_ARRAY) =
        "INSERT INTO journal_heads (stream, actor, subject, stamp, latest_ns)
         SELECT $1, $2, n.* FROM unnest($3, $4, $5) AS n (subject, stamp, latest_ns)
         ORDER BY n.subject
         ON CONFLICT (stream, actor, subject) DO UPDATE SET
             stamp = excluded.stamp, latest_ns = excluded.latest_ns
         WHERE (journal_heads.latest_ns, journal_heads.stamp)
             < (excluded.latest_ns, excluded.stamp)";
    HEADS(TEXT, TEXT, TEXT_ARRAY) =
        "SELECT subject, stamp FROM journal_heads
         WHERE stream = $1 AND actor = $2 AND subject = ANY($3)";
    FORGET_ENTRIES(TEXT_ARRAY, TEXT) =
        "DELETE FROM journal_entries WHERE stream = ANY($1) AND actor = $2";
    FORGET_HEADS(TEXT_ARRAY, TEXT) =
        "DELETE FROM journal_heads WHERE stream = ANY($1) AND actor = $2";
    RETIRE(TEXT, BYTEA, INT8) =
        "WITH gone AS (
             DELETE FROM journal_entries WHERE stream = $1 AND stamp IN (
                 SELECT stamp FROM journal_entries WHERE stream = $1 AND stamp < $2
                 ORDER BY stamp LIMIT $3)
             RETURNING actor, subject, stamp),
         heads AS (
             DELETE FROM journal_heads h USING gone g
             WHERE h.stream = $1 AND h.actor = g.actor AND h.subject = g.subject
               AND h.stamp = g.stamp)
         SELECT count(*) FROM gone";
    LAST(TEXT) = "SELECT stamp FROM journal_entries WHERE stream = $1 ORDER BY stamp DESC LIMIT 1";
    FINAL() = "SELECT final_ns FROM clock_final";
    LIST(TEXT, BYTEA, INT8, INT8, TEXT, BOOL, INT8, INT8) =
        "SELECT e.at_ns, e.bound_ns, e.stamp, e.actor, e.entry_key, e.digest, e.kind, e.subject,
                e.body, e.claimed, e.correction, e.receipt_stamp, e.earliest_ns, e.latest_ns
         FROM journal_entries e
         WHERE e.stream = $1 AND e.stamp > COALESCE($2, ''::bytea) AND e.at_ns >= $3 AND e.at_ns < $4
           AND ($5 IS NULL OR e.kind = $5)
           AND (NOT $6 OR EXISTS (
                SELECT 1 FROM journal_heads h
                WHERE h.stream = e.stream AND h.actor = e.actor AND h.subject = e.subject
                  AND h.stamp = e.stamp))
           AND e.at_ns <= $8
         ORDER BY e.stamp LIMIT $7";
}

/// Entries a column, as one statement adds them.
#[derive(Default)]
pub(super) struct Lines {
    actor: Vec<String>,
    key: Vec<String>,
    stamp: Vec<Vec<u8>>,
    at_ns: Vec<i64>,
    bound_ns: Vec<Option<i64>>,
    digest: Vec<Vec<u8>>,
    kind: Vec<String>,
    subject: Vec<Option<String>>,
    body: Vec<String>,
    claimed: Vec<Option<String>>,
    correction: Vec<Option<String>>,
    receipt: Vec<Option<Vec<u8>>>,
    earliest_ns: Vec<Option<i64>>,
    latest_ns: Vec<i64>,
}

impl Lines {
    pub(super) fn push(&mut self, actor: &str, entry: &NewEntry, stamp: Stamp) {
        self.actor.push(actor.to_owned());
        self.key.push(entry.key.clone());
        self.stamp.push(stamp.id.to_vec());
        self.at_ns.push(stamp.at_ns);
        self.bound_ns.push(stamp.bound_ns);
        self.digest.push(entry.digest.to_vec());
        self.kind.push(entry.kind.clone());
        self.subject.push(entry.subject.clone());
        self.body.push(entry.body.clone());
        let evidence = &entry.evidence;
        self.claimed.push(evidence.claimed.clone());
        self.correction.push(evidence.correction.clone());
        self.receipt.push(evidence.receipt.map(Vec::from));
        self.earliest_ns.push(evidence.earliest_ns);
        self.latest_ns.push(evidence.latest_ns);
    }

    pub(super) async fn write(&self, session: &Session, stream: Stream) -> Result<(), Error> {
        session
            .run_unless(
                self.key.is_empty(),
                &ADD,
                [
                    &stream.as_str(),
                    &self.actor,
                    &self.key,
                    &self.stamp,
                    &self.at_ns,
                    &self.bound_ns,
                    &self.digest,
                    &self.kind,
                    &self.subject,
                    &self.body,
                    &self.claimed,
                    &self.correction,
                    &self.receipt,
                    &self.earliest_ns,
                    &self.latest_ns,
                ],
            )
            .await
    }
}

/// The last stamp of a stream, as far as it is committed.
pub(super) async fn last(session: &Session, stream: Stream) -> Result<Option<Row>, Error> {
    session.row(&LAST, [&stream.as_str()]).await
}

/// Removes what an agent did, where the stream says that it goes with the person.
pub(super) async fn forget(session: &Session, agent: &str) -> Result<(), Error> {
    let streams = Stream::ALL.iter();
    let streams: Vec<_> = streams
        .filter(|stream| stream.goes_with_the_person())
        .map(|stream| stream.as_str())
        .collect();
    try_join!(
        biased;
        session.run(&FORGET_ENTRIES, [&streams, &agent]),
        session.run(&FORGET_HEADS, [&streams, &agent]),
    )?;
    Ok(())
}

/// Adds entries of one actor to one stream.
struct AddEntries(Append);

impl OrderedWork for AddEntries {
    type Answer = Vec<Appended>;

    async fn work(&self, session: &Session, opened: &Opened) -> Result<Vec<Appended>, Fault> {
        let Self(batch) = self;
        let (stream, actor) = (batch.stream.as_str(), batch.actor.as_str());
        let keys: Vec<_> = batch.entries.iter().map(|entry| &entry.key).collect();
        let mut lines = Lines::default();
        for entry in &batch.entries {
            lines.push(actor, entry, opened.issue()?);
        }
        let ((), ours, (), standing) = try_join!(
            biased;
            session.begin(),
            opened.fence(session),
            lines.write(session, batch.stream),
            session.rows(&STANDING, [&stream, &actor, &keys]),
        )?;
        if !ours {
            return Err(Fault::Fenced);
        }
        let mut by_key = BTreeMap::new();
        for row in &standing {
            let mut columns = Columns::of(row);
            let key: String = columns.take()?;
            let stamp = columns.stamp()?;
            let digest: [u8; 32] = columns.array("journal_entries.digest")?;
            by_key.insert(key, (stamp, digest));
        }
        let mut appended = Vec::with_capacity(batch.entries.len());
        for (entry, issued) in batch.entries.iter().zip(&lines.stamp) {
            let (stamp, digest) = by_key
                .get(&entry.key)
                .ok_or(Inconsistent("journal_entries.entry_key"))?;
            appended.push(Appended {
                stamp: *stamp,
                outcome: if stamp.id.as_slice() == issued {
                    Outcome::Added
                } else if *digest == entry.digest {
                    Outcome::Repeated
                } else {
                    Outcome::Conflict
                },
                current: None,
            });
        }
        if batch.stream.settlement() == Settlement::UpperBound {
            move_heads(session, batch, &mut appended).await?;
        }
        session.commit().await?;
        Ok(appended)
    }
}

/// Lets the entry with the latest upper end count, of each subject.
async fn move_heads(
    session: &Session,
    batch: &Append,
    appended: &mut [Appended],
) -> Result<(), Fault> {
    let (stream, actor) = (batch.stream.as_str(), batch.actor.as_str());
    let mut best: BTreeMap<&str, (i64, [u8; 16])> = BTreeMap::new();
    let mut all: Vec<&str> = Vec::new();
    for (entry, done) in batch.entries.iter().zip(appended.iter()) {
        let Some(subject) = entry.subject.as_deref() else {
            continue;
        };
        all.push(subject);
        if done.outcome == Outcome::Added {
            let latest = (entry.evidence.latest_ns, done.stamp.id);
            let held = best.entry(subject).or_insert(latest);
            *held = (*held).max(latest);
        }
    }
    let (mut subjects, mut stamps, mut latest) = (vec![], vec![], vec![]);
    for (subject, (latest_ns, stamp)) in best {
        subjects.push(subject);
        stamps.push(stamp.to_vec());
        latest.push(latest_ns);
    }
    let ((), rows) = try_join!(
        biased;
        session.run_unless(
            subjects.is_empty(), &MOVE_HEADS, [&stream, &actor, &subjects, &stamps, &latest],
        ),
        session.rows(&HEADS, [&stream, &actor, &all]),
    )?;
    let mut heads = BTreeMap::new();
    for row in &rows {
        let mut columns = Columns::of(row);
        let subject: String = columns.take()?;
        let stamp: [u8; 16] = columns.array("journal_heads.stamp")?;
        heads.insert(subject, stamp);
    }
    for (entry, done) in batch.entries.iter().zip(appended) {
        let subject = entry.subject.as_ref();
        done.current = subject.map(|subject| heads.get(subject) == Some(&done.stamp.id));
    }
    Ok(())
}

#[async_trait]
impl JournalStore for PostgresStore {
    async fn append_journal(&self, batch: Append) -> Result<Vec<Appended>, StoreError> {
        self.transact_in_order(AddEntries(batch))
            .await
            .map_err(|fault| fault.into_error("add to the journal"))
    }

    async fn retire_journal(
        &self,
        stream: Stream,
        before_ns: i64,
        most: u32,
    ) -> Result<u64, StoreError> {
        retire(self, stream, before_ns, most)
            .await
            .map_err(|fault| fault.into_error("remove old entries of the journal"))
    }

    async fn list_journal(&self, filter: JournalFilter) -> Result<JournalPart, StoreError> {
        list(self, &filter)
            .await
            .map_err(|fault| fault.into_error("read the journal"))
    }
}

async fn retire(
    store: &PostgresStore,
    stream: Stream,
    before_ns: i64,
    most: u32,
) -> Result<u64, Fault> {
    let (before, most) = (first_id(before_ns).to_vec(), i64::from(most));
    let session = store.session().await?;
    let gone = session
        .row(&RETIRE, [&stream.as_str(), &before, &most])
        .await?;
    let gone: i64 = gone.ok_or(Inconsistent("journal_entries"))?.try_get(0)?;
    Ok(gone.unsigned_abs())
}

async fn list(store: &PostgresStore, filter: &JournalFilter) -> Result<JournalPart, Fault> {
    let limit = filter.limit.clamp(1, JOURNAL_PAGE_MAX);
    let session = store.session().await?;
    // First the mark, then the entries up to it: what was final stays so.
    let mark = session.row(&FINAL, []).await?;
    let final_ns: i64 = mark.ok_or(Inconsistent("clock_final"))?.try_get(0)?;
    let after = filter.after.as_ref().map(<[u8; 16]>::as_slice);
    let (from, until) = (
        filter.from_ns.unwrap_or(0),
        filter.until_ns.unwrap_or(i64::MAX),
    );
    let wanted = i64::from(limit) + 1;
    let rows = session
        .rows(
            &LIST,
            [
                &filter.stream.as_str(),
                &after,
                &from,
                &until,
                &filter.kind,
                &filter.current,
                &wanted,
                &final_ns,
            ],
        )
        .await?;
    let mut entries = rows.iter().map(from_row).collect::<Result<Vec<_>, _>>()?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    Ok(JournalPart {
        entries,
        more,
        final_ns,
    })
}

fn from_row(row: &Row) -> Result<Entry, Fault> {
    let mut columns = Columns::of(row);
    Ok(Entry {
        stamp: columns.stamp()?,
        actor: columns.take()?,
        entry: NewEntry {
            key: columns.take()?,
            digest: columns.array("journal_entries.digest")?,
            kind: columns.take()?,
            subject: columns.take()?,
            body: columns.take()?,
            evidence: Evidence {
                claimed: columns.take()?,
                correction: columns.take()?,
                receipt: columns
                    .take::<Option<Vec<u8>>>()?
                    .map(|bytes| array(bytes, "journal_entries.receipt_stamp"))
                    .transpose()?,
                earliest_ns: columns.take()?,
                latest_ns: columns.take()?,
            },
        },
    })
}
