//! The consent ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use spots_booking::ShareId;
use spots_privacy::AgentId;
use spots_privacy::ledger::merkle::{Frontier, nodes_of};
use spots_privacy::ledger::{Checkpoint, Entry, Hash, LedgerKey, Node};
use tokio_postgres::Row;

use super::PostgresStore;
use super::columns::Columns;
use super::session::{Fault, Session, Sql, Work, statements};
use super::shares;
use crate::error::StoreError;
use crate::gaps::{Facts, NEVER_SHARED, NOT_ENDED, NOT_GONE, NOT_GRANTED, SALTED, gap_of};
use crate::model::Stamp;
use crate::rows::Inconsistent;
use crate::store::ledger::{Gap, LedgerRow, LedgerStore, ShareRecord, SignedCheckpoint};

/// The advisory lock of whoever sequences: one server at a time.
const SEQUENCER: i64 = 0x5350_4f54_534c_4547;

statements! {
    TRY_LOCK(INT8) = "SELECT pg_try_advisory_xact_lock($1)";
    WAIT_LOCK(INT8) = "SELECT pg_advisory_xact_lock($1)";
    WAITING(INT8) =
        "SELECT host_id, share_id, field, kind, stamp, commitment, position
         FROM ledger_entries WHERE position IS NULL
         ORDER BY stamp, host_id, share_id, field LIMIT $1";
    COUNT_WAITING() = "SELECT count(*) FROM ledger_entries WHERE position IS NULL";
    SIZE() = "SELECT COALESCE(max(size), 0) FROM ledger_checkpoints";
    LAST() = "SELECT size, note FROM ledger_checkpoints ORDER BY size DESC LIMIT 1";
    CHECKPOINTS(INT8, INT8) =
        "SELECT size, note FROM ledger_checkpoints WHERE size > $1 ORDER BY size LIMIT $2";
    LIST(INT8, INT8) =
        "SELECT host_id, share_id, field, kind, stamp, commitment, position
         FROM ledger_entries WHERE position >= $1 ORDER BY position LIMIT $2";
    NODES(INT4_ARRAY, INT8_ARRAY) =
        "SELECT n.level, n.node_index, n.hash FROM unnest($1, $2) AS w (level, node_index)
         JOIN ledger_nodes n ON n.level = w.level AND n.node_index = w.node_index";
    FIND_LEAF(BYTEA) = "SELECT node_index FROM ledger_nodes WHERE level = 0 AND hash = $1";
    PLACE(TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY, INT8_ARRAY) =
        "UPDATE ledger_entries l SET position = n.position
         FROM unnest($1, $2, $3, $4, $5) AS n (host_id, share_id, field, stamp, position)
         WHERE l.host_id = n.host_id AND l.share_id = n.share_id AND l.field = n.field
           AND l.stamp = n.stamp";
    ADD_NODES(INT4_ARRAY, INT8_ARRAY, BYTEA_ARRAY) =
        "INSERT INTO ledger_nodes (level, node_index, hash) SELECT n.* FROM unnest($1, $2, $3) AS n";
    ADD_CHECKPOINT(INT8, TEXT) = "INSERT INTO ledger_checkpoints (size, note) VALUES ($1, $2)";
    ADD(TEXT, TEXT, TEXT, TEXT, BYTEA, BYTEA) =
        "INSERT INTO ledger_entries (host_id, share_id, field, kind, stamp, commitment)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (host_id, share_id, field, stamp) DO NOTHING";
    GAP_NOT_GRANTED() = NOT_GRANTED.0;
    GAP_NOT_ENDED() = NOT_ENDED.0;
    GAP_NOT_GONE() = NOT_GONE.0;
    GAP_NEVER_SHARED() = NEVER_SHARED.0;
    FACTS() = SALTED;
    SHARE(TEXT, TEXT) =
        "SELECT h.host_id, h.kind, h.name, g.code, e.title, d.event_type, d.requirements_version
         FROM agent_bookings a
         JOIN reservations r ON r.host_id = a.host_id AND r.booking_id = a.booking_id
         JOIN reservation_user_data d ON d.host_id = a.host_id AND d.booking_id = a.booking_id
         JOIN hosts h ON h.host_id = d.host_id
         JOIN events e ON e.host_id = r.host_id AND e.event_id = r.event_id
         JOIN guests g ON g.host_id = r.host_id AND g.guest_id = r.guest_id
         WHERE a.agent_id = $1 AND d.share_id = $2";
    SHARE_FIELDS(TEXT, TEXT) =
        "SELECT f.field, f.expires_at_ns, k.salt FROM reservation_user_data_fields f
         LEFT JOIN share_keys k
           ON k.host_id = f.host_id AND k.share_id = f.share_id AND k.field = f.field
         WHERE f.host_id = $1 AND f.share_id = $2 ORDER BY f.field COLLATE \"C\"";
    SHARE_ROWS(TEXT, TEXT) =
        "SELECT host_id, share_id, field, kind, stamp, commitment, position
         FROM ledger_entries WHERE host_id = $1 AND share_id = $2
         ORDER BY stamp, field COLLATE \"C\"";
}

#[async_trait]
impl LedgerStore for PostgresStore {
    async fn sequence_ledger(&self, key: Arc<LedgerKey>, most: u32) -> Result<u64, StoreError> {
        if self.count_ledger_waiting().await? == 0 {
            return Ok(0);
        }
        let work = Sequence { key, most };
        self.transact(&work)
            .await
            .map_err(|fault| fault.into_error("sequence the ledger"))
    }

    async fn last_checkpoint(&self) -> Result<Option<SignedCheckpoint>, StoreError> {
        let row = self.row(&LAST, []).await;
        row.and_then(|row| row.as_ref().map(checkpoint).transpose())
            .map_err(|fault| fault.into_error("look up a checkpoint"))
    }

    async fn list_checkpoints(
        &self,
        after: u64,
        most: u32,
    ) -> Result<Vec<SignedCheckpoint>, StoreError> {
        let rows = self
            .rows(&CHECKPOINTS, [&column(after), &i64::from(most)])
            .await;
        rows.and_then(|rows| rows.iter().map(checkpoint).collect())
            .map_err(|fault| fault.into_error("list checkpoints"))
    }

    async fn list_ledger(&self, from: u64, most: u32) -> Result<Vec<LedgerRow>, StoreError> {
        let rows = self.rows(&LIST, [&column(from), &i64::from(most)]).await;
        rows.and_then(|rows| rows.iter().map(ledger_row).collect())
            .map_err(|fault| fault.into_error("list the ledger"))
    }

    async fn count_ledger_waiting(&self) -> Result<u64, StoreError> {
        let row = self.row(&COUNT_WAITING, []).await;
        row.and_then(|row| number(row.as_ref()))
            .map_err(|fault| fault.into_error("count waiting entries"))
    }

    async fn list_ledger_nodes(
        &self,
        nodes: Vec<Node>,
    ) -> Result<BTreeMap<Node, Hash>, StoreError> {
        let found = async { lookup_nodes(&self.session().await?, &nodes).await };
        found
            .await
            .map_err(|fault: Fault| fault.into_error("list hashes of the ledger"))
    }

    async fn find_ledger_leaf(&self, leaf: Hash) -> Result<Option<u64>, StoreError> {
        let row = self.row(&FIND_LEAF, [&leaf.as_slice()]).await;
        row.and_then(|row| {
            row.map(|row| Ok(row.try_get::<_, i64>(0)?.unsigned_abs()))
                .transpose()
        })
        .map_err(|fault| fault.into_error("find an entry of the ledger"))
    }

    async fn list_ledger_gaps(&self, most: u32) -> Result<Vec<Gap>, StoreError> {
        gaps(self, most as usize)
            .await
            .map_err(|fault| fault.into_error("compare ledger and data"))
    }

    async fn lookup_share(
        &self,
        agent: &AgentId,
        share: ShareId,
    ) -> Result<Option<ShareRecord>, StoreError> {
        lookup_share(self, &agent.reveal(), &share.to_string())
            .await
            .map_err(|fault| fault.into_error("look up a share"))
    }

    async fn restore_ledger(
        &self,
        rows: Vec<(u64, Entry)>,
        key: Arc<LedgerKey>,
    ) -> Result<(), StoreError> {
        let work = Restore { rows, key };
        self.transact(&work)
            .await
            .map_err(|fault| fault.into_error("restore the ledger"))
    }

    async fn replay_endings(&self, endings: Vec<Entry>, stamp: Stamp) -> Result<u64, StoreError> {
        let work = Replay { endings, stamp };
        self.transact(&work)
            .await
            .map_err(|fault| fault.into_error("end again what was ended"))
    }
}

/// A position as the column holds it.
fn column(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

fn number(row: Option<&Row>) -> Result<u64, Fault> {
    let number: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    Ok(number.unwrap_or_default().unsigned_abs())
}

fn checkpoint(row: &Row) -> Result<SignedCheckpoint, Fault> {
    let mut columns = Columns::of(row);
    Ok(SignedCheckpoint {
        size: columns.take::<i64>()?.unsigned_abs(),
        note: columns.take()?,
    })
}

pub(super) fn ledger_row(row: &Row) -> Result<LedgerRow, Fault> {
    row_of(&mut Columns::of(row))
}

fn row_of(columns: &mut Columns<'_>) -> Result<LedgerRow, Fault> {
    Ok(LedgerRow {
        entry: Entry {
            host: columns.take()?,
            share: columns.take()?,
            field: columns.take()?,
            kind: columns.take()?,
            stamp: columns.array("ledger_entries.stamp")?,
            commitment: columns.array("ledger_entries.commitment")?,
        },
        position: columns.take::<Option<i64>>()?.map(i64::unsigned_abs),
    })
}

async fn lookup_nodes(session: &Session, nodes: &[Node]) -> Result<BTreeMap<Node, Hash>, Fault> {
    let levels: Vec<_> = nodes.iter().map(|node| i32::from(node.level)).collect();
    let indices: Vec<_> = nodes.iter().map(|node| column(node.index)).collect();
    let rows = session.rows(&NODES, [&levels, &indices]).await?;
    let node = |row| {
        let mut columns = Columns::of(row);
        let level = columns.count("ledger_nodes.level")?;
        let node = Node {
            level: u8::try_from(level).or(Err(Inconsistent("ledger_nodes.level")))?,
            index: columns.take::<i64>()?.unsigned_abs(),
        };
        Ok((node, columns.array("ledger_nodes.hash")?))
    };
    rows.iter().map(node).collect()
}

async fn size(session: &Session) -> Result<u64, Fault> {
    number(session.row(&SIZE, []).await?.as_ref())
}

/// Gives entries the next positions and signs a checkpoint. Whoever calls holds the lock.
async fn append(session: &Session, entries: &[Entry], key: &LedgerKey) -> Result<(), Fault> {
    let size = size(session).await?;
    let edge = nodes_of(0..size);
    let stored = lookup_nodes(session, &edge).await?;
    let hashes = edge.iter().filter_map(|node| stored.get(node).copied());
    let mut frontier =
        Frontier::resume(size, hashes.collect()).ok_or(Inconsistent("ledger_nodes.hash"))?;
    let [mut hosts, mut shares, mut fields] = [Vec::new(), Vec::new(), Vec::new()];
    let (mut stamps, mut positions) = (Vec::new(), Vec::new());
    let (mut levels, mut indices, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        hosts.push(entry.host.as_str());
        shares.push(entry.share.as_str());
        fields.push(entry.field.as_str());
        stamps.push(entry.stamp.as_slice());
        positions.push(column(frontier.size()));
        for (node, hash) in frontier.push(entry.leaf()) {
            levels.push(i32::from(node.level));
            indices.push(column(node.index));
            added.push(hash.to_vec());
        }
    }
    let checkpoint = Checkpoint {
        size: frontier.size(),
        root: frontier.root(),
    };
    session
        .run(&PLACE, [&hosts, &shares, &fields, &stamps, &positions])
        .await?;
    session.run(&ADD_NODES, [&levels, &indices, &added]).await?;
    let (size, note) = (column(checkpoint.size), checkpoint.sign(key));
    Ok(session.run(&ADD_CHECKPOINT, [&size, &note]).await?)
}

/// Gives waiting entries their places.
struct Sequence {
    key: Arc<LedgerKey>,
    most: u32,
}

impl Work for Sequence {
    type Answer = u64;

    async fn work(&self, session: &Session) -> Result<u64, Fault> {
        session.begin().await?;
        let lock = session.row(&TRY_LOCK, [&SEQUENCER]).await?;
        let mine = lock.map(|row| row.try_get(0)).transpose()?;
        if mine != Some(true) {
            return Ok(0);
        }
        let rows = session.rows(&WAITING, [&i64::from(self.most)]).await?;
        let rows = rows.iter().map(ledger_row);
        let entries = rows
            .map(|row| Ok(row?.entry))
            .collect::<Result<Vec<_>, Fault>>()?;
        if entries.is_empty() {
            return Ok(0);
        }
        append(session, &entries, &self.key).await?;
        session.commit().await?;
        Ok(entries.len() as u64)
    }
}

/// Puts lost entries back.
struct Restore {
    rows: Vec<(u64, Entry)>,
    key: Arc<LedgerKey>,
}

impl Work for Restore {
    type Answer = ();

    async fn work(&self, session: &Session) -> Result<(), Fault> {
        session.begin().await?;
        session.run(&WAIT_LOCK, [&SEQUENCER]).await?;
        if self.rows.first().map(|(position, _)| *position) != Some(size(session).await?) {
            return Err(Inconsistent("ledger_entries.position").into());
        }
        for (_, entry) in &self.rows {
            let (stamp, facts) = (entry.stamp.as_slice(), entry.commitment.as_slice());
            let Entry {
                host,
                share,
                field,
                kind,
                ..
            } = entry;
            session
                .run(&ADD, [host, share, field, kind, &stamp, &facts])
                .await?;
        }
        let entries: Vec<_> = self.rows.iter().map(|(_, entry)| entry.clone()).collect();
        append(session, &entries, &self.key).await?;
        Ok(session.commit().await?)
    }
}

/// Ends again what was ended.
struct Replay {
    endings: Vec<Entry>,
    stamp: Stamp,
}

impl Work for Replay {
    type Answer = u64;

    async fn work(&self, session: &Session) -> Result<u64, Fault> {
        session.begin().await?;
        let mut ended = 0;
        for entry in self.endings.iter().filter(|entry| entry.ends()) {
            ended += shares::end_again(session, entry, self.stamp).await?;
        }
        session.commit().await?;
        Ok(ended)
    }
}

async fn gaps(store: &PostgresStore, most: usize) -> Result<Vec<Gap>, Fault> {
    let asked: [(&Sql, &str); 4] = [
        (&GAP_NOT_GRANTED, NOT_GRANTED.1),
        (&GAP_NOT_ENDED, NOT_ENDED.1),
        (&GAP_NOT_GONE, NOT_GONE.1),
        (&GAP_NEVER_SHARED, NEVER_SHARED.1),
    ];
    let mut gaps = Vec::new();
    for (sql, what) in asked {
        for row in store.rows(sql, []).await?.iter().take(most) {
            let mut columns = Columns::of(row);
            let (host, share, field): (String, String, String) =
                (columns.take()?, columns.take()?, columns.take()?);
            gaps.push(gap_of(&host, &share, &field, what));
        }
    }
    let mut other = 0;
    for row in &store.rows(&FACTS, []).await? {
        let mut columns = Columns::of(row);
        let facts = Facts {
            row: row_of(&mut columns)?,
            salt: columns.array("share_keys.salt")?,
            shared_at_ns: columns.take()?,
            requirements_hash: columns.array("requirements_hash")?,
            expires_at_ns: columns.take()?,
        };
        if let Some(gap) = facts.gap().filter(|_| other < most) {
            gaps.push(gap);
            other += 1;
        }
    }
    Ok(gaps)
}

async fn lookup_share(
    store: &PostgresStore,
    agent: &str,
    share: &str,
) -> Result<Option<ShareRecord>, Fault> {
    let session = store.session().await?;
    let Some(row) = session.row(&SHARE, [&agent, &share]).await? else {
        return Ok(None);
    };
    let mut columns = Columns::of(&row);
    let host = columns.host()?;
    let id = host.id.to_string();
    let fields = session.rows(&SHARE_FIELDS, [&id, &share]).await?;
    let field = |row| {
        let mut columns = Columns::of(row);
        let (field, expires) = (columns.take()?, columns.take()?);
        let salt: Option<Vec<u8>> = columns.take()?;
        let salt = salt
            .map(|salt| crate::rows::array(salt, "share_keys.salt"))
            .transpose()?;
        Ok::<_, Fault>((field, expires, salt))
    };
    let rows = session.rows(&SHARE_ROWS, [&id, &share]).await?;
    Ok(Some(ShareRecord {
        host,
        code: columns.take()?,
        title: columns.take()?,
        event_type: columns.parse("reservation_user_data.event_type")?,
        requirements_version: columns.count("requirements_version")?,
        fields: fields.iter().map(field).collect::<Result<_, _>>()?,
        rows: rows.iter().map(ledger_row).collect::<Result<_, _>>()?,
    }))
}
