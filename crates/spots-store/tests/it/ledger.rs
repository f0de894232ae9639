//! The consent ledger: places, hashes, and that nothing in it changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use spots_privacy::consent::Person;
use spots_privacy::ledger::merkle::{Frontier, nodes_of};
use spots_privacy::ledger::{Checkpoint, LedgerKey, Node};
use spots_store::ledger::LedgerRow;
use spots_store::model::{Selection, ShareFilter};

use crate::stage::Stage;

const FIELDS: [(&str, &str); 2] = [("name", "Ada"), ("email", "ada@example.org")];

fn key(stage: &Stage) -> Arc<LedgerKey> {
    Arc::new(LedgerKey::derive(stage.keys.lookup()))
}

/// Somebody who shared two fields this many times: two entries each.
async fn shared(stage: &Stage, times: usize) -> Person {
    let (offer, person) = (stage.offer(None).await, stage.person().await);
    for _ in 0..times {
        let book = stage.book_sharing(person.agent(), &offer, &FIELDS);
        stage.store.book(book).await.unwrap();
    }
    person
}

async fn all(stage: &Stage) -> Vec<LedgerRow> {
    stage.store.list_ledger(0, 1_000).await.unwrap()
}

/// The signed checkpoint is that of the rows as they stand.
async fn check(stage: &Stage) -> u64 {
    let rows = all(stage).await;
    let mut frontier = Frontier::default();
    let mut nodes = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row.position, Some(index as u64), "positions have no gap");
        nodes.extend(frontier.push(row.entry.leaf()));
    }
    let stored = nodes.iter().map(|(node, _)| *node).collect();
    let stored = stage.store.list_ledger_nodes(stored).await.unwrap();
    assert_eq!(stored, nodes.into_iter().collect());
    let last = stage.store.last_checkpoint().await.unwrap().unwrap();
    let signed = Checkpoint::open(&last.note, key(stage).public()).unwrap();
    assert_eq!((signed.size, signed.root), (last.size, frontier.root()));
    assert_eq!(signed.size, rows.len() as u64);
    signed.size
}

pub(crate) async fn entries_get_their_places_in_batches(stage: &Stage) {
    let store = &stage.store;
    assert_eq!(store.last_checkpoint().await.unwrap(), None);
    let person = shared(stage, 3).await;
    assert_eq!(store.count_ledger_waiting().await.unwrap(), 6);
    assert_eq!(store.sequence_ledger(key(stage), 4).await.unwrap(), 4);
    assert_eq!(check(stage).await, 4);
    assert_eq!(store.sequence_ledger(key(stage), 4).await.unwrap(), 2);
    assert_eq!(store.sequence_ledger(key(stage), 4).await.unwrap(), 0);
    assert_eq!(check(stage).await, 6);

    assert_eq!(stage.revoke(person.agent(), Selection::All).await, 6);
    assert_eq!(store.count_ledger_waiting().await.unwrap(), 6);
    assert_eq!(store.sequence_ledger(key(stage), 100).await.unwrap(), 6);
    assert_eq!(check(stage).await, 12);
    let sizes = store.list_checkpoints(0, 10).await.unwrap();
    assert_eq!(
        sizes.iter().map(|one| one.size).collect::<Vec<_>>(),
        [4, 6, 12]
    );
    let leaf = all(stage).await[7].entry.leaf();
    assert_eq!(store.find_ledger_leaf(leaf).await.unwrap(), Some(7));
    assert_eq!(store.find_ledger_leaf([0; 32]).await.unwrap(), None);
    assert!(store.list_ledger_gaps(10).await.unwrap().iter().all(|gap| {
        // The stage hashes no real requirements, and so commits to those that it names.
        !gap.what.contains("missing")
    }));
}

pub(crate) async fn servers_that_sequence_at_once_agree(stage: &Stage) {
    let replica = stage.replica().await;
    shared(stage, 20).await;
    let mut done = 0;
    while done < 40 {
        let (first, second) = tokio::join!(
            stage.store.sequence_ledger(key(stage), 3),
            replica.sequence_ledger(key(stage), 3)
        );
        done += first.unwrap() + second.unwrap();
    }
    assert_eq!(check(stage).await, 40);
}

pub(crate) async fn nothing_in_the_ledger_changes(stage: &Stage) {
    shared(stage, 2).await;
    stage.store.sequence_ledger(key(stage), 3).await.unwrap();
    for sql in [
        "DELETE FROM ledger_entries",
        "DELETE FROM ledger_entries WHERE position IS NULL",
        "UPDATE ledger_entries SET kind = 'revoked' WHERE position = 1",
        "UPDATE ledger_entries SET kind = 'revoked' WHERE position IS NULL",
        "UPDATE ledger_entries SET position = 9 WHERE position = 1",
        "UPDATE ledger_entries SET position = NULL WHERE position = 1",
        "DELETE FROM ledger_nodes",
        "UPDATE ledger_nodes SET node_index = 77 WHERE node_index = 1",
        "DELETE FROM ledger_checkpoints",
        "UPDATE ledger_checkpoints SET note = ''",
        "INSERT INTO ledger_entries SELECT * FROM ledger_entries",
    ] {
        assert!(stage.execute(sql).await.is_err(), "{sql}");
    }
    let engine = if stage.is_sqlite() {
        [
            "INSERT OR REPLACE INTO ledger_entries SELECT * FROM ledger_entries",
            "INSERT OR REPLACE INTO ledger_nodes SELECT level, node_index, hash FROM ledger_nodes",
            "REPLACE INTO ledger_checkpoints SELECT size, note FROM ledger_checkpoints",
        ]
    } else {
        [
            "TRUNCATE ledger_entries",
            "TRUNCATE ledger_nodes",
            "TRUNCATE ledger_checkpoints",
        ]
    };
    for sql in engine {
        assert!(stage.execute(sql).await.is_err(), "{sql}");
    }
    assert_eq!(check(stage).await, 3);
    assert_eq!(stage.store.count_ledger_waiting().await.unwrap(), 1);
}

pub(crate) async fn what_ended_is_ended_again(stage: &Stage) {
    let person = shared(stage, 2).await;
    let other = shared(stage, 1).await;
    let live = "SELECT count(*) FROM share_keys";
    assert_eq!(stage.count(live).await, 6);
    stage.store.sequence_ledger(key(stage), 100).await.unwrap();
    let of_person = stage.shares(person.agent(), ShareFilter::default()).await;
    let mut endings: Vec<_> = all(stage).await.into_iter().map(|row| row.entry).collect();
    let shares: BTreeSet<_> = of_person.iter().map(|one| one.share.to_string()).collect();
    let replay = |entries| stage.store.replay_endings(entries, stage.stamp());
    assert_eq!(
        replay(endings.clone()).await.unwrap(),
        0,
        "grants end nothing"
    );
    for entry in &mut endings {
        entry.kind = "revoked".to_owned();
    }
    endings.retain(|entry| shares.contains(&entry.share));
    assert_eq!(replay(endings.clone()).await.unwrap(), 4);
    assert_eq!(replay(endings).await.unwrap(), 0);
    assert_eq!(stage.count(live).await, 2, "the other person's stay");
    let entered = "SELECT count(*) FROM ledger_entries WHERE kind = 'replayed'";
    assert_eq!(stage.count(entered).await, 4);
    assert_eq!(
        stage
            .shares(other.agent(), ShareFilter::default())
            .await
            .len(),
        2
    );
}

pub(crate) async fn lost_entries_go_back_to_their_places(stage: &Stage) {
    shared(stage, 2).await;
    let store = &stage.store;
    store.sequence_ledger(key(stage), 2).await.unwrap();
    let rows = all(stage).await;
    let mut lost = rows[0].entry.clone();
    lost.stamp = [9; 16];
    let wrong = store.restore_ledger(vec![(5, lost.clone())], key(stage));
    assert!(wrong.await.is_err(), "it does not follow on the last one");
    store
        .restore_ledger(vec![(2, lost.clone())], key(stage))
        .await
        .unwrap();
    assert_eq!(check(stage).await, 3);
    assert_eq!(all(stage).await[2].entry, lost);
    store.sequence_ledger(key(stage), 100).await.unwrap();
    assert_eq!(check(stage).await, 5);
    let edge: Vec<Node> = nodes_of(0..5);
    assert_eq!(store.list_ledger_nodes(edge).await.unwrap().len(), 2);
}
