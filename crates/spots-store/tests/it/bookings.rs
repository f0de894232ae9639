//! Taking, repeating, cancelling and listing bookings.

use std::collections::BTreeSet;

use spots_booking::{BookingId, EventId, Refusal};
use spots_store::model::{Book, SlotPool};
use spots_store::{PageRequest, Stamp};

use crate::stage::{Offer, SLOTS, Stage, asked, named, random, refused, slot};

async fn pools(stage: &Stage, offer: &Offer) -> Vec<SlotPool> {
    stage
        .store
        .list_pools(offer.host, offer.event)
        .await
        .unwrap()
}

pub(crate) async fn a_booking_is_taken_with_its_evidence(stage: &Stage) {
    let offer = stage.offer(Some(10)).await;
    let ada = stage.person().await;
    let mut book = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
    book.request.party = 3;
    let stamp = Stamp {
        bound_ns: Some(1_500),
        ..book.stamp
    };
    book.stamp = stamp;
    let booked = stage.store.book(book.clone()).await.unwrap();
    assert_eq!(booked.booking, book.booking);
    assert!(!booked.repeated);
    assert_eq!((booked.placed.slot, booked.placed.party), (slot(0), 3));
    assert_eq!(booked.placed.position, Some(1));

    let record = stage
        .store
        .lookup_booking(ada.agent(), book.booking)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.placed, booked.placed);
    assert_eq!(
        record.booked, stamp,
        "the stamp and its bound stand beside the booking"
    );
    assert_eq!(record.code, book.codes[0].to_string());
    assert_eq!(
        (record.title.as_str(), record.host.id),
        ("Tasting", offer.host)
    );
    assert_eq!(record.cancelled_at_ns, None);

    let [SlotPool { starts_at, pool }] = pools(stage, &offer).await[..] else {
        panic!("pools")
    };
    assert_eq!(starts_at, slot(0).starts_at.as_second());
    assert_eq!(
        (pool.capacity, pool.taken, pool.next_position),
        (Some(10), 3, 2)
    );
    for (table, rows) in [
        ("ledger_entries", 1),
        ("outbox", 2),
        ("reservation_tickets", 1),
    ] {
        let count = stage.count(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(count, rows, "{table}, in the same transaction");
    }
}

pub(crate) async fn every_refusal_stores_nothing(stage: &Stage) {
    let offer = stage.offer(Some(2)).await;
    let ada = stage.person().await;
    let book = || stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
    let other = stage.offer(Some(2)).await;
    let with = |change: &dyn Fn(&mut Book)| {
        let mut book = Book {
            idempotency: Some(named("key", 1)),
            ..book()
        };
        change(&mut book);
        book
    };
    let event = EventId::from_random(random());
    let elsewhere = "2026-12-01T18:00:01Z".parse().unwrap();
    let over = "2026-11-22T11:59:59Z".parse().unwrap();
    let cases = [
        (
            with(&|book| book.request.party = 3),
            Refusal::Full { wanted: 3, left: 2 },
        ),
        (
            with(&|book| book.request.party = 0),
            Refusal::Party { most: 6 },
        ),
        (
            with(&|book| book.request.party = 7),
            Refusal::Party { most: 6 },
        ),
        (
            with(&|book| book.request.starts_at = elsewhere),
            Refusal::NoSuchSlot,
        ),
        (with(&|book| book.request.starts_at = over), Refusal::Past),
        (
            with(&|book| book.requirements_version = 0),
            Refusal::RequirementsChanged,
        ),
        (
            with(&|book| book.requirements_version = 2),
            Refusal::RequirementsChanged,
        ),
        (with(&|book| book.event = event), Refusal::NotFound("event")),
        (
            with(&|book| book.host = other.host),
            Refusal::NotFound("event"),
        ),
    ];
    for (book, refusal) in cases {
        assert_eq!(refused(stage.store.book(book).await), refusal);
    }
    check_nothing_is_stored(stage).await;
}

async fn check_nothing_is_stored(stage: &Stage) {
    for table in [
        "reservations",
        "agent_bookings",
        "reservation_tickets",
        "guests",
        "capacity_pools",
        "reservation_user_data",
        "reservation_user_data_fields",
        "share_keys",
        "ledger_entries",
        "outbox",
        "idempotency_keys",
        "journal_entries",
    ] {
        let count = stage.count(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(count, 0, "{table}");
    }
}

pub(crate) async fn what_changed_meanwhile_is_refused(stage: &Stage) {
    let offer = stage.offer(Some(2)).await;
    let ada = stage.person().await;
    let book = || stage.book(ada.agent(), &offer);
    stage.store.book(book()).await.unwrap();
    stage
        .store
        .update_requirements(offer.host, asked(30))
        .await
        .unwrap();
    assert_eq!(
        refused(stage.store.book(book()).await),
        Refusal::RequirementsChanged
    );
    stage.advance_to(SLOTS[0]);
    let late = Book {
        requirements_version: 2,
        ..book()
    };
    assert_eq!(
        refused(stage.store.book(late).await),
        Refusal::Past,
        "a slot that begins is over"
    );
}

pub(crate) async fn a_repeated_request_is_answered_once(stage: &Stage) {
    let offer = stage.offer(Some(2)).await;
    let (ada, bob) = (stage.person().await, stage.person().await);
    let book = |agent, digest| Book {
        idempotency: Some(named("key", digest)),
        ..stage.book(agent, &offer)
    };
    let first = stage.store.book(book(ada.agent(), 1)).await.unwrap();
    let again = stage.store.book(book(ada.agent(), 1)).await.unwrap();
    assert!(again.repeated);
    assert_eq!((again.booking, again.placed), (first.booking, first.placed));
    let other = stage.store.book(book(ada.agent(), 2)).await;
    assert_eq!(refused(other), Refusal::KeyReused);
    let theirs = stage.store.book(book(bob.agent(), 2)).await.unwrap();
    assert!(!theirs.repeated, "another person's key is another key");
    assert_eq!(stage.count("SELECT count(*) FROM reservations").await, 2);

    stage
        .store
        .cancel(ada.agent(), first.booking, stage.stamp())
        .await
        .unwrap();
    let again = stage.store.book(book(ada.agent(), 1)).await.unwrap();
    assert_eq!((again.repeated, again.booking), (true, first.booking));
    let record = stage
        .store
        .lookup_booking(ada.agent(), first.booking)
        .await
        .unwrap()
        .unwrap();
    assert!(
        record.cancelled_at_ns.is_some(),
        "a repetition does not book anew"
    );

    let fresh = Book {
        idempotency: Some(named("new", 1)),
        ..stage.book(ada.agent(), &offer)
    };
    stage.store.book(fresh.clone()).await.unwrap();
    let refused_once = Book {
        idempotency: Some(named("full", 1)),
        ..stage.book(ada.agent(), &offer)
    };
    refused(stage.store.book(refused_once.clone()).await);
    stage
        .store
        .cancel(ada.agent(), fresh.booking, stage.stamp())
        .await
        .unwrap();
    let retried = stage.store.book(refused_once).await.unwrap();
    assert!(!retried.repeated, "a refusal is not remembered");
}

pub(crate) async fn unlimited_events_have_no_position(stage: &Stage) {
    let offer = stage.offer(None).await;
    let ada = stage.person().await;
    for _ in 0..3 {
        let booked = stage
            .store
            .book(stage.book(ada.agent(), &offer))
            .await
            .unwrap();
        assert_eq!(booked.placed.position, None);
    }
    let pool = pools(stage, &offer).await[0].pool;
    assert_eq!((pool.capacity, pool.taken), (None, 3));
}

pub(crate) async fn a_cancelled_booking_gives_its_places_back(stage: &Stage) {
    let offer = stage.offer(Some(2)).await;
    let ada = stage.person().await;
    let mut book = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada"), ("email", "a@b.c")]);
    book.request.party = 2;
    stage.store.book(book.clone()).await.unwrap();
    refused(stage.store.book(stage.book(ada.agent(), &offer)).await);
    let stamp = stage.stamp();
    stage
        .store
        .cancel(ada.agent(), book.booking, stamp)
        .await
        .unwrap();
    let pool = pools(stage, &offer).await[0].pool;
    assert_eq!((pool.taken, pool.next_position), (0, 2));
    assert_eq!(
        stage.count("SELECT count(*) FROM share_keys").await,
        0,
        "its keys are destroyed"
    );
    let ended = "SELECT count(*) FROM ledger_entries WHERE kind = 'cancelled'";
    assert_eq!(stage.count(ended).await, 2);
    let told = "SELECT count(*) FROM outbox WHERE kind = 'cancelled'";
    assert_eq!(stage.count(told).await, 2);
    let record = stage
        .store
        .lookup_booking(ada.agent(), book.booking)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.cancelled_at_ns, Some(stamp.at_ns));
    let seen = stage.open(&offer).await;
    assert!(seen[0].0.cancelled && seen[0].1.is_empty());

    let again = stage
        .store
        .cancel(ada.agent(), book.booking, stage.stamp())
        .await;
    assert_eq!(refused(again), Refusal::NotCancellable);
    let next = stage
        .store
        .book(stage.book(ada.agent(), &offer))
        .await
        .unwrap();
    assert_eq!(
        next.placed.position,
        Some(2),
        "a cancelled position stays a gap"
    );
    stage.advance_to(SLOTS[0]);
    let late = stage
        .store
        .cancel(ada.agent(), next.booking, stage.stamp())
        .await;
    assert_eq!(refused(late), Refusal::NotCancellable);
    assert_eq!(pools(stage, &offer).await[0].pool.taken, 1);
}

pub(crate) async fn a_booking_of_somebody_else_is_not_there(stage: &Stage) {
    let offer = stage.offer(Some(2)).await;
    let (ada, eve) = (stage.person().await, stage.person().await);
    let booked = stage
        .store
        .book(stage.book(ada.agent(), &offer))
        .await
        .unwrap();
    for booking in [booked.booking, BookingId::from_random(random())] {
        let cancelled = stage
            .store
            .cancel(eve.agent(), booking, stage.stamp())
            .await;
        assert_eq!(refused(cancelled), Refusal::NotFound("booking"));
        assert!(
            stage
                .store
                .lookup_booking(eve.agent(), booking)
                .await
                .unwrap()
                .is_none()
        );
    }
    let theirs = stage
        .store
        .list_bookings(eve.agent(), PageRequest::FIRST)
        .await
        .unwrap();
    assert!(theirs.items.is_empty());
    assert_eq!(pools(stage, &offer).await[0].pool.taken, 1);
}

pub(crate) async fn bookings_are_listed_newest_first(stage: &Stage) {
    let offers = [stage.offer(None).await, stage.offer(None).await];
    let ada = stage.person().await;
    let mut taken = Vec::new();
    for index in 0..5 {
        let book = stage.book(ada.agent(), &offers[index % 2]);
        taken.push(stage.store.book(book).await.unwrap().booking);
    }
    taken.reverse();
    let mut listed = Vec::new();
    for offset in [0, 2, 4] {
        let page = PageRequest { offset, limit: 2 };
        let found = stage.store.list_bookings(ada.agent(), page).await.unwrap();
        assert_eq!(found.more, offset < 4);
        listed.extend(found.items.into_iter().map(|record| record.id));
    }
    assert_eq!(listed, taken);
}

pub(crate) async fn a_guest_has_one_handle_per_host(stage: &Stage) {
    let (here, there) = (stage.offer(None).await, stage.offer(None).await);
    let (ada, bob) = (stage.person().await, stage.person().await);
    let first = stage.book(ada.agent(), &here);
    stage.store.book(first.clone()).await.unwrap();
    stage
        .store
        .book(stage.book(ada.agent(), &here))
        .await
        .unwrap();
    stage
        .store
        .book(stage.book(ada.agent(), &there))
        .await
        .unwrap();
    let handles = |seen: Vec<(crate::stage::GuestRecordView, Vec<String>)>| {
        seen.into_iter()
            .map(|(view, _)| view.guest)
            .collect::<BTreeSet<_>>()
    };
    let (ours, theirs) = (
        handles(stage.open(&here).await),
        handles(stage.open(&there).await),
    );
    assert_eq!(ours, BTreeSet::from([first.guest]));
    assert_eq!(theirs.len(), 1);
    assert!(ours.is_disjoint(&theirs));

    let mut same_code = stage.book(bob.agent(), &here);
    same_code.codes[..3].fill(first.codes[0]);
    let booked = stage.store.book(same_code.clone()).await.unwrap().booking;
    let record = stage
        .store
        .lookup_booking(bob.agent(), booked)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        record.code,
        same_code.codes[3].to_string(),
        "the first that is free"
    );
    let eve = stage.person().await;
    let mut none_free = stage.book(eve.agent(), &here);
    none_free.codes.fill(first.codes[0]);
    assert!(matches!(
        refused(stage.store.book(none_free).await),
        Refusal::Taken(_)
    ));
}
