//! What hosts read, what people see of it, and what both are told.

use spots_booking::{EventId, Refusal, ShareId};
use spots_privacy::consent::Person;
use spots_store::PageRequest;
use spots_store::model::{Channel, Message, OpenGuests, Selection, ShareFilter};

use crate::stage::{Offer, Stage, random, refused, slot};

pub(crate) async fn a_host_reads_what_is_shared_now(stage: &Stage) {
    let offer = stage.offer(Some(10)).await;
    let (ada, bob) = (stage.person().await, stage.person().await);
    let fields = [("name", "Ada"), ("phoneNumber", "+49301234567")];
    let book = stage.book_sharing(ada.agent(), &offer, &fields);
    stage.store.book(book.clone()).await.unwrap();
    stage
        .store
        .book(stage.book(bob.agent(), &offer))
        .await
        .unwrap();
    let seen = stage.open(&offer).await;
    assert_eq!(seen.len(), 2);
    let of = |seen: &[(crate::stage::GuestRecordView, Vec<String>)]| {
        seen.iter()
            .find(|(view, _)| view.booking == book.booking)
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(of(&seen), ["name=Ada", "phoneNumber=+49301234567"]);
    let others = seen.iter().filter(|(view, _)| view.booking != book.booking);
    assert!(others.into_iter().all(|(_, fields)| fields.is_empty()));

    let phone = Selection::Field(book.share.unwrap().id, "phoneNumber".parse().unwrap());
    stage
        .store
        .revoke(ada.agent(), phone, stage.stamp())
        .await
        .unwrap();
    assert_eq!(
        of(&stage.open(&offer).await),
        ["name=Ada"],
        "gone at the next request"
    );
    stage
        .store
        .revoke(ada.agent(), Selection::Host(offer.host), stage.stamp())
        .await
        .unwrap();
    let seen = stage.open(&offer).await;
    assert_eq!((seen.len(), of(&seen).len()), (2, 0), "the booking remains");
}

/// Three readings of a host: all of it, after the e-mail was taken back, after everything was.
struct Read {
    offer: Offer,
    ada: Person,
    bob: Person,
    share: ShareId,
    readings: [OpenGuests; 3],
}

async fn read_three_times(stage: &Stage) -> Read {
    let offer = stage.offer(None).await;
    let (ada, bob) = (stage.person().await, stage.person().await);
    let book = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada"), ("email", "a@b.c")]);
    let share = book.share.as_ref().unwrap().id;
    stage.store.book(book).await.unwrap();
    let bobs = stage.book_sharing(bob.agent(), &offer, &[("name", "Bob")]);
    stage.store.book(bobs).await.unwrap();

    let page = stage.opening(&offer);
    stage
        .store
        .open_guests(page, PageRequest::FIRST)
        .await
        .unwrap();
    let email = Selection::Field(share, "email".parse().unwrap());
    stage.revoke(ada.agent(), email).await;
    let api = OpenGuests {
        channel: Channel::Api,
        ..stage.opening(&offer)
    };
    stage
        .store
        .open_guests(api, PageRequest::FIRST)
        .await
        .unwrap();
    stage.revoke(ada.agent(), Selection::All).await;
    let last = stage.opening(&offer);
    stage
        .store
        .open_guests(last, PageRequest::FIRST)
        .await
        .unwrap();
    Read {
        offer,
        ada,
        bob,
        share,
        readings: [page, api, last],
    }
}

pub(crate) async fn an_opening_is_seen_by_the_person(stage: &Stage) {
    let Read {
        offer,
        ada,
        bob,
        share,
        readings: [first, second, _],
    } = read_three_times(stage).await;
    let seen = stage.openings(ada.agent()).await;
    let [latest, earliest] = &seen[..] else {
        panic!("{seen:?}")
    };
    assert_eq!(latest.opened_at_ns, second.stamp.at_ns);
    assert_eq!(latest.channel, "api");
    assert_eq!(latest.fields, ["name"]);
    assert_eq!(earliest.opened_at_ns, first.stamp.at_ns);
    assert_eq!(earliest.channel, "page");
    assert_eq!(earliest.fields, ["email", "name"]);
    assert!(seen.iter().all(|opening| opening.share == share));
    assert!(seen.iter().all(|opening| opening.host == offer.host));
    let page = PageRequest {
        offset: 1,
        limit: 1,
    };
    let rest = stage.store.list_openings(ada.agent(), page).await.unwrap();
    assert_eq!((rest.items.len(), rest.more), (1, false));
    let bobs = stage.openings(bob.agent()).await;
    assert_eq!(bobs.len(), 3, "everyone sees the openings of their own");
}

#[tokio::test]
async fn openings_go_to_the_order_of_shares_and_back() {
    let stage = Stage::sqlite();
    let Read { ada, bob, .. } = read_three_times(&stage).await;
    let seen = async || {
        let (adas, bobs) = (ada.agent(), bob.agent());
        (stage.openings(adas).await, stage.openings(bobs).await)
    };
    let before = seen().await;
    let down = include_str!("../../../../migrations/0310-openings/down.sqlite.sql");
    let up = include_str!("../../../../migrations/0310-openings/up.sqlite.sql");
    stage.execute(down).await.unwrap();
    assert_eq!(stage.count("SELECT count(*) FROM access_log").await, 5);
    stage.execute(up).await.unwrap();
    assert_eq!(seen().await, before);
}

pub(crate) async fn openings_are_counted_by_field(stage: &Stage) {
    let Read {
        ada,
        readings: [first, second, _],
        ..
    } = read_three_times(stage).await;
    let all = ShareFilter {
        ended: true,
        ..ShareFilter::default()
    };
    let fields = stage.shares(ada.agent(), all).await;
    assert_eq!(fields.len(), 2);
    for field in fields {
        let (openings, last) = match field.field.to_string().as_str() {
            "name" => (2, second.stamp.at_ns),
            _ => (1, first.stamp.at_ns),
        };
        assert_eq!(
            (field.openings, field.last_opened_ns),
            (openings, Some(last))
        );
    }
}

pub(crate) async fn a_stranger_opens_nothing(stage: &Stage) {
    let (offer, other) = (stage.offer(None).await, stage.offer(None).await);
    let ada = stage.person().await;
    let book = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
    stage.store.book(book).await.unwrap();
    let nothing = EventId::from_random(random());
    for wrong in [
        Offer {
            host: other.host,
            ..offer
        },
        Offer {
            event: other.event,
            ..offer
        },
        Offer {
            event: nothing,
            ..offer
        },
    ] {
        let opened = stage
            .store
            .open_guests(stage.opening(&wrong), PageRequest::FIRST)
            .await;
        assert_eq!(refused(opened), Refusal::NotFound("event"));
    }
    let seen = stage
        .store
        .list_openings(ada.agent(), PageRequest::FIRST)
        .await
        .unwrap();
    assert!(seen.items.is_empty());
    assert!(stage.open(&other).await.is_empty());
}

pub(crate) async fn guests_are_paged_and_chosen_by_slot(stage: &Stage) {
    let offer = stage.offer(None).await;
    let ada = stage.person().await;
    for index in 0..5 {
        let mut book = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
        book.request.starts_at = slot(index % 2).starts_at;
        stage.store.book(book).await.unwrap();
    }
    let mut bookings = std::collections::BTreeSet::new();
    let mut starts = Vec::new();
    for offset in [0, 2, 4] {
        let page = PageRequest { offset, limit: 2 };
        let opened = stage
            .store
            .open_guests(stage.opening(&offer), page)
            .await
            .unwrap();
        assert_eq!(opened.more, offset < 4);
        for guest in opened.items {
            assert_eq!(guest.fields.len(), 1);
            bookings.insert(guest.booking);
            starts.push(guest.placed.slot.starts_at);
        }
    }
    assert_eq!(bookings.len(), 5);
    assert!(starts.is_sorted(), "by time");
    assert_eq!(
        stage.count("SELECT count(*) FROM opened_shares").await,
        5,
        "what is not shown is not opened"
    );
    let second = OpenGuests {
        starts_at: Some(slot(1).starts_at.as_second()),
        ..stage.opening(&offer)
    };
    let opened = stage
        .store
        .open_guests(second, PageRequest::FIRST)
        .await
        .unwrap();
    assert_eq!(opened.items.len(), 2);
    assert!(
        opened
            .items
            .iter()
            .all(|guest| guest.placed.slot == slot(1))
    );
}

pub(crate) async fn messages_go_to_both_sides(stage: &Stage) {
    let (here, there) = (stage.offer(None).await, stage.offer(None).await);
    let ada = stage.person().await;
    let books = [here, here, there].map(|offer| {
        stage.book_sharing(ada.agent(), &offer, &[("name", "Ada"), ("email", "a@b.c")])
    });
    for book in &books {
        stage.store.book(book.clone()).await.unwrap();
    }
    let booked = stage.messages().await;
    assert_eq!(booked.len(), 6);
    assert!(booked.iter().all(|message| message.kind == "booked"));
    for book in &books {
        let of = booked
            .iter()
            .filter(|message| message.booking == book.booking);
        let mut to: Vec<_> = of.map(|message| message.recipient.as_str()).collect();
        to.sort_unstable();
        assert_eq!(to, ["attendee", "host"]);
    }
    let few = stage.store.list_messages(stage.stamp(), 4).await.unwrap();
    assert_eq!(few.len(), 4);
}

pub(crate) async fn a_revocation_reaches_hosts_apart_in_time(stage: &Stage) {
    let (here, there) = (stage.offer(None).await, stage.offer(None).await);
    let ada = stage.person().await;
    for offer in [here, here, there] {
        let fields = [("name", "Ada"), ("email", "a@b.c")];
        stage
            .store
            .book(stage.book_sharing(ada.agent(), &offer, &fields))
            .await
            .unwrap();
    }
    stage.revoke(ada.agent(), Selection::All).await;
    let to = |messages: &[Message], recipient: &str| {
        let told = messages.iter().filter(|message| message.kind == "revoked");
        told.filter(|message| message.recipient == recipient)
            .cloned()
            .collect::<Vec<_>>()
    };
    let soon = stage.messages().await;
    assert_eq!(to(&soon, "attendee").len(), 3, "the person is told at once");
    stage.advance_to("2026-11-22T13:00:00Z");
    let all = stage.messages().await;
    assert!(all.is_sorted_by_key(|message| message.due_at_ns));
    let told = to(&all, "host");
    let due = |host| {
        let of = told.iter().filter(|message| message.host == host);
        of.map(|message| message.due_at_ns).collect::<Vec<_>>()
    };
    let (ours, theirs) = (due(here.host), due(there.host));
    assert_eq!((ours.len(), theirs.len()), (2, 1), "once a booking");
    assert_ne!(
        ours[0], theirs[0],
        "two hosts cannot match what they are told"
    );
}
