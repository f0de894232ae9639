//! What only PostgreSQL can get wrong.

use std::sync::Arc;
use std::time::Duration;

use spots_migrate::Silent;
use spots_store::model::{Book, Selection};
use spots_store::{PageRequest, PostgresOptions, PostgresStore, Store as _, StoreError};
use spots_testkit::postgres::Database;
use tokio::task::JoinSet;

use crate::stage::{Stage, connect, migrated};

/// Whoever goes away in the middle of an operation leaves no transaction behind on the only
/// connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_operation_leaves_the_connection_clean() {
    let stage = Stage::postgres(&migrated().await).await;
    let one = PostgresOptions {
        connections_max: 1,
        ..PostgresOptions::default()
    };
    let narrow = Arc::new(connect(stage.database(), one).await);
    let offer = stage.offer(None).await;
    let ada = stage.person().await;
    let mut kept = 0;
    for round in 0..40_u32 {
        let book = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
        narrow
            .book(Book {
                idempotency: None,
                ..book
            })
            .await
            .unwrap();
        kept += 1;
        let (store, agent, stamp) = (Arc::clone(&narrow), ada.agent().clone(), stage.stamp());
        let patience = Duration::from_micros(u64::from(round) * 100);
        let revoke = store.revoke(&agent, Selection::All, stamp);
        if let Ok(done) = tokio::time::timeout(patience, revoke).await {
            done.unwrap();
        }
    }
    let all = narrow
        .list_bookings(ada.agent(), PageRequest::FIRST)
        .await
        .unwrap();
    assert_eq!(all.items.len(), kept);
    let revoked = "SELECT count(*) FROM reservation_user_data_fields WHERE revoked_at_ns > 0";
    let entered = "SELECT count(*) FROM ledger_entries WHERE kind = 'revoked'";
    let (revoked, entered) = (stage.count(revoked).await, stage.count(entered).await);
    assert_eq!(revoked, entered, "each revocation happened or did not");
    let keys = stage.count("SELECT count(*) FROM share_keys").await;
    assert_eq!(usize::try_from(keys + revoked).unwrap(), kept);
}

/// Whatever waits for the same places shares a transaction.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bookings_that_wait_share_a_transaction() {
    let stage = Stage::postgres(&migrated().await).await;
    let offer = stage.offer(Some(1_000)).await;
    let ada = stage.person().await;
    let books: Vec<_> = (0..64).map(|_| stage.book(ada.agent(), &offer)).collect();
    let mut clients = JoinSet::new();
    for book in books {
        let store = Arc::clone(&stage.store);
        clients.spawn(async move { store.book(book).await.unwrap() });
    }
    assert_eq!(clients.join_all().await.len(), 64);
    let transactions = stage
        .count("SELECT count(DISTINCT xmin::text) FROM reservations")
        .await;
    assert!(
        transactions <= 16,
        "64 bookings took {transactions} transactions"
    );
}

/// Two processes start on an empty database at the same time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_start_together_agree_on_the_schema() {
    let database = Database::create().unwrap();
    let options = PostgresOptions::default();
    let (first, second) = tokio::join!(connect(&database, options), connect(&database, options));
    first.ping().await.unwrap();
    second.ping().await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named_without_its_password() {
    let url = "postgres://spots:secret@127.0.0.1:1/none";
    let failed = PostgresStore::connect(url, PostgresOptions::default(), &mut Silent).await;
    let Err(StoreError::Failed { cause, .. }) = failed else {
        panic!("connected")
    };
    let told = format!("{cause} {cause:?}");
    assert!(!told.contains("secret"), "{told}");
}
