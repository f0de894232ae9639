//! The consent ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use spots_booking::ShareId;
use spots_privacy::AgentId;
use spots_privacy::ledger::merkle::{Frontier, nodes_of};
use spots_privacy::ledger::{Checkpoint, Entry, Hash, LedgerKey, Node};

use super::{Fault, SqliteStore, hosts, shares};
use crate::error::StoreError;
use crate::gaps::{Facts, NEVER_SHARED, NOT_ENDED, NOT_GONE, NOT_GRANTED, SALTED, gap_of};
use crate::model::Stamp;
use crate::rows::{Inconsistent, array, count, parse};
use crate::store::ledger::{Gap, LedgerRow, LedgerStore, ShareRecord, SignedCheckpoint};

const COLUMNS: &str = "l.host_id, l.share_id, l.field, l.kind, l.stamp, l.commitment, l.position";

#[async_trait]
impl LedgerStore for SqliteStore {
    async fn sequence_ledger(&self, key: Arc<LedgerKey>, most: u32) -> Result<u64, StoreError> {
        // A look beside the writer, so that an idle sequencer costs no commit.
        if self.count_ledger_waiting().await? == 0 {
            return Ok(0);
        }
        self.write("sequence the ledger", move |db| {
            let waiting = list(
                db,
                "WHERE l.position IS NULL ORDER BY l.stamp, l.host_id, l.share_id, l.field LIMIT ?1",
                params![most],
            )?;
            let entries: Vec<_> = waiting.into_iter().map(|row| row.entry).collect();
            append(db, &entries, &key)?;
            Ok(entries.len() as u64)
        })
        .await
    }

    async fn last_checkpoint(&self) -> Result<Option<SignedCheckpoint>, StoreError> {
        self.read("look up a checkpoint", |db| {
            let sql = "SELECT size, note FROM ledger_checkpoints ORDER BY size DESC LIMIT 1";
            Ok(checkpoints(db, sql, params![])?.pop())
        })
        .await
    }

    async fn list_checkpoints(
        &self,
        after: u64,
        most: u32,
    ) -> Result<Vec<SignedCheckpoint>, StoreError> {
        self.read("list checkpoints", move |db| {
            let sql = "SELECT size, note FROM ledger_checkpoints WHERE size > ?1
                       ORDER BY size LIMIT ?2";
            checkpoints(db, sql, params![column(after), most])
        })
        .await
    }

    async fn list_ledger(&self, from: u64, most: u32) -> Result<Vec<LedgerRow>, StoreError> {
        self.read("list the ledger", move |db| {
            let condition = "WHERE l.position >= ?1 ORDER BY l.position LIMIT ?2";
            list(db, condition, params![column(from), most])
        })
        .await
    }

    async fn count_ledger_waiting(&self) -> Result<u64, StoreError> {
        self.read("count waiting entries", |db| {
            let sql = "SELECT count(*) FROM ledger_entries WHERE position IS NULL";
            let count: i64 = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
        .await
    }

    async fn list_ledger_nodes(
        &self,
        nodes: Vec<Node>,
    ) -> Result<BTreeMap<Node, Hash>, StoreError> {
        self.read("list hashes of the ledger", move |db| {
            lookup_nodes(db, &nodes)
        })
        .await
    }

    async fn find_ledger_leaf(&self, leaf: Hash) -> Result<Option<u64>, StoreError> {
        self.read("find an entry of the ledger", move |db| {
            let sql = "SELECT node_index FROM ledger_nodes WHERE level = 0 AND hash = ?1";
            let found: Option<i64> = db
                .prepare_cached(sql)?
                .query_row([&leaf[..]], |row| row.get(0))
                .optional()?;
            Ok(found.map(i64::unsigned_abs))
        })
        .await
    }

    async fn list_ledger_gaps(&self, most: u32) -> Result<Vec<Gap>, StoreError> {
        self.read("compare ledger and data", move |db| gaps(db, most))
            .await
    }

    async fn lookup_share(
        &self,
        agent: &AgentId,
        share: ShareId,
    ) -> Result<Option<ShareRecord>, StoreError> {
        let (agent, share) = (agent.reveal(), share.to_string());
        self.read("look up a share", move |db| {
            lookup_share(db, &agent, &share)
        })
        .await
    }

    async fn restore_ledger(
        &self,
        rows: Vec<(u64, Entry)>,
        key: Arc<LedgerKey>,
    ) -> Result<(), StoreError> {
        self.write("restore the ledger", move |db| {
            if rows.first().map(|(position, _)| *position) != Some(size(db)?) {
                return Err(Inconsistent("ledger_entries.position").into());
            }
            let entries: Vec<_> = rows.into_iter().map(|(_, entry)| entry).collect();
            for entry in &entries {
                insert(db, entry)?;
            }
            append(db, &entries, &key)
        })
        .await
    }

    async fn replay_endings(&self, endings: Vec<Entry>, stamp: Stamp) -> Result<u64, StoreError> {
        self.write("end again what was ended", move |db| {
            let mut ended = 0;
            for entry in endings.iter().filter(|entry| entry.ends()) {
                let of = (&*entry.host, &*entry.share, &*entry.field);
                ended += shares::end_again(db, of, stamp)?;
            }
            Ok(ended)
        })
        .await
    }
}

/// A position as the column holds it.
fn column(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn size(db: &Connection) -> Result<u64, Fault> {
    let sql = "SELECT COALESCE(max(size), 0) FROM ledger_checkpoints";
    let size: i64 = db.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(size.unsigned_abs())
}

/// Gives entries the next positions and signs a checkpoint.
fn append(db: &Connection, entries: &[Entry], key: &LedgerKey) -> Result<(), Fault> {
    if entries.is_empty() {
        return Ok(());
    }
    let size = size(db)?;
    let edge = nodes_of(0..size);
    let stored = lookup_nodes(db, &edge)?;
    let hashes = edge.iter().filter_map(|node| stored.get(node).copied());
    let mut frontier =
        Frontier::resume(size, hashes.collect()).ok_or(Inconsistent("ledger_nodes.hash"))?;
    let mut place = db.prepare_cached(
        "UPDATE ledger_entries SET position = ?5
         WHERE host_id = ?1 AND share_id = ?2 AND field = ?3 AND stamp = ?4",
    )?;
    let mut add = db
        .prepare_cached("INSERT INTO ledger_nodes (level, node_index, hash) VALUES (?1, ?2, ?3)")?;
    for entry in entries {
        place.execute(params![
            entry.host,
            entry.share,
            entry.field,
            entry.stamp,
            column(frontier.size())
        ])?;
        for (node, hash) in frontier.push(entry.leaf()) {
            add.execute(params![node.level, column(node.index), hash])?;
        }
    }
    let checkpoint = Checkpoint {
        size: frontier.size(),
        root: frontier.root(),
    };
    db.prepare_cached("INSERT INTO ledger_checkpoints (size, note) VALUES (?1, ?2)")?
        .execute(params![column(checkpoint.size), checkpoint.sign(key)])?;
    Ok(())
}

/// Adds an entry that this database may have, waiting for its position.
fn insert(db: &Connection, entry: &Entry) -> Result<(), Fault> {
    let known = db
        .prepare_cached(
            "SELECT 1 FROM ledger_entries
             WHERE host_id = ?1 AND share_id = ?2 AND field = ?3 AND stamp = ?4",
        )?
        .exists(params![entry.host, entry.share, entry.field, entry.stamp])?;
    if !known {
        db.prepare_cached(
            "INSERT INTO ledger_entries (host_id, share_id, field, kind, stamp, commitment)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            entry.host,
            entry.share,
            entry.field,
            entry.kind,
            entry.stamp,
            entry.commitment
        ])?;
    }
    Ok(())
}

fn lookup_nodes(db: &Connection, nodes: &[Node]) -> Result<BTreeMap<Node, Hash>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT hash FROM ledger_nodes WHERE level = ?1 AND node_index = ?2")?;
    let mut found = BTreeMap::new();
    for node in nodes {
        let hash: Option<Vec<u8>> = statement
            .query_row(params![node.level, column(node.index)], |row| row.get(0))
            .optional()?;
        if let Some(hash) = hash {
            found.insert(*node, array(hash, "ledger_nodes.hash")?);
        }
    }
    Ok(found)
}

pub(super) fn list(
    db: &Connection,
    condition: &str,
    with: &[&dyn rusqlite::ToSql],
) -> Result<Vec<LedgerRow>, Fault> {
    let sql = format!("SELECT {COLUMNS} FROM ledger_entries l {condition}");
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(with)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(from_row(row)?);
    }
    Ok(entries)
}

fn from_row(row: &Row<'_>) -> Result<LedgerRow, Fault> {
    Ok(LedgerRow {
        entry: Entry {
            host: row.get(0)?,
            share: row.get(1)?,
            field: row.get(2)?,
            kind: row.get(3)?,
            stamp: array(row.get(4)?, "ledger_entries.stamp")?,
            commitment: array(row.get(5)?, "ledger_entries.commitment")?,
        },
        position: row.get::<_, Option<i64>>(6)?.map(i64::unsigned_abs),
    })
}

fn checkpoints(
    db: &Connection,
    sql: &str,
    with: &[&dyn rusqlite::ToSql],
) -> Result<Vec<SignedCheckpoint>, Fault> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(with, |row| {
        Ok(SignedCheckpoint {
            size: row.get::<_, i64>(0)?.unsigned_abs(),
            note: row.get(1)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn gaps(db: &Connection, most: u32) -> Result<Vec<Gap>, Fault> {
    let mut gaps = Vec::new();
    for (sql, what) in [NOT_GRANTED, NOT_ENDED, NOT_GONE, NEVER_SHARED] {
        let mut statement = db.prepare_cached(&format!("{sql} LIMIT {most}"))?;
        let rows = statement.query_map([], |row| {
            let text = |at: usize| row.get::<_, String>(at);
            Ok(gap_of(&text(0)?, &text(1)?, &text(2)?, what))
        })?;
        gaps.extend(rows.collect::<Result<Vec<_>, _>>()?);
    }
    let mut statement = db.prepare_cached(SALTED)?;
    let mut rows = statement.query([])?;
    let mut other = 0;
    while let Some(row) = rows.next()?
        && other < most
    {
        let facts = Facts {
            row: from_row(row)?,
            salt: array(row.get(7)?, "share_keys.salt")?,
            shared_at_ns: row.get(8)?,
            requirements_hash: array(row.get(9)?, "requirements_hash")?,
            expires_at_ns: row.get(10)?,
        };
        if let Some(gap) = facts.gap() {
            gaps.push(gap);
            other += 1;
        }
    }
    Ok(gaps)
}

fn lookup_share(db: &Connection, agent: &str, share: &str) -> Result<Option<ShareRecord>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT h.host_id, h.kind, h.name, g.code, e.title, d.event_type, d.requirements_version
         FROM agent_bookings a
         JOIN reservations r ON r.host_id = a.host_id AND r.booking_id = a.booking_id
         JOIN reservation_user_data d ON d.host_id = a.host_id AND d.booking_id = a.booking_id
         JOIN hosts h ON h.host_id = d.host_id
         JOIN events e ON e.host_id = r.host_id AND e.event_id = r.event_id
         JOIN guests g ON g.host_id = r.host_id AND g.guest_id = r.guest_id
         WHERE a.agent_id = ?1 AND d.share_id = ?2",
    )?;
    let mut rows = statement.query([agent, share])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let host = hosts::from_row(row, 0)?;
    let id = host.id.to_string();
    let event_type: String = row.get(5)?;
    Ok(Some(ShareRecord {
        host,
        code: row.get(3)?,
        title: row.get(4)?,
        event_type: parse(&event_type, "reservation_user_data.event_type")?,
        requirements_version: count(row.get(6)?, "requirements_version")?,
        fields: share_fields(db, &id, share)?,
        rows: list(
            db,
            "WHERE l.host_id = ?1 AND l.share_id = ?2 ORDER BY l.stamp, l.field",
            params![id, share],
        )?,
    }))
}

/// A field of a share: its name, when it ends, and the salt while its key lives.
type ShareField = (String, i64, Option<[u8; 32]>);

fn share_fields(db: &Connection, host: &str, share: &str) -> Result<Vec<ShareField>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT f.field, f.expires_at_ns, k.salt FROM reservation_user_data_fields f
         LEFT JOIN share_keys k
           ON k.host_id = f.host_id AND k.share_id = f.share_id AND k.field = f.field
         WHERE f.host_id = ?1 AND f.share_id = ?2 ORDER BY f.field",
    )?;
    let mut rows = statement.query([host, share])?;
    let mut fields = Vec::new();
    while let Some(row) = rows.next()? {
        let salt: Option<Vec<u8>> = row.get(2)?;
        let salt = salt
            .map(|salt| array(salt, "share_keys.salt"))
            .transpose()?;
        fields.push((row.get(0)?, row.get(1)?, salt));
    }
    Ok(fields)
}
