//! Hosts and what they ask.

use spots_booking::{EventType, HostKind, Requirements};
use spots_privacy::consent::sha256;
use spots_store::model::Host;

use crate::stage::{Stage, asked, random};

pub(crate) async fn a_host_is_found_by_its_members(stage: &Stage) {
    let (ada, bob) = (stage.person().await, stage.person().await);
    let host = |name: &str, kind| Host {
        id: spots_booking::HostId::from_random(random()),
        kind,
        name: name.to_owned(),
    };
    let (club, cafe) = (
        host("Klub", HostKind::Club),
        host("Café", HostKind::Business),
    );
    stage
        .store
        .add_host(club.clone(), ada.user())
        .await
        .unwrap();
    stage
        .store
        .add_host(cafe.clone(), ada.user())
        .await
        .unwrap();
    assert_eq!(
        stage.store.lookup_host(club.id).await.unwrap(),
        Some(club.clone())
    );
    assert_eq!(
        stage.store.list_hosts_of(ada.user()).await.unwrap(),
        [cafe, club],
        "by name"
    );
    assert!(
        stage
            .store
            .list_hosts_of(bob.user())
            .await
            .unwrap()
            .is_empty()
    );
    let nobody = spots_booking::HostId::from_random(random());
    assert_eq!(stage.store.lookup_host(nobody).await.unwrap(), None);
}

pub(crate) async fn requirements_are_immutable_by_version(stage: &Stage) {
    let host = stage.host("Café Mira").await.id;
    let kind = EventType::BusinessEvent;
    let none = stage.store.lookup_requirements(host, kind).await.unwrap();
    assert_eq!(none.requirements, Requirements::none(kind));
    let first = stage
        .store
        .update_requirements(host, asked(1))
        .await
        .unwrap();
    assert_eq!(first.requirements.version(), 1);
    assert_eq!(
        first.hash,
        sha256(first.requirements.canonical().as_bytes())
    );
    let same = stage
        .store
        .update_requirements(host, asked(1))
        .await
        .unwrap();
    assert_eq!(same, first, "the same again is no new version");
    let second = stage
        .store
        .update_requirements(host, asked(2))
        .await
        .unwrap();
    assert_eq!(second.requirements.version(), 2);
    assert_ne!(second.hash, first.hash);
    assert_eq!(
        stage.store.lookup_requirements(host, kind).await.unwrap(),
        second
    );
    let at = |version| stage.store.lookup_requirements_at(host, kind, version);
    assert_eq!(at(1).await.unwrap(), Some(first));
    assert_eq!(at(3).await.unwrap(), None);

    let back = stage
        .store
        .update_requirements(host, asked(1))
        .await
        .unwrap();
    assert_eq!(
        back.requirements.version(),
        3,
        "what was asked before is asked anew"
    );
    let other = stage
        .store
        .lookup_requirements(host, EventType::ClubEvent)
        .await
        .unwrap();
    assert_eq!(other.requirements.version(), 0);
}

pub(crate) async fn requirements_updated_at_once_get_versions_in_turn(stage: &Stage) {
    let host = stage.host("Café Mira").await.id;
    let updates = (10..18).map(|days| {
        let store = std::sync::Arc::clone(&stage.store);
        tokio::spawn(async move { store.update_requirements(host, asked(days)).await })
    });
    let mut versions = Vec::new();
    for update in updates.collect::<Vec<_>>() {
        versions.push(update.await.unwrap().unwrap().requirements.version());
    }
    versions.sort_unstable();
    assert_eq!(versions, (1..9).collect::<Vec<_>>());
}
