//! Who vouches: confirmed addresses, hosts' own lists.

use spots_privacy::consent::Person;
use spots_store::vouchers::{NewConfirmation, Presented};

use crate::stage::Stage;

const ADDRESS: [u8; 32] = [1; 32];
const MINUTE_NS: i64 = 60 * 1_000_000_000;

/// A letter goes out, if one may.
async fn send(stage: &Stage, person: &Person, token: u8, address: [u8; 32]) -> bool {
    let stamp = stage.stamp();
    let new = NewConfirmation {
        address_lookup: address,
        token_hash: [token; 32],
        last_before_ns: stamp.at_ns - 5 * MINUTE_NS,
        stamp,
    };
    let sent = stage.store.add_confirmation(person.user(), new).await;
    sent.unwrap()
}

/// A token comes back.
async fn confirm(stage: &Stage, person: &Person, token: u8, address: [u8; 32]) -> bool {
    let stamp = stage.stamp();
    let presented = Presented {
        address_lookup: address,
        token_hash: [token; 32],
        sent_since_ns: stamp.at_ns - 24 * 60 * MINUTE_NS,
        stamp,
    };
    let confirmed = stage.store.confirm_address(person.user(), presented).await;
    confirmed.unwrap()
}

async fn is_confirmed(stage: &Stage, person: &Person, address: [u8; 32]) -> bool {
    let known = stage
        .store
        .lookup_confirmation(person.user(), address)
        .await;
    known
        .unwrap()
        .is_some_and(|known| known.confirmed_at_ns.is_some())
}

pub(crate) async fn an_address_is_confirmed_by_its_latest_letter_once(stage: &Stage) {
    let (ada, eve) = (stage.person().await, stage.person().await);
    assert!(!confirm(stage, &ada, 1, ADDRESS).await, "nothing was sent");
    assert!(send(stage, &ada, 1, ADDRESS).await);
    assert!(!send(stage, &ada, 2, ADDRESS).await, "too soon");
    stage.advance_to("2026-11-22T12:06:00Z");
    assert!(send(stage, &ada, 2, ADDRESS).await);
    for (who, token, address) in [
        (&ada, 1, ADDRESS),
        (&eve, 2, ADDRESS),
        (&ada, 2, [2; 32]),
        (&ada, 3, ADDRESS),
    ] {
        assert!(!confirm(stage, who, token, address).await, "{token}");
    }
    assert!(!is_confirmed(stage, &ada, ADDRESS).await);
    assert!(confirm(stage, &ada, 2, ADDRESS).await);
    assert!(is_confirmed(stage, &ada, ADDRESS).await);
    assert!(!is_confirmed(stage, &eve, ADDRESS).await);
    assert!(
        !confirm(stage, &ada, 2, ADDRESS).await,
        "a token serves once"
    );
    stage.advance_to("2026-11-22T13:00:00Z");
    assert!(!send(stage, &ada, 4, ADDRESS).await, "it is confirmed");
    assert!(is_confirmed(stage, &ada, ADDRESS).await, "and stays so");

    assert!(send(stage, &eve, 5, [5; 32]).await);
    stage.advance_to("2026-11-23T13:00:01Z");
    assert!(!confirm(stage, &eve, 5, [5; 32]).await, "a day is over");
}

pub(crate) async fn a_confirmed_address_that_changes_is_confirmed_no_more(stage: &Stage) {
    let ada = stage.person().await;
    let change = async |address| {
        let changed = stage.store.update_profile(ada.user(), Vec::new(), address);
        changed.await.unwrap();
    };
    change(Some(ADDRESS)).await;
    let known = stage.store.lookup_credentials(ada.user()).await.unwrap();
    assert_eq!(known.unwrap().0, ADDRESS);
    assert!(send(stage, &ada, 1, ADDRESS).await);
    assert!(confirm(stage, &ada, 1, ADDRESS).await);
    change(Some(ADDRESS)).await;
    assert!(is_confirmed(stage, &ada, ADDRESS).await, "the same address");
    change(Some([2; 32])).await;
    assert!(!is_confirmed(stage, &ada, [2; 32]).await);
    change(Some(ADDRESS)).await;
    assert!(
        !is_confirmed(stage, &ada, ADDRESS).await,
        "nor on the way back"
    );

    assert!(send(stage, &ada, 3, ADDRESS).await);
    let removal = stage
        .store
        .remove_account(ada.user(), ada.agent(), stage.stamp())
        .await
        .unwrap();
    assert!(removal.rows.contains(&("email_confirmations", 1)));
    let left = stage
        .count("SELECT count(*) FROM email_confirmations")
        .await;
    assert_eq!(left, 0);
    let gone = stage.store.lookup_credentials(ada.user()).await.unwrap();
    assert!(gone.is_none());
}

pub(crate) async fn a_list_of_members_is_its_hosts_own(stage: &Stage) {
    let (one, other) = (stage.host("One").await.id, stage.host("Other").await.id);
    let set = async |host, entries: &[u8]| {
        let entries = entries.iter().map(|entry| [*entry; 32]).collect();
        let set = stage.store.update_member_list(host, entries).await;
        set.unwrap()
    };
    assert_eq!(set(one, &[1, 2, 2, 3]).await, 3, "twice counts once");
    assert_eq!(set(other, &[4]).await, 1);
    let is_on = async |host, entry: u8| {
        let found = stage.store.is_on_member_list(host, [entry; 32]).await;
        found.unwrap()
    };
    assert!(is_on(one, 1).await && is_on(other, 4).await);
    assert!(!is_on(one, 4).await && !is_on(other, 1).await);
    assert_eq!(set(one, &[5]).await, 1, "it replaces");
    assert!(!is_on(one, 1).await && is_on(one, 5).await);
    assert_eq!(set(one, &[]).await, 0);
    assert_eq!(stage.store.count_member_list(one).await.unwrap(), 0);
    assert_eq!(stage.store.count_member_list(other).await.unwrap(), 1);
    // Two at once: one list or the other, never both.
    let at_once = [vec![[6; 32], [7; 32]], vec![[8; 32], [9; 32]]].map(|entries| {
        let store = std::sync::Arc::clone(&stage.store);
        tokio::spawn(async move { store.update_member_list(one, entries).await.unwrap() })
    });
    for list in at_once {
        assert_eq!(list.await.unwrap(), 2);
    }
    assert_eq!(stage.store.count_member_list(one).await.unwrap(), 2);
}
