//! Accounts, sessions, profiles, defaults.

use spots_booking::{FieldName, Refusal, StandardField};
use spots_privacy::consent::{Person, Session};
use spots_privacy::{AgentId, Owner, Personal, SystemRandomness, UserId};
use spots_store::agents::NewAgent;
use spots_store::model::{Book, Selection};
use spots_store::{PageRequest, StoreError};

use crate::stage::{Stage, refused};

pub(crate) async fn an_account_signs_in_with_its_own_session(stage: &Stage) {
    let person = Person::create(UserId::generate(&SystemRandomness), &SystemRandomness);
    stage
        .store
        .add_account(stage.account(&person, "ada@example.org"))
        .await
        .unwrap();
    let lookup = stage.keys.lookup();
    let found = stage
        .store
        .find_credentials(lookup.hash("email", "ada@example.org"))
        .await;
    let credentials = found.unwrap().unwrap();
    assert_eq!(credentials.user, *person.user());
    assert_eq!(credentials.password_hash, "$argon2id$test");
    let nobody = stage
        .store
        .find_credentials(lookup.hash("email", "eve@example.org"))
        .await;
    assert!(nobody.unwrap().is_none());

    let session = Session {
        user: person.user().clone(),
        token_hash: [9; 32],
        expires_at: i64::MAX,
    };
    stage.store.add_session(session).await.unwrap();
    let (session, stored) = stage.store.lookup_session([9; 32]).await.unwrap().unwrap();
    assert_eq!(session.expires_at, i64::MAX);
    let owner = Owner::signed_in(session, &[9; 32], stage.stamp().at_ns).unwrap();
    let again = owner.unlock(&stage.keys, &stored).unwrap();
    assert_eq!(
        again.agent(),
        person.agent(),
        "the mapping opens to the same agent"
    );

    assert!(stage.store.lookup_session([8; 32]).await.unwrap().is_none());
    stage.store.remove_session([9; 32]).await.unwrap();
    assert!(stage.store.lookup_session([9; 32]).await.unwrap().is_none());
    stage.store.remove_session([9; 32]).await.unwrap();
}

pub(crate) async fn one_address_has_one_account(stage: &Stage) {
    let people =
        [(); 8].map(|()| Person::create(UserId::generate(&SystemRandomness), &SystemRandomness));
    let attempts = people.iter().map(|person| {
        let (store, account) = (
            std::sync::Arc::clone(&stage.store),
            stage.account(person, "ada@example.org"),
        );
        tokio::spawn(async move { store.add_account(account).await })
    });
    let mut added = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.unwrap() {
            Ok(()) => added += 1,
            other => assert!(matches!(refused(other), Refusal::Taken(_))),
        }
    }
    assert_eq!(added, 1);
    assert_eq!(stage.count("SELECT count(*) FROM users").await, 1);
    assert_eq!(stage.count("SELECT count(*) FROM agents").await, 1);
}

pub(crate) async fn a_profile_is_set_and_removed_by_field(stage: &Stage) {
    let person = stage.person().await;
    let other = stage.person().await;
    let seal = |field: &str, text: &str| {
        let sealed = person
            .seal(field, &Personal::new(text), &SystemRandomness)
            .unwrap();
        (field.to_owned(), Some(sealed))
    };
    let fields = vec![seal("name", "Ada"), seal("email", "ada@example.org")];
    stage
        .store
        .update_profile(person.user(), fields, None)
        .await
        .unwrap();
    let changes = vec![seal("name", "Ada L."), ("email".to_owned(), None)];
    stage
        .store
        .update_profile(person.user(), changes, None)
        .await
        .unwrap();
    let profile = stage.store.list_profile(person.user()).await.unwrap();
    assert_eq!(profile.len(), 1);
    let opened = person.open("name", &profile[0].sealed).unwrap();
    assert_eq!(opened.disclose(), "Ada L.");
    assert!(
        stage
            .store
            .list_profile(other.user())
            .await
            .unwrap()
            .is_empty()
    );
}

pub(crate) async fn defaults_are_kept_by_scope(stage: &Stage) {
    let person = stage.person().await;
    let other = stage.person().await;
    let name = FieldName::Standard(StandardField::Name);
    let diet: FieldName = "additionalData.diet".parse().unwrap();
    let set = |scope: &str, fields| {
        stage
            .store
            .update_sharing_defaults(person.user(), scope.to_owned(), fields)
    };
    set("reservation", Some(vec![name.clone(), diet]))
        .await
        .unwrap();
    set("club_event", Some(Vec::new())).await.unwrap();
    set("reservation", Some(vec![name.clone()])).await.unwrap();
    let defaults = stage
        .store
        .list_sharing_defaults(person.user())
        .await
        .unwrap();
    let expected = vec![
        ("club_event".to_owned(), vec![]),
        ("reservation".to_owned(), vec![name]),
    ];
    assert_eq!(
        defaults, expected,
        "nothing by default is not the same as no default"
    );
    set("club_event", None).await.unwrap();
    assert_eq!(
        stage
            .store
            .list_sharing_defaults(person.user())
            .await
            .unwrap()
            .len(),
        1
    );
    assert!(
        stage
            .store
            .list_sharing_defaults(other.user())
            .await
            .unwrap()
            .is_empty()
    );
}

pub(crate) async fn the_oldest_sessions_end_above_the_limit(stage: &Stage) {
    let person = stage.person().await;
    for number in 0..60_u8 {
        let user = person.user().clone();
        let session = Session {
            user,
            token_hash: [number; 32],
            expires_at: 1_000 + i64::from(number),
        };
        stage.store.add_session(session).await.unwrap();
    }
    assert_eq!(stage.count("SELECT count(*) FROM sessions").await, 50);
    assert!(stage.store.lookup_session([9; 32]).await.unwrap().is_none());
    assert!(
        stage
            .store
            .lookup_session([10; 32])
            .await
            .unwrap()
            .is_some()
    );
}

/// A new agent for a person, in place of this one.
async fn rotate(stage: &Stage, person: Person, old: &AgentId) -> Result<Person, StoreError> {
    let (person, mapping) = person.with_new_agent(&SystemRandomness).unwrap();
    let new = NewAgent {
        agent: person.agent().clone(),
        lookup: stage.keys.lookup().hash("agent", &person.agent().reveal()),
        mapping,
    };
    let done = stage.store.rotate_agent(person.user(), old, new).await;
    done.map(|()| person)
}

/// The session that was opened before leads to this agent.
async fn signs_in_as(stage: &Stage, agent: &AgentId) {
    let (session, kept) = stage.store.lookup_session([9; 32]).await.unwrap().unwrap();
    let owner = Owner::signed_in(session, &[9; 32], 0).unwrap();
    assert_eq!(
        owner.unlock(&stage.keys, &kept).unwrap().agent(),
        agent,
        "as sign-in sees it"
    );
}

/// How many bookings the first page of an agent has.
async fn bookings(stage: &Stage, agent: &AgentId) -> usize {
    let page = stage.store.list_bookings(agent, PageRequest::FIRST).await;
    page.unwrap().items.len()
}

/// The old id is in no table.
async fn stands_nowhere(stage: &Stage, old: &AgentId) {
    let text = old.reveal();
    for (table, column) in [
        ("agents", "agent_id"),
        ("guests", "agent_id"),
        ("reservations", "agent_id"),
        ("agent_bookings", "agent_id"),
        ("reservation_user_data", "agent_id"),
        ("outbox", "agent_id"),
        ("idempotency_keys", "actor"),
        ("journal_entries", "actor"),
    ] {
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} = '{text}'");
        assert_eq!(stage.count(&sql).await, 0, "{table}");
    }
}

pub(crate) async fn a_new_agent_takes_all_that_the_old_one_had(stage: &Stage) {
    let offer = stage.offer(None).await;
    let ada = stage.person().await;
    let fields = [("name", "Ada"), ("email", "ada@example.org")];
    let mut book = stage.book_sharing(ada.agent(), &offer, &fields);
    book.idempotency = Some(crate::stage::named("key-of-ada", 1));
    stage.store.book(book.clone()).await.unwrap();
    let before = stage.open(&offer).await;
    let (user, old) = (ada.user().clone(), ada.agent().clone());
    let session = Session {
        user: user.clone(),
        token_hash: [9; 32],
        expires_at: i64::MAX,
    };
    stage.store.add_session(session).await.unwrap();
    let ada = rotate(stage, ada, &old).await.unwrap();
    assert_ne!(*ada.agent(), old);

    signs_in_as(stage, ada.agent()).await;
    assert_eq!(stage.open(&offer).await, before, "the host notices nothing");
    assert_eq!(bookings(stage, ada.agent()).await, 1);
    assert_eq!(bookings(stage, &old).await, 0);
    assert_eq!(stage.openings(ada.agent()).await.len(), 2);
    let repeated = Book {
        agent: ada.agent().clone(),
        ..book
    };
    assert!(
        stage.store.book(repeated).await.unwrap().repeated,
        "its requests are still known"
    );
    // Once more at the same handle, and everything can still be taken back.
    stage
        .store
        .book(stage.book(ada.agent(), &offer))
        .await
        .unwrap();
    assert_eq!(stage.count("SELECT count(*) FROM guests").await, 1);
    assert_eq!(stage.revoke(ada.agent(), Selection::All).await, 2);
    stands_nowhere(stage, &old).await;
    let again = rotate(stage, ada, &old).await;
    assert_eq!(
        refused(again),
        Refusal::NotFound("agent"),
        "it was replaced"
    );
}
