//! What a person may ask: all that is held, correction, erasure.

use spots_booking::{EventType, Refusal};
use spots_privacy::consent::Person;
use spots_privacy::ledger::entry::{commitment_of_erasure, erased_name};

use crate::stage::{Offer, Stage, refused};

/// What the platform holds of people beyond accounts and bookings.
async fn keep_elsewhere(stage: &Stage, (ada, eve): (&Person, &Person), offer: &Offer) {
    for sql in [
        format!(
            "INSERT INTO agent_profiles VALUES ('{}', 'curious')",
            ada.agent().reveal()
        ),
        format!(
            "INSERT INTO agent_features VALUES ('{}', 'jazz', 0.5), ('{}', 'hikes', 0.25)",
            ada.agent().reveal(),
            eve.agent().reveal()
        ),
        format!(
            "INSERT INTO legacy_events VALUES
             ('community_events', 'old_1', '{}', '{}', 'compact', NULL)",
            offer.host, offer.event
        ),
    ] {
        stage.execute(&sql).await.unwrap();
    }
}

pub(crate) async fn what_is_held_is_told(stage: &Stage) {
    let (offer, ada) = (stage.offer(None).await, stage.person().await);
    let eve = stage.person().await;
    let book = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
    stage.store.book(book.clone()).await.unwrap();
    let user = ada.user().reveal();
    keep_elsewhere(stage, (&ada, &eve), &offer).await;
    let held = stage
        .store
        .list_held(ada.user(), ada.agent())
        .await
        .unwrap();
    let account = held.account.iter();
    let account: Vec<_> = account.map(|(name, text)| (&**name, &**text)).collect();
    assert!(account.contains(&("id", &user)));
    let profiles = held.profiles.iter();
    let profiles = profiles.map(|(place, text)| (*place, text.replace(' ', "")));
    assert_eq!(
        profiles.collect::<Vec<_>>(),
        [
            ("agent_profiles", "curious".to_owned()),
            ("agent_features", r#"{"jazz":0.5}"#.to_owned()),
        ]
    );
    assert_eq!(
        held.old_events.len(),
        1,
        "the booking that came from an old list"
    );
    assert_eq!(held.guests.len(), 1);
    assert_eq!(held.guests[0].0, offer.host.to_string());
    assert_eq!(
        held.messages.len(),
        1,
        "the host's message is not the person's"
    );
    assert_eq!(held.messages[0].kind, "booked");
    assert_eq!(held.ledger.len(), 1);
    assert_eq!(held.ledger[0].entry.kind, "granted");
    let of_eve = stage
        .store
        .list_held(eve.user(), eve.agent())
        .await
        .unwrap();
    assert_eq!(of_eve.account.len(), 1, "the id alone");
    assert!(of_eve.guests.is_empty() && of_eve.ledger.is_empty() && of_eve.messages.is_empty());
}

pub(crate) async fn a_new_address_signs_in_and_the_old_one_does_not(stage: &Stage) {
    let (ada, bob) = (stage.person().await, stage.person().await);
    let lookup = |text: &str| stage.keys.lookup().hash("email", text);
    let store = &stage.store;
    let set = |user, text| store.update_profile(user, Vec::new(), Some(lookup(text)));
    set(ada.user(), "first@example.org").await.unwrap();
    set(ada.user(), "second@example.org").await.unwrap();
    let found = store.find_credentials(lookup("second@example.org")).await;
    assert_eq!(found.unwrap().unwrap().user, *ada.user());
    let old = store.find_credentials(lookup("first@example.org")).await;
    assert!(old.unwrap().is_none());
    let taken = refused(set(bob.user(), "second@example.org").await);
    assert!(matches!(taken, Refusal::Taken(_)));
    set(ada.user(), "second@example.org").await.unwrap();
    set(bob.user(), "first@example.org").await.unwrap();
}

pub(crate) async fn an_erasure_counts_what_it_destroys(stage: &Stage) {
    let (offer, ada) = (stage.offer(None).await, stage.person().await);
    let book = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
    stage.store.book(book).await.unwrap();
    let stamp = stage.stamp();
    let remove = |stamp| stage.store.remove_account(ada.user(), ada.agent(), stamp);
    let removal = remove(stamp).await.unwrap();
    assert_eq!((removal.fields, removal.bookings), (1, 1));
    for table in [
        "users",
        "user_keys",
        "user_agent_mappings",
        "user_credentials",
        "agents",
    ] {
        assert!(removal.rows.contains(&(table, 1)), "{table}: {removal:?}");
    }
    let held = stage
        .store
        .list_held(ada.user(), ada.agent())
        .await
        .unwrap();
    let kinds: Vec<_> = held.ledger.iter().map(|row| &*row.entry.kind).collect();
    assert_eq!(kinds, ["granted", "removed"], "the ledger stays whole");
    let user = ada.user().reveal();
    let (name, facts) = (
        erased_name(&user),
        commitment_of_erasure(&user, stamp.at_ns),
    );
    let entered = format!(
        "SELECT count(*) FROM ledger_entries WHERE kind = 'erased' AND share_id = '{name}'"
    );
    assert_eq!(stage.count(&entered).await, 1);
    assert_ne!(facts, [0; 32]);
    assert!(
        remove(stage.stamp())
            .await
            .unwrap()
            .rows
            .iter()
            .all(|(_, count)| *count == 0)
    );
    assert_eq!(stage.count(&entered).await, 1, "an account goes once");
}

pub(crate) async fn people_are_counted_by_event_type_and_day(stage: &Stage) {
    let offer = stage.offer(None).await;
    let (ada, bob) = (stage.person().await, stage.person().await);
    for person in [&ada, &ada, &bob] {
        let book = stage.book(person.agent(), &offer);
        stage.store.book(book).await.unwrap();
    }
    let gone = stage.book(bob.agent(), &offer);
    stage.store.book(gone.clone()).await.unwrap();
    let cancelled = stage.store.cancel(bob.agent(), gone.booking, stage.stamp());
    cancelled.await.unwrap();
    // 1 December 2026.
    let day = 20_788;
    let counts = stage.store.count_bookings(day, 1).await.unwrap();
    assert_eq!(counts.len(), 1);
    assert_eq!(counts[0].event_type, EventType::BusinessEvent);
    assert_eq!(
        (counts[0].day, counts[0].bookings, counts[0].people),
        (day, 3, 2)
    );
    assert!(
        stage
            .store
            .count_bookings(day - 1, 1)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        stage
            .store
            .count_bookings(day + 1, 30)
            .await
            .unwrap()
            .is_empty()
    );
}

pub(crate) async fn everyone_is_listed_for_a_replay(stage: &Stage) {
    let mut people = Vec::new();
    for _ in 0..3 {
        people.push(stage.person().await);
    }
    people.sort_by_key(|person| person.user().reveal());
    let first = stage.store.list_identities("", 2).await.unwrap();
    assert_eq!(first.len(), 2);
    let after = first[1].user.reveal();
    let rest = stage.store.list_identities(&after, 2).await.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].user, *people[2].user());
    let agents = stage.store.list_agents("", 10).await.unwrap();
    assert_eq!(agents.len(), 3);
    let lookup = stage.keys.lookup();
    assert!(
        agents
            .iter()
            .any(|agent| { lookup.hash("agent", &agent.reveal()) == first[0].agent_lookup })
    );
}
