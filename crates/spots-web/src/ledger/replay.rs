//! After an old backup was restored: finding what ended since, and ending it again.

use std::collections::BTreeSet;
use std::sync::Arc;

use spots_privacy::ledger::entry::{ERASED, erased_name};
use spots_privacy::ledger::merkle::{Frontier, fold, nodes_of};
use spots_privacy::ledger::{Entry, LedgerKey};
use spots_privacy::{AgentId, LookupKey, UserId};
use spots_store::ledger::LEDGER_ROWS_MAX;
use spots_store::{Stamp, Store};

use super::{LedgerError, Mirror};
use crate::service::AGENT_CONTEXT;

/// How a database stands to the copy of its ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The database has all that the copy has.
    Continues,
    /// The database is older than the copy: these many entries are missing.
    Behind(u64),
    /// The database is not the one that the copy follows, or went on after an old backup was
    /// restored: up to this size at most they are the same.
    Forked(u64),
}

/// What a replay did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Entries that were put back.
    pub restored: u64,
    /// Fields that were ended again.
    pub ended: u64,
    /// Accounts that were deleted again.
    pub erased: u64,
}

/// Compares a database with the copy of its ledger.
pub async fn compare(store: &dyn Store, mirror: &Mirror) -> Result<Standing, LedgerError> {
    let last = store.last_checkpoint().await?.map_or(0, |last| last.size);
    let common = last.min(mirror.size());
    let nodes = nodes_of(0..common);
    let stored = store.list_ledger_nodes(nodes.clone()).await?;
    let hashes: Vec<_> = nodes
        .iter()
        .filter_map(|node| stored.get(node).copied())
        .collect();
    let mut frontier = Frontier::default();
    mirror.each(|position, entry| {
        if position < common {
            frontier.push(entry.leaf());
        }
    })?;
    let same =
        hashes.len() == nodes.len() && (common == 0 || fold(&hashes) == Some(frontier.root()));
    Ok(match (same, last >= mirror.size()) {
        (false, _) => Standing::Forked(common),
        (true, true) => Standing::Continues,
        (true, false) => Standing::Behind(mirror.size() - last),
    })
}

/// Ends again whatever the copy says has ended, then puts the missing entries back. Where the two
/// have forked the entries cannot be put back; what ended is ended all the same.
pub async fn replay(
    store: &dyn Store,
    lookup: &LookupKey,
    mirror: &Mirror,
    stamp: Stamp,
) -> Result<(Standing, Replayed), LedgerError> {
    let key = Arc::new(LedgerKey::derive(lookup));
    let standing = compare(store, mirror).await?;
    let first = match standing {
        Standing::Continues => return Ok((standing, Replayed::default())),
        Standing::Behind(lost) => mirror.size() - lost,
        Standing::Forked(_) => 0,
    };
    let mut rows: Vec<(u64, Entry)> = Vec::new();
    mirror.each(|position, entry| {
        if position >= first {
            rows.push((position, entry));
        }
    })?;
    let mut done = Replayed::default();
    let page = LEDGER_ROWS_MAX as usize;
    // The keys first: whoever is stopped in between begins again, and no server serves before.
    for rows in rows.chunks(page) {
        let endings = rows.iter().filter(|(_, entry)| entry.ends());
        let endings = endings.map(|(_, entry)| entry.clone()).collect();
        done.ended += store.replay_endings(endings, stamp).await?;
    }
    done.erased = erase_again(store, lookup, &rows, stamp).await?;
    if matches!(standing, Standing::Behind(_)) {
        for rows in rows.chunks(page) {
            store
                .restore_ledger(rows.to_vec(), Arc::clone(&key))
                .await?;
            done.restored += rows.len() as u64;
        }
    }
    Ok((standing, done))
}

/// Deletes accounts again that the copy says are gone. The ledger names them by a hash, so all
/// accounts are looked through, and the agents of those that are found.
async fn erase_again(
    store: &dyn Store,
    lookup: &LookupKey,
    rows: &[(u64, Entry)],
    stamp: Stamp,
) -> Result<u64, LedgerError> {
    let erased = rows.iter().filter(|(_, entry)| entry.kind == ERASED);
    let erased: BTreeSet<_> = erased.map(|(_, entry)| entry.share.as_str()).collect();
    if erased.is_empty() {
        return Ok(0);
    }
    let mut found: Vec<(UserId, [u8; 32])> = Vec::new();
    let mut after = String::new();
    loop {
        let page = store.list_identities(&after, LEDGER_ROWS_MAX).await?;
        let Some(last) = page.last() else { break };
        after = last.user.reveal();
        let gone = page
            .into_iter()
            .filter(|one| erased.contains(erased_name(&one.user.reveal()).as_str()));
        found.extend(gone.map(|one| (one.user, one.agent_lookup)));
    }
    let mut after = String::new();
    let mut done = 0;
    while done < found.len() as u64 {
        let page: Vec<AgentId> = store.list_agents(&after, LEDGER_ROWS_MAX).await?;
        let Some(last) = page.last() else { break };
        after = last.reveal();
        for agent in &page {
            let hash = lookup.hash(AGENT_CONTEXT, &agent.reveal());
            let of = found.iter().find(|(_, lookup)| *lookup == hash);
            if let Some((user, _)) = of {
                store.remove_account(user, agent, stamp).await?;
                done += 1;
            }
        }
    }
    Ok(done)
}
