//! Deleting an account.

use spots_booking::{HostKind, Refusal};
use spots_privacy::consent::Session;
use spots_privacy::{Personal, SystemRandomness};
use spots_store::PageRequest;
use spots_store::model::{Host, Removal};

use crate::stage::{SLOTS, Stage, random, refused, slot};

pub(crate) async fn a_removed_account_leaves_nothing_to_open(stage: &Stage) {
    let (offer, ada, bob) = (
        stage.offer(Some(10)).await,
        stage.person().await,
        stage.person().await,
    );
    let session = Session {
        user: ada.user().clone(),
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
        .update_profile(ada.user(), profile)
        .await
        .unwrap();
    let own = Host {
        id: spots_booking::HostId::from_random(random()),
        kind: HostKind::Club,
        name: "Klub".to_owned(),
    };
    stage.store.add_host(own, ada.user()).await.unwrap();
    let past = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
    stage.store.book(past.clone()).await.unwrap();
    for _ in 0..2 {
        let mut coming =
            stage.book_sharing(ada.agent(), &offer, &[("name", "Ada"), ("email", "x")]);
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
    assert_eq!(
        removed,
        Removal {
            fields: 5,
            bookings: 2
        }
    );
    assert!(stage.store.lookup_session([3; 32]).await.unwrap().is_none());
    assert!(
        stage
            .store
            .list_profile(ada.user())
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        stage
            .store
            .list_hosts_of(ada.user())
            .await
            .unwrap()
            .is_empty()
    );
    let user = ada.user().reveal();
    for table in ["user_keys", "user_credentials", "user_agent_mappings"] {
        let sql = format!("SELECT count(*) FROM {table} WHERE user_id = '{user}'");
        assert_eq!(stage.count(&sql).await, 0, "{table}");
    }
    assert_eq!(
        stage.count("SELECT count(*) FROM share_keys").await,
        1,
        "Bob's"
    );
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
    let live: Vec<_> = seen
        .iter()
        .filter(|(_, fields)| !fields.is_empty())
        .collect();
    assert_eq!(live.len(), 1);
    assert_eq!(live[0].1, ["name=Bob"]);
    let ada_seen = seen
        .iter()
        .find(|(view, _)| view.booking == past.booking)
        .unwrap();
    assert!(
        !ada_seen.0.cancelled,
        "the host's book keeps what has begun"
    );

    let again = stage
        .store
        .remove_account(ada.user(), ada.agent(), stage.stamp())
        .await
        .unwrap();
    assert_eq!(again, Removal::default());
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
