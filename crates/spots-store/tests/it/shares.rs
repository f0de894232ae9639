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
        idempotency: named("key", 1),
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
        idempotency: named("key", 1),
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

pub(crate) async fn shares_are_listed_by_host_and_paged(stage: &Stage) {
    let Shared {
        person,
        here,
        there,
        books,
    } = shared(stage).await;
    let list = |filter, page| {
        stage
            .store
            .list_shares(person.agent(), filter, stage.stamp(), page)
    };
    let all = list(ShareFilter::default(), PageRequest::FIRST)
        .await
        .unwrap();
    assert_eq!(all.items.len(), 6);
    let one = all
        .items
        .iter()
        .find(|field| field.share == share_of(&books[2]))
        .unwrap();
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
    let hosts: Vec<_> = all.items.iter().map(|field| field.host.id).collect();
    let mut grouped = hosts.clone();
    grouped.dedup();
    assert_eq!(grouped.len(), 2, "a host's fields stand together");

    let mut paged = Vec::new();
    for offset in [0, 4] {
        let page = list(ShareFilter::default(), PageRequest { offset, limit: 4 })
            .await
            .unwrap();
        assert_eq!(page.more, offset == 0);
        paged.extend(
            page.items
                .into_iter()
                .map(|field| (field.share, field.field)),
        );
    }
    let whole: Vec<_> = all
        .items
        .iter()
        .map(|field| (field.share, field.field.clone()))
        .collect();
    assert_eq!(paged, whole);

    let of_host = ShareFilter {
        host: Some(here.host),
        ..ShareFilter::default()
    };
    assert_eq!(
        list(of_host, PageRequest::FIRST).await.unwrap().items.len(),
        4
    );
    let of_booking = ShareFilter {
        booking: Some(books[0].booking),
        ..ShareFilter::default()
    };
    assert_eq!(
        list(of_booking, PageRequest::FIRST)
            .await
            .unwrap()
            .items
            .len(),
        2
    );

    let own = all.items.into_iter().next().unwrap();
    let opened = own
        .grant
        .own(&person, stage.stamp().at_ns)
        .unwrap()
        .open(&stage.keys)
        .unwrap();
    assert!(
        FIELDS.iter().any(|(_, text)| *text == opened.disclose()),
        "one reads one's own"
    );
    let eve = stage.person().await;
    let theirs = stage
        .store
        .list_shares(
            eve.agent(),
            ShareFilter::default(),
            stage.stamp(),
            PageRequest::FIRST,
        )
        .await
        .unwrap();
    assert!(theirs.items.is_empty());
}
