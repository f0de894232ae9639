//! Reading a whole ledger and saying where it is not what was signed.

use std::collections::BTreeMap;

use spots_privacy::ledger::{Audit, Checkpoint, Finding, Node, Place, PublicKey};
use spots_store::Store;
use spots_store::ledger::LEDGER_ROWS_MAX;

use super::{LedgerError, Mirror};

/// Positions that are read at once.
const PAGE: u64 = 500;

/// What an audit found.
#[derive(Debug)]
pub struct Audited {
    /// Entries with a position.
    pub size: u64,
    /// Entries that wait for one.
    pub waiting: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How many more findings there were than are listed.
    pub more: u64,
}

/// Reads every row, hash and checkpoint, and compares them with each other, with the data, and with
/// what is known outside: a copy, checkpoints that somebody kept.
pub async fn audit(
    store: &dyn Store,
    key: &PublicKey,
    mirror: Option<&Mirror>,
    kept: Vec<String>,
) -> Result<Audited, LedgerError> {
    let mut checkpoints = stored_checkpoints(store).await?;
    for note in kept {
        let signed = Checkpoint::open(&note, key).map_err(LedgerError::Note)?;
        checkpoints.push((signed.size, note));
    }
    let last = checkpoints.iter().map(|(size, _)| *size).max();
    let size = last.unwrap_or(0).max(mirror.map_or(0, Mirror::size));
    let copies = copies(mirror)?;
    let mut audit = Audit::begin(key.clone(), checkpoints);
    let mut from = 0;
    while from < size {
        let to = size.min(from + PAGE);
        page(store, &mut audit, &copies, (from, to)).await?;
        from = to;
    }
    for row in store.list_ledger(size, LEDGER_ROWS_MAX).await? {
        let position = row.position.unwrap_or(size);
        let what = format!("a row was inserted beyond what was signed: {}", row.entry);
        audit.report(Place::Position(position), what);
    }
    for gap in store.list_ledger_gaps(LEDGER_ROWS_MAX).await? {
        audit.report(Place::Field(gap.field), gap.what);
    }
    let waiting = store.count_ledger_waiting().await?;
    let (findings, more) = audit.end();
    Ok(Audited {
        size,
        waiting,
        findings,
        more,
    })
}

async fn stored_checkpoints(store: &dyn Store) -> Result<Vec<(u64, String)>, LedgerError> {
    let mut all = Vec::new();
    let mut after = 0;
    loop {
        let found = store.list_checkpoints(after, LEDGER_ROWS_MAX).await?;
        let Some(last) = found.last() else {
            return Ok(all);
        };
        after = last.size;
        all.extend(found.into_iter().map(|signed| (signed.size, signed.note)));
    }
}

/// The leaves of the copy, by position.
fn copies(mirror: Option<&Mirror>) -> Result<BTreeMap<u64, [u8; 32]>, LedgerError> {
    let mut leaves = BTreeMap::new();
    if let Some(mirror) = mirror {
        mirror.each(|position, entry| {
            leaves.insert(position, entry.leaf());
        })?;
    }
    Ok(leaves)
}

async fn page(
    store: &dyn Store,
    audit: &mut Audit,
    copies: &BTreeMap<u64, [u8; 32]>,
    (from, to): (u64, u64),
) -> Result<(), LedgerError> {
    let rows = store.list_ledger(from, LEDGER_ROWS_MAX).await?;
    let leaves = (from..to).map(|index| Node { level: 0, index }).collect();
    let leaves = store.list_ledger_nodes(leaves).await?;
    let mut completed = Vec::new();
    for position in from..to {
        let here: Vec<_> = rows
            .iter()
            .filter(|row| row.position == Some(position))
            .map(|row| row.entry.clone())
            .collect();
        let node = Node {
            level: 0,
            index: position,
        };
        let recorded = leaves.get(&node).copied();
        let copy = copies.get(&position).copied();
        completed.extend(audit.position(recorded, &here, copy));
    }
    let above = completed.into_iter().filter(|(node, _)| node.level > 0);
    let above: Vec<_> = above.collect();
    let stored = above.iter().map(|(node, _)| *node).collect();
    let stored = store.list_ledger_nodes(stored).await?;
    for (node, hash) in &above {
        audit.node(*node, stored.get(node), hash);
    }
    Ok(())
}
