//! Deleting an account.

use spots_booking::{HostId, HostKind, Refusal};
use spots_privacy::consent::Session;
use spots_privacy::{Personal, SystemRandomness};
use spots_store::PageRequest;
use spots_store::model::{Host, Removal};

use crate::stage::{SLOTS, Stage, random, refused, slot};

pub(crate) async fn a_removed_account_leaves_no_row_of_its_own(stage: &Stage) {
    let ada = stage.person().await;
    let user = ada.user().clone();
    let session = Session {
        user,
        token_hash: [3; 32],
        expires_at: i64::MAX,
    };
    stage.store.add_session(session).await.unwrap();
    let sealed = ada
        .seal("name", &Personal::new("Ada"), &SystemRandomness)
        .unwrap();
    let profile = vec![("name".to_owned(), Some(sealed))];
    stage
        .store
        .update_profile(ada.user(), profile, None)
        .await
        .unwrap();
    let defaults = stage
        .store
        .update_sharing_defaults(ada.user(), "x".to_owned(), Some(vec![]));
    defaults.await.unwrap();
    let id = HostId::from_random(random());
    let own = Host {
        id,
        kind: HostKind::Club,
        name: "Klub".to_owned(),
    };
    stage.store.add_host(own, ada.user()).await.unwrap();

    let remove = || {
        stage
            .store
            .remove_account(ada.user(), ada.agent(), stage.stamp())
    };
    let Removal {
        fields, bookings, ..
    } = remove().await.unwrap();
    assert_eq!((fields, bookings), (0, 0));
    assert!(stage.store.lookup_session([3; 32]).await.unwrap().is_none());
    for table in [
        "users",
        "agents",
        "user_keys",
        "user_credentials",
        "user_agent_mappings",
        "user_profiles",
        "sharing_defaults",
        "sessions",
        "host_members",
    ] {
        let count = stage.count(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(count, 0, "{table}");
    }
    let again = remove().await.unwrap();
    assert_eq!((again.fields, again.bookings), (0, 0));
    assert!(
        again.rows.iter().all(|(_, count)| *count == 0),
        "nothing was left to do: {again:?}"
    );
}

pub(crate) async fn a_removed_account_leaves_nothing_to_open(stage: &Stage) {
    let offer = stage.offer(Some(10)).await;
    let (ada, bob) = (stage.person().await, stage.person().await);
    let past = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
    stage.store.book(past.clone()).await.unwrap();
    for _ in 0..2 {
        let fields = [("name", "Ada"), ("email", "x")];
        let mut coming = stage.book_sharing(ada.agent(), &offer, &fields);
        coming.request.starts_at = slot(1).starts_at;
        coming.request.party = 2;
        stage.store.book(coming).await.unwrap();
    }
    let bobs = stage.book_sharing(bob.agent(), &offer, &[("name", "Bob")]);
    stage.store.book(bobs).await.unwrap();

    let stamp = stage.advance_to(SLOTS[0]);
    let removed = stage
        .store
        .remove_account(ada.user(), ada.agent(), stamp)
        .await
        .unwrap();
    assert_eq!((removed.fields, removed.bookings), (5, 2));
    let keys = stage.count("SELECT count(*) FROM share_keys").await;
    assert_eq!(keys, 1, "Bob's");
    let pools = stage
        .store
        .list_pools(offer.host, offer.event)
        .await
        .unwrap();
    let taken: Vec<_> = pools.iter().map(|slot| slot.pool.taken).collect();
    assert_eq!(
        taken,
        [2, 0],
        "what has begun stays, what is to come is given back"
    );
    let seen = stage.open(&offer).await;
    let live: Vec<_> = seen.iter().flat_map(|(_, fields)| fields).collect();
    assert_eq!(live, ["name=Bob"]);
    let begun = seen.iter().find(|(view, _)| view.booking == past.booking);
    assert!(
        !begun.unwrap().0.cancelled,
        "the host's book keeps what has begun"
    );
}

pub(crate) async fn a_removed_account_takes_no_booking(stage: &Stage) {
    let (offer, ada) = (stage.offer(None).await, stage.person().await);
    let under_way = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
    stage
        .store
        .remove_account(ada.user(), ada.agent(), stage.stamp())
        .await
        .unwrap();
    let refusal = refused(stage.store.book(under_way).await);
    assert_eq!(
        refusal,
        Refusal::NotFound("account"),
        "its share would outlive its person"
    );
    let empty = stage
        .store
        .list_bookings(ada.agent(), PageRequest::FIRST)
        .await
        .unwrap();
    assert!(empty.items.is_empty());
    stage.store.ping().await.unwrap();
}
