//! The order of several processes on PostgreSQL: leases, fences and what is final.

use std::time::Duration;

use spots_booking::Stream;
use spots_migrate::Silent;
use spots_store::journal::{Append, Evidence, JournalFilter, NewEntry, Outcome};
use spots_store::model::Book;
use spots_store::{JournalStore as _, OrderStore as _, PostgresOptions, PostgresStore, Store as _};
use tokio_postgres::{Client, NoTls};

use crate::link::{Cut, Link};
use crate::stage::{Stage, connect, migrated, named, random_text};

async fn stage() -> Stage {
    Stage::postgres(&migrated().await).await
}

async fn another(stage: &Stage) -> PostgresStore {
    connect(stage.database(), PostgresOptions::default()).await
}

async fn sql(stage: &Stage) -> Client {
    let url = stage.database().url();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn entry(key: &str) -> NewEntry {
    NewEntry {
        key: key.to_owned(),
        digest: [0; 32],
        kind: "used".to_owned(),
        subject: None,
        body: "{}".to_owned(),
        evidence: Evidence::default(),
    }
}

async fn add(store: &PostgresStore) -> i64 {
    let append = Append {
        stream: Stream::Analytics,
        actor: "agent_a".to_owned(),
        entries: vec![entry(&random_text())],
    };
    store.append_journal(append).await.unwrap()[0].stamp.at_ns
}

async fn final_mark(store: &PostgresStore) -> i64 {
    let part = store
        .list_journal(JournalFilter::of(Stream::Analytics))
        .await;
    part.unwrap().final_ns
}

/// Waits for heartbeats until the mark reaches this; at most a minute of them.
async fn reaches(store: &PostgresStore, mark: i64) -> bool {
    for _ in 0..1_200 {
        if final_mark(store).await >= mark {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_has_a_node_and_a_clean_stop_leaves_its_last_stamp() {
    let stage = stage().await;
    let (first, second) = (another(&stage).await, another(&stage).await);
    let one = first.join_order().await.unwrap();
    let two = second.join_order().await.unwrap();
    assert_ne!(one.node(), two.node());
    assert_eq!(first.order().node, Some(one));
    let last = add(&first).await;
    first.leave_order().await.unwrap();
    second.leave_order().await.unwrap();
    assert_eq!(first.order().node, None);
    assert!(final_mark(&first).await >= last, "nobody is waited for");
    let again = another(&stage).await;
    let third = again.join_order().await.unwrap();
    assert_eq!(
        third.node(),
        one.node().min(two.node()),
        "a node that nobody holds"
    );
    assert_eq!(third.incarnation(), 2);
    assert!(add(&again).await > last);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_that_was_ended_commits_nothing_more() {
    let stage = stage().await;
    let store = another(&stage).await;
    let before = store.join_order().await.unwrap();
    let sql = sql(&stage).await;
    // What another process does to one that fell silent.
    sql.execute("UPDATE clock_leases SET live = 0", &[])
        .await
        .unwrap();
    sql.execute(
        "UPDATE clock_final SET final_ns = (SELECT max(high_ns) FROM clock_heartbeats)",
        &[],
    )
    .await
    .unwrap();
    let mark = final_mark(&store).await;
    let stamp = add(&store).await;
    let after = store.order().node.unwrap();
    assert_ne!(
        (before.node(), before.incarnation()),
        (after.node(), after.incarnation())
    );
    assert!(stamp > mark, "what was final stays so");
    assert_eq!(store.order().leases_total, 2);
}

/// A process that passed the fence and stopped before its commit: until that is decided, nothing
/// above what it promised becomes final.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_transaction_holds_the_mark_back_even_when_its_lease_is_over() {
    let stage = stage().await;
    let store = another(&stage).await;
    store.join_order().await.unwrap();
    let (silent, watcher) = (sql(&stage).await, sql(&stage).await);
    silent
        .batch_execute(
            "BEGIN;
             SELECT 1 FROM clock_final FOR UPDATE;
             INSERT INTO clock_leases VALUES (77, 1, 1);
             INSERT INTO clock_heartbeats
                 SELECT 77, 1, 9223372036854775807, final_ns + 1, final_ns + 1 FROM clock_final;
             COMMIT;
             BEGIN;
             SELECT 1 FROM clock_leases WHERE node_id = 77 FOR SHARE",
        )
        .await
        .unwrap();
    // Silent since long ago, with the transaction open.
    let over = "UPDATE clock_heartbeats SET expires_ns = 0 WHERE node_id = 77 RETURNING closed_ns";
    let promised: i64 = watcher.query_one(over, &[]).await.unwrap().get(0);
    let stamp = add(&store).await;
    // Several heartbeats of the other, each of which tries to end the lease.
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(final_mark(&store).await <= promised);
    }
    let live = "SELECT count(*) FROM clock_leases WHERE node_id = 77 AND live = 1";
    assert_eq!(stage.count(live).await, 1);
    silent.batch_execute("ROLLBACK").await.unwrap();
    assert!(
        reaches(&store, stamp).await,
        "the silent one is waited for no longer"
    );
    assert_eq!(stage.count(live).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_far_from_the_databases_takes_no_place() {
    let stage = stage().await;
    let store = another(&stage).await;
    let (clock, time) = spots_clock::AtomicClock::simulated(1_795_366_800_000_000_000);
    time.advance(1);
    let store = store.with_clock(std::sync::Arc::new(clock));
    let refused = store.join_order().await.unwrap_err();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(
        cause.contains("the database's; synchronise both"),
        "{cause}"
    );
    assert_eq!(stage.count("SELECT count(*) FROM clock_leases").await, 0);
}

/// The connection breaks at the commit, and nobody can know what became of it: the place is given
/// up, nothing is final above what may have happened, and the key tells when it is asked again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_end_nobody_saw_is_settled_by_its_key() {
    for (cut, outcome) in [
        (Cut::Before, Outcome::Added),
        (Cut::After, Outcome::Repeated),
    ] {
        let stage = stage().await;
        let link = Link::to(stage.database());
        let options = PostgresOptions::default();
        let store = PostgresStore::connect(link.url(), options, &mut Silent).await;
        let store = store.unwrap();
        let before = store.join_order().await.unwrap();
        let append = Append {
            stream: Stream::Analytics,
            actor: "agent_a".to_owned(),
            entries: vec![entry("the-key-0001")],
        };
        link.cut(cut);
        store.append_journal(append.clone()).await.unwrap_err();
        assert!(link.has_cut());
        let stored = "SELECT count(*) FROM journal_entries";
        assert_eq!(stage.count(stored).await, i64::from(cut == Cut::After));

        let again = store.append_journal(append).await.unwrap()[0];
        assert_eq!(again.outcome, outcome, "{cut:?}");
        assert_eq!(store.order().leases_total, 2, "the place was given up");
        assert_ne!(store.order().node.unwrap(), before);
        assert!(reaches(&store, again.stamp.at_ns).await);
        let all = JournalFilter::of(Stream::Analytics);
        let all = store.list_journal(all).await.unwrap().entries;
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].stamp, again.stamp);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_whose_answer_was_lost_is_answered_when_it_is_repeated() {
    for cut in [Cut::Before, Cut::After] {
        let stage = stage().await;
        let link = Link::to(stage.database());
        let options = PostgresOptions::default();
        let store = PostgresStore::connect(link.url(), options, &mut Silent).await;
        let store = store.unwrap();
        let (offer, ada) = (stage.offer(Some(1)).await, stage.person().await);
        let book = Book {
            idempotency: Some(named("key", 1)),
            ..stage.book(ada.agent(), &offer)
        };
        link.cut(cut);
        store.book(book.clone()).await.unwrap_err();
        assert!(link.has_cut());
        let booked = store.book(book).await.unwrap();
        assert_eq!(booked.repeated, cut == Cut::After);
        assert_eq!(
            booked.placed.position,
            Some(1),
            "the only place is taken once"
        );
        assert_eq!(stage.count("SELECT count(*) FROM reservations").await, 1);
    }
}
