//! Many at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use spots_booking::Refusal;
use spots_store::model::{Book, Booked, Selection};
use spots_store::{PageRequest, Store, StoreError};
use tokio::task::JoinSet;

use crate::stage::{Offer, Stage, named, refused};

const CLIENTS: usize = 64;
const PLACES: u32 = 10;
const ROUNDS: usize = 4;

/// Sends all at once, to two processes in turn where the database allows two.
async fn send(stage: &Stage, books: Vec<Book>) -> Vec<Result<Booked, StoreError>> {
    let stores: [Arc<dyn Store>; 2] = [Arc::clone(&stage.store), stage.replica().await];
    let mut clients = JoinSet::new();
    for (index, book) in books.into_iter().enumerate() {
        let store = Arc::clone(&stores[index % 2]);
        clients.spawn(async move { (index, store.book(book).await) });
    }
    let mut answers = clients.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

pub(crate) async fn ten_places_go_to_ten_of_sixty_four(stage: &Stage) {
    let host = stage.host("Klub").await;
    let mut people = Vec::new();
    for _ in 0..CLIENTS {
        people.push(stage.person().await);
    }
    for round in 0..ROUNDS {
        let offer = stage.offer_of(&host, Some(PLACES)).await;
        let books = people
            .iter()
            .map(|person| stage.book_sharing(person.agent(), &offer, &[("name", "A")]))
            .collect();
        let mut positions = BTreeSet::new();
        let mut full = 0;
        for answer in send(stage, books).await {
            match answer {
                Ok(booked) => assert!(positions.insert(booked.placed.position.unwrap())),
                other => {
                    assert_eq!(refused(other), Refusal::Full { wanted: 1, left: 0 });
                    full += 1;
                }
            }
        }
        assert_eq!(full, CLIENTS - 10, "round {round}");
        assert_eq!(positions, (1..=10).collect(), "round {round}");
        let pool = stage
            .store
            .list_pools(offer.host, offer.event)
            .await
            .unwrap()[0]
            .pool;
        assert_eq!(pool.taken, PLACES);
        assert_eq!(stage.open(&offer).await.len(), 10);
    }
    let keys = i64::try_from(ROUNDS * 10).unwrap();
    assert_eq!(stage.count("SELECT count(*) FROM share_keys").await, keys);
    assert_eq!(stage.count("SELECT count(*) FROM outbox").await, 2 * keys);
}

pub(crate) async fn a_bad_booking_spoils_no_other(stage: &Stage) {
    let offer = stage.offer(Some(100)).await;
    let ada = stage.person().await;
    let taken = stage.book(ada.agent(), &offer);
    stage.store.book(taken.clone()).await.unwrap();
    let mut books: Vec<_> = (0..16).map(|_| stage.book(ada.agent(), &offer)).collect();
    // An id that exists is no refusal: it is a fault of whoever made the request.
    books[5].booking = taken.booking;
    books[9].request.party = 7;
    let answers = send(stage, books).await;
    for (index, answer) in answers.into_iter().enumerate() {
        match index {
            5 => assert!(
                matches!(answer, Err(StoreError::Failed { .. })),
                "{answer:?}"
            ),
            9 => assert_eq!(refused(answer), Refusal::Party { most: 6 }),
            _ => assert!(answer.is_ok(), "{index}: {answer:?}"),
        }
    }
    let pool = stage
        .store
        .list_pools(offer.host, offer.event)
        .await
        .unwrap()[0]
        .pool;
    assert_eq!(pool.taken, 15);
    assert_eq!(stage.count("SELECT count(*) FROM reservations").await, 15);
}

pub(crate) async fn one_request_repeated_at_once_is_taken_once(stage: &Stage) {
    let offer = stage.offer(Some(100)).await;
    let ada = stage.person().await;
    let books = (0..32)
        .map(|_| Book {
            idempotency: Some(named("key", 1)),
            ..stage.book(ada.agent(), &offer)
        })
        .collect();
    let answers: Vec<_> = send(stage, books)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let bookings: BTreeSet<_> = answers.iter().map(|booked| booked.booking).collect();
    assert_eq!(bookings.len(), 1);
    assert_eq!(answers.iter().filter(|booked| !booked.repeated).count(), 1);
    assert_eq!(stage.count("SELECT count(*) FROM reservations").await, 1);
}

/// Books, cancels, revokes and opens, all of the same events and people, in two processes.
pub(crate) async fn everything_at_once_keeps_the_books(stage: &Stage) {
    let host = stage.host("Klub").await;
    let offers = [
        stage.offer_of(&host, Some(30)).await,
        stage.offer_of(&host, None).await,
    ];
    let stores = [Arc::clone(&stage.store), stage.replica().await];
    let mut people = Vec::new();
    for _ in 0..6 {
        people.push(stage.person().await);
    }
    let mut tasks = JoinSet::new();
    for step in 0..180 {
        let store = Arc::clone(&stores[step % 2]);
        let agent = people[step % people.len()].agent().clone();
        let offer = offers[(step / 7) % 2];
        let book = stage.book_sharing(&agent, &offer, &[("name", "A"), ("email", "B")]);
        let (now, open) = (stage.stamp(), stage.opening(&offer));
        tasks.spawn(async move {
            match step % 5 {
                0..=2 => store.book(book).await.map(drop),
                3 => {
                    let page = PageRequest {
                        offset: 0,
                        limit: 3,
                    };
                    let held = store.list_bookings(&agent, page).await?;
                    let live = held.items.iter().find(|one| one.cancelled_at_ns.is_none());
                    match live {
                        Some(one) => store.cancel(&agent, one.id, now).await,
                        None => Ok(()),
                    }
                }
                _ => {
                    store.open_guests(open, PageRequest::FIRST).await?;
                    store.revoke(&agent, Selection::All, now).await.map(drop)
                }
            }
        });
    }
    for answer in tasks.join_all().await {
        match answer {
            Ok(()) | Err(StoreError::Refused(Refusal::Full { .. } | Refusal::NotCancellable)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    for offer in offers {
        check_books(stage, &offer).await;
    }
}

/// A pool holds what its bookings hold, and only fields that nobody ended have keys.
async fn check_books(stage: &Stage, offer: &Offer) {
    let pool = stage
        .store
        .list_pools(offer.host, offer.event)
        .await
        .unwrap()[0]
        .pool;
    let event = offer.event;
    let live = format!(
        "SELECT CAST(COALESCE(sum(party), 0) AS BIGINT) FROM reservations
         WHERE event_id = '{event}' AND cancelled_at_ns IS NULL"
    );
    assert_eq!(i64::from(pool.taken), stage.count(&live).await);
    let all = format!("SELECT count(*) FROM reservations WHERE event_id = '{event}'");
    assert_eq!(pool.next_position - 1, stage.count(&all).await);
    let wrong = "SELECT count(*) FROM reservation_user_data_fields f
         LEFT JOIN share_keys k
           ON k.host_id = f.host_id AND k.share_id = f.share_id AND k.field = f.field
         WHERE (f.revoked_at_ns IS NULL) <> (k.field IS NOT NULL)";
    assert_eq!(stage.count(wrong).await, 0);
    let handles = "SELECT count(*) FROM (SELECT agent_id FROM guests GROUP BY host_id, agent_id
                   HAVING count(*) > 1) AS twice";
    assert_eq!(stage.count(handles).await, 0);
}
