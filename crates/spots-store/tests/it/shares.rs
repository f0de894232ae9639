//! Ending what is shared, and only that.

use std::collections::BTreeSet;

use spots_booking::{BookingId, HostId, Refusal, ShareId};
use spots_privacy::consent::Person;
use spots_store::PageRequest;
use spots_store::model::{Book, Selection, ShareFilter};

use crate::stage::{Offer, Stage, named, random, refused};

const FIELDS: [(&str, &str); 2] = [("name", "Ada"), ("email", "ada@example.org")];

/// Three bookings of one person that share name and e-mail: two at one host, one at another.
struct Shared {
    person: Person,
    here: Offer,
    there: Offer,
    books: [Book; 3],
}

async fn shared(stage: &Stage) -> Shared {
    let (here, there) = (stage.offer(None).await, stage.offer(None).await);
    let person = stage.person().await;
    let books =
        [here, here, there].map(|offer| stage.book_sharing(person.agent(), &offer, &FIELDS));
    for book in &books {
        stage.store.book(book.clone()).await.unwrap();
    }
    Shared {
        person,
        here,
        there,
        books,
    }
}

fn share_of(book: &Book) -> ShareId {
    book.share.as_ref().unwrap().id
}

/// The fields that have a key, as share and field.
async fn live(stage: &Stage, person: &Person) -> BTreeSet<(ShareId, String)> {
    let filter = ShareFilter {
        ended: true,
        ..ShareFilter::default()
    };
    let page = stage
        .store
        .list_shares(person.agent(), filter, stage.stamp(), PageRequest::FIRST)
        .await
        .unwrap();
    let fields = page.items.iter().filter(|field| field.grant.key.is_some());
    let live: BTreeSet<_> = fields
        .map(|field| (field.share, field.field.to_string()))
        .collect();
    let keys = stage.count("SELECT count(*) FROM share_keys").await;
    assert_eq!(i64::try_from(live.len()).unwrap(), keys);
    live
}

pub(crate) async fn each_selection_ends_exactly_its_fields(stage: &Stage) {
    let Shared {
        person,
        here,
        books,
        ..
    } = shared(stage).await;
    let [first, second, third] = [0, 1, 2].map(|index| share_of(&books[index]));
    let both = |share| ["name", "email"].map(|field| (share, field.to_owned()));
    let mut expected: BTreeSet<_> = [first, second, third].into_iter().flat_map(both).collect();
    assert_eq!(live(stage, &person).await, expected);

    let revoke = |selection| stage.store.revoke(person.agent(), selection, stage.stamp());
    let name = Selection::Field(first, "name".parse().unwrap());
    assert_eq!(revoke(name.clone()).await.unwrap(), 1);
    expected.remove(&(first, "name".to_owned()));
    assert_eq!(live(stage, &person).await, expected);
    assert_eq!(revoke(name).await.unwrap(), 0, "it has ended already");

    assert_eq!(
        revoke(Selection::Booking(books[0].booking)).await.unwrap(),
        1
    );
    expected.retain(|(share, _)| *share != first);
    assert_eq!(live(stage, &person).await, expected);

    let another = stage.book_sharing(person.agent(), &here, &FIELDS);
    stage.store.book(another.clone()).await.unwrap();
    assert_eq!(
        revoke(Selection::Share(share_of(&another))).await.unwrap(),
        2
    );
    assert_eq!(live(stage, &person).await, expected);

    assert_eq!(revoke(Selection::Host(here.host)).await.unwrap(), 2);
    expected.retain(|(share, _)| *share == third);
    assert_eq!(live(stage, &person).await, expected);

    assert_eq!(revoke(Selection::All).await.unwrap(), 2);
    assert!(live(stage, &person).await.is_empty());
    assert_eq!(revoke(Selection::All).await.unwrap(), 0);
    let entered = "SELECT count(*) FROM ledger_entries WHERE kind = 'revoked'";
    assert_eq!(stage.count(entered).await, 8, "one entry a field");
    let bookings = "SELECT count(*) FROM reservations WHERE cancelled_at_ns IS NULL";
    assert_eq!(stage.count(bookings).await, 4, "the bookings remain");
}

pub(crate) async fn what_is_not_mine_is_not_ended(stage: &Stage) {
    let Shared {
        person,
        here,
        books,
        ..
    } = shared(stage).await;
    let before = live(stage, &person).await;
    let eve = stage.person().await;
    let revoke = |selection| stage.store.revoke(eve.agent(), selection, stage.stamp());
    for share in [share_of(&books[0]), ShareId::from_random(random())] {
        for selection in [
            Selection::Share(share),
            Selection::Field(share, "name".parse().unwrap()),
        ] {
            assert_eq!(refused(revoke(selection).await), Refusal::NotFound("share"));
        }
    }
    for selection in [
        Selection::Booking(books[0].booking),
        Selection::Booking(BookingId::from_random(random())),
        Selection::Host(here.host),
        Selection::Host(HostId::from_random(random())),
        Selection::All,
    ] {
        assert_eq!(revoke(selection).await.unwrap(), 0);
    }
    assert_eq!(live(stage, &person).await, before);
    let told = "SELECT count(*) FROM outbox WHERE kind = 'revoked'";
    assert_eq!(stage.count(told).await, 0);
}

pub(crate) async fn a_repeated_request_revives_nothing(stage: &Stage) {
    let offer = stage.offer(None).await;
    let ada = stage.person().await;
    let book = Book {
        idempotency: Some(named("key", 1)),
        ..stage.book_sharing(ada.agent(), &offer, &FIELDS)
    };
    stage.store.book(book.clone()).await.unwrap();
    assert_eq!(stage.open(&offer).await[0].1.len(), 2);
    stage
        .store
        .revoke(ada.agent(), Selection::All, stage.stamp())
        .await
        .unwrap();
    let again = stage.store.book(book.clone()).await.unwrap();
    assert!(again.repeated);
    let fresh = Book {
        idempotency: Some(named("key", 1)),
        ..stage.book_sharing(ada.agent(), &offer, &FIELDS)
    };
    assert!(stage.store.book(fresh).await.unwrap().repeated);
    let seen = stage.open(&offer).await;
    assert_eq!(seen.len(), 1);
    assert!(seen[0].1.is_empty(), "{:?}", seen[0].1);
    assert_eq!(stage.count("SELECT count(*) FROM share_keys").await, 0);
}

pub(crate) async fn time_ends_what_nobody_took_back(stage: &Stage) {
    let Shared { person, there, .. } = shared(stage).await;
    assert_eq!(stage.store.expire(stage.stamp(), 100).await.unwrap(), 0);
    let end = stage.advance_to("2026-12-08T18:00:00Z");
    assert!(
        stage.open(&there).await[0].1.is_empty(),
        "over, also before the key is destroyed"
    );
    assert_eq!(
        stage.store.expire(end, 4).await.unwrap(),
        4,
        "no more than asked"
    );
    assert_eq!(stage.store.expire(stage.stamp(), 4).await.unwrap(), 2);
    assert_eq!(stage.store.expire(stage.stamp(), 4).await.unwrap(), 0);
    assert!(live(stage, &person).await.is_empty());
    let entered = "SELECT count(*) FROM ledger_entries WHERE kind = 'expired'";
    assert_eq!(stage.count(entered).await, 6);

    let list = |ended| {
        let filter = ShareFilter {
            ended,
            ..ShareFilter::default()
        };
        stage
            .store
            .list_shares(person.agent(), filter, stage.stamp(), PageRequest::FIRST)
    };
    assert!(list(false).await.unwrap().items.is_empty());
    let ended = list(true).await.unwrap().items;
    assert_eq!(ended.len(), 6);
    assert!(
        ended.iter().all(|field| field.revoked_at_ns.is_none()),
        "nobody took it back"
    );
}

pub(crate) async fn a_shared_field_is_listed_with_its_story(stage: &Stage) {
    let Shared {
        person,
        there,
        books,
        ..
    } = shared(stage).await;
    let all = stage.shares(person.agent(), ShareFilter::default()).await;
    assert_eq!(all.len(), 6);
    let mut of_third = all
        .into_iter()
        .filter(|field| field.share == share_of(&books[2]));
    let one = of_third.next().unwrap();
    assert_eq!((one.host.id, one.booking), (there.host, books[2].booking));
    assert_eq!(
        (one.title.as_str(), one.requirements_version),
        ("Tasting", 1)
    );
    assert_eq!(one.shared, books[2].stamp);
    assert_eq!(
        (one.openings, one.last_opened_ns, one.revoked_at_ns),
        (0, None, None)
    );
    let proof = one.grant.own(&person, stage.stamp().at_ns).unwrap();
    let opened = proof.open(&stage.keys).unwrap();
    let known = FIELDS.iter().any(|(_, text)| *text == opened.disclose());
    assert!(known, "one reads one's own");
    let eve = stage.person().await;
    assert!(
        stage
            .shares(eve.agent(), ShareFilter::default())
            .await
            .is_empty()
    );
}

pub(crate) async fn shares_are_listed_by_host_and_paged(stage: &Stage) {
    let Shared {
        person,
        here,
        books,
        ..
    } = shared(stage).await;
    let all = stage.shares(person.agent(), ShareFilter::default()).await;
    let mut hosts: Vec<_> = all.iter().map(|field| field.host.id).collect();
    hosts.dedup();
    assert_eq!(hosts.len(), 2, "a host's fields stand together");

    let whole: Vec<_> = all
        .iter()
        .map(|field| (field.share, field.field.clone()))
        .collect();
    let mut paged = Vec::new();
    for offset in [0, 4] {
        let (filter, page) = (ShareFilter::default(), PageRequest { offset, limit: 4 });
        let found = stage
            .store
            .list_shares(person.agent(), filter, stage.stamp(), page);
        let found = found.await.unwrap();
        assert_eq!(found.more, offset == 0);
        paged.extend(
            found
                .items
                .into_iter()
                .map(|field| (field.share, field.field)),
        );
    }
    assert_eq!(paged, whole);

    let of_host = ShareFilter {
        host: Some(here.host),
        ..ShareFilter::default()
    };
    assert_eq!(stage.shares(person.agent(), of_host).await.len(), 4);
    let booking = Some(books[0].booking);
    let of_booking = ShareFilter {
        booking,
        ..ShareFilter::default()
    };
    assert_eq!(stage.shares(person.agent(), of_booking).await.len(), 2);
}
