//! Events and their slots.

use jiff::civil::{Weekday, time};
use spots_booking::{EventId, EventType, NewEvent, Schedule, TableHours};
use spots_store::PageRequest;
use spots_store::model::{EventFilter, EventRecord, EventToAdd, Host};

use crate::stage::{Stage, new_event, random, slot};

fn to_add(offer: NewEvent, source_uid: Option<&str>) -> EventToAdd {
    EventToAdd {
        id: EventId::from_random(random()),
        offer,
        source_uid: source_uid.map(ToOwned::to_owned),
    }
}

fn tables() -> NewEvent {
    NewEvent {
        event_type: EventType::Reservation,
        schedule: Schedule::Tables(TableHours {
            weekdays: vec![Weekday::Monday, Weekday::Sunday],
            opens: time(18, 30, 0, 0),
            closes: time(22, 0, 0, 0),
            every_minutes: 30,
            stay_minutes: 90,
            days_ahead: 60,
        }),
        ..new_event("Dinner", Some(12))
    }
}

pub(crate) async fn events_read_back_as_they_were_added(stage: &Stage) {
    let host = stage.host("Café Mira").await;
    for offer in [
        new_event("Tasting", Some(10)),
        new_event("Open day", None),
        tables(),
    ] {
        let event = to_add(offer.clone(), None);
        let added = stage
            .store
            .add_events(host.id, vec![event.clone()])
            .await
            .unwrap();
        assert_eq!(added, [(event.id, true)]);
        let record = stage.store.lookup_event(event.id).await.unwrap().unwrap();
        assert_eq!(record.event.offer, offer);
        assert_eq!(record.host, host);
        assert!(!record.event.called_off);
        assert!(
            stage
                .store
                .list_pools(host.id, event.id)
                .await
                .unwrap()
                .is_empty()
        );
    }
    let nothing = EventId::from_random(random());
    assert!(stage.store.lookup_event(nothing).await.unwrap().is_none());
}

pub(crate) async fn an_import_updates_by_source(stage: &Stage) {
    let (host, other) = (stage.host("Café Mira").await, stage.host("Klub").await);
    let first = to_add(new_event("Tasting", None), Some("uid-1"));
    let twin = to_add(new_event("Tasting, again", None), Some("uid-1"));
    let fresh = to_add(new_event("Walk", None), Some("uid-2"));
    let added = stage
        .store
        .add_events(host.id, vec![first.clone(), twin, fresh.clone()])
        .await;
    let expected = [(first.id, true), (first.id, false), (fresh.id, true)];
    assert_eq!(
        added.unwrap(),
        expected,
        "the same source twice is one event"
    );

    let moved = NewEvent {
        schedule: Schedule::Occurrences(vec![slot(1)]),
        ..new_event("Tasting, moved", None)
    };
    let again = vec![to_add(moved.clone(), Some("uid-1"))];
    assert_eq!(
        stage.store.add_events(host.id, again).await.unwrap(),
        [(first.id, false)]
    );
    let record = stage.store.lookup_event(first.id).await.unwrap().unwrap();
    assert_eq!(record.event.offer, moved);

    let theirs = vec![to_add(new_event("Tasting", None), Some("uid-1"))];
    let added = stage.store.add_events(other.id, theirs).await.unwrap();
    assert!(added[0].1, "another host's source is another event");
    assert_eq!(stage.count("SELECT count(*) FROM events").await, 3);
}

async fn titles(stage: &Stage, filter: EventFilter, page: PageRequest) -> (Vec<String>, bool) {
    let found = stage
        .store
        .list_events(filter, stage.stamp(), page)
        .await
        .unwrap();
    let title = |record: EventRecord| record.event.offer.title;
    (found.items.into_iter().map(title).collect(), found.more)
}

/// Tables at a club, and two events of a café, the first of which is added last.
async fn three_events(stage: &Stage) -> Host {
    let (cafe, club): (Host, Host) = (stage.host("Café Mira").await, stage.host("Klub").await);
    let at = |title: &str, index: usize| NewEvent {
        schedule: Schedule::Occurrences(vec![slot(index)]),
        ..new_event(title, None)
    };
    let events = vec![to_add(at("Second", 1), None), to_add(at("First", 0), None)];
    stage.store.add_events(cafe.id, events).await.unwrap();
    stage
        .store
        .add_events(club.id, vec![to_add(tables(), None)])
        .await
        .unwrap();
    cafe
}

pub(crate) async fn events_are_listed_by_next_time(stage: &Stage) {
    three_events(stage).await;
    let all = EventFilter::default;
    let first_page = PageRequest {
        offset: 0,
        limit: 2,
    };
    let rest = PageRequest {
        offset: 2,
        limit: 2,
    };
    let (listed, more) = titles(stage, all(), first_page).await;
    assert_eq!(
        (listed, more),
        (vec!["Dinner".to_owned(), "First".to_owned()], true)
    );
    assert_eq!(
        titles(stage, all(), rest).await,
        (vec!["Second".to_owned()], false)
    );
}

pub(crate) async fn events_are_searched_by_text_type_and_host(stage: &Stage) {
    let cafe = three_events(stage).await;
    let all = EventFilter::default;
    let only = |text: &str| EventFilter {
        text: Some(text.to_owned()),
        ..all()
    };
    assert_eq!(
        titles(stage, only("SECOND"), PageRequest::FIRST).await.0,
        ["Second"]
    );
    assert_eq!(
        titles(stage, only("klub"), PageRequest::FIRST).await.0,
        ["Dinner"]
    );
    assert_eq!(
        titles(stage, only("oderberger"), PageRequest::FIRST)
            .await
            .0
            .len(),
        3
    );
    assert!(
        titles(stage, only("100%"), PageRequest::FIRST)
            .await
            .0
            .is_empty()
    );
    let kind = EventFilter {
        event_type: Some(EventType::Reservation),
        ..all()
    };
    assert_eq!(titles(stage, kind, PageRequest::FIRST).await.0, ["Dinner"]);

    stage.advance_to("2026-12-01T21:00:00Z");
    assert_eq!(
        titles(stage, all(), PageRequest::FIRST).await.0,
        ["Dinner", "Second"]
    );
    let own = EventFilter {
        host: Some(cafe.id),
        ..all()
    };
    assert_eq!(
        titles(stage, own, PageRequest::FIRST).await.0.len(),
        2,
        "also what is over"
    );
    for (over, expected) in [(true, ["First"]), (false, ["Second"])] {
        let own = EventFilter {
            host: Some(cafe.id),
            over: Some(over),
            ..all()
        };
        assert_eq!(titles(stage, own, PageRequest::FIRST).await.0, expected);
    }
}
