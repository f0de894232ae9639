//! Wrapped keys: rotation, retirement, purging.

use std::collections::BTreeSet;
use std::path::Path;

use spots_privacy::consent::{KeyOwner, Person};
use spots_privacy::ledger::entry::erased_name;
use spots_privacy::remains::find_opening;
use spots_privacy::{KeyError, MasterKeys, SystemRandomness, WrappedKey, Wrapping};
use spots_store::StoreError;
use spots_store::keys::{Closing, Purge, Rewrapped, StoredKey};
use spots_store::model::{Selection, ShareFilter};
use spots_store::rotation::{Pace, RotationError, check_keys, rewrap};

use crate::stage::{self, Offer, Stage};

/// Above everything: what wraps any stored key is older.
const ANY: Wrapping = Wrapping {
    version: u32::MAX >> 1,
    epoch: 0,
};
const SLOW: Pace = Pace {
    batch: 3,
    rate: 1_000_000,
};

/// People who share three fields each.
async fn people(stage: &Stage, offer: &Offer, count: usize) -> Vec<Person> {
    let mut people = Vec::new();
    for number in 0..count {
        let person = stage.person().await;
        let name = format!("Person {number}");
        let fields = [
            ("name", name.as_str()),
            ("email", "a@b.example"),
            ("phoneNumber", "+49 30 1"),
        ];
        let book = stage.book_sharing(person.agent(), offer, &fields);
        stage.store.book(book).await.unwrap();
        people.push(person);
    }
    people
}

fn add_version(stage: &Stage) -> Wrapping {
    stage.change_keys(|text, _| {
        let keys = MasterKeys::parse(text).unwrap();
        let next = keys.with_new_version(&SystemRandomness).unwrap();
        *text = next.to_file().to_string();
    });
    stage.keys.newest()
}

fn begin_epoch(stage: &Stage) -> Wrapping {
    stage.change_keys(|_, epochs| epochs.begin(0, &SystemRandomness).unwrap());
    stage.keys.newest()
}

async fn rotate(stage: &Stage) -> u64 {
    rewrap(
        stage.store.as_ref(),
        &stage.keys,
        &SystemRandomness,
        SLOW,
        &mut |_| {},
    )
    .await
    .unwrap()
}

async fn all_keys(stage: &Stage) -> Vec<StoredKey> {
    stage.store.list_older_keys(ANY, None, 1_000).await.unwrap()
}

pub(crate) async fn a_rotation_wraps_every_key_again_and_touches_no_data(stage: &Stage) {
    let offer = stage.offer(None).await;
    let people = people(stage, &offer, 5).await;
    let before = stage.open(&offer).await;
    let sealed = "SELECT count(DISTINCT sealed) FROM reservation_user_data_fields";
    let fields = stage.count(sealed).await;
    let keys = all_keys(stage).await;
    let users = keys
        .iter()
        .filter(|key| matches!(key.owner, KeyOwner::User(_)));
    assert_eq!(
        users.count(),
        people.len() + 1,
        "everyone and the host's member"
    );

    let newest = add_version(stage);
    assert_eq!(rotate(stage).await, keys.len() as u64);
    for count in stage.store.count_wrappings().await.unwrap() {
        assert_eq!(count.wrapping, newest, "{}", count.table);
    }
    let closed = stage
        .store
        .close_wrappings(newest, stage.stamp())
        .await
        .unwrap();
    let Closing::Proved(floor) = closed else {
        panic!("{closed:?}")
    };
    assert_eq!(floor.wrapping, newest);
    assert_eq!(stage.store.lookup_floor().await.unwrap(), Some(floor));
    // The old version goes; everything opens as before.
    stage.change_keys(|text, _| {
        let keys = MasterKeys::parse(text).unwrap();
        let rest = keys.without_versions_below(newest.version).unwrap();
        *text = rest.to_file().to_string();
    });
    assert_eq!(stage.keys.versions(), [newest.version]);
    assert_eq!(stage.open(&offer).await, before);
    assert_eq!(stage.count(sealed).await, fields);
    let again: BTreeSet<_> = all_keys(stage)
        .await
        .into_iter()
        .map(|key| key.owner)
        .collect();
    assert_eq!(again, keys.into_iter().map(|key| key.owner).collect());
}

pub(crate) async fn a_rotation_that_stopped_goes_on(stage: &Stage) {
    let offer = stage.offer(None).await;
    people(stage, &offer, 4).await;
    let total = all_keys(stage).await.len();
    let newest = add_version(stage);
    // A few by hand, as a rotation that was killed leaves them.
    let some = stage.store.list_older_keys(newest, None, 7).await.unwrap();
    let some: Vec<_> = some.into_iter().map(|old| again(stage, old)).collect();
    assert_eq!(stage.store.update_keys(some.clone()).await.unwrap(), 7);
    assert_eq!(
        stage.store.update_keys(some).await.unwrap(),
        0,
        "they are not as they were read"
    );
    let left = stage
        .store
        .close_wrappings(newest, stage.stamp())
        .await
        .unwrap();
    assert!(matches!(left, Closing::Left(_)), "{left:?}");
    assert_eq!(stage.store.lookup_floor().await.unwrap(), None);
    assert_eq!(rotate(stage).await, total as u64 - 7);
    assert_eq!(rotate(stage).await, 0);
    assert!(
        stage
            .open(&offer)
            .await
            .iter()
            .all(|(_, fields)| fields.len() == 3)
    );
}

fn again(stage: &Stage, old: StoredKey) -> Rewrapped {
    let new = stage
        .keys
        .rewrap(&old.key, old.owner.place(), &SystemRandomness);
    Rewrapped {
        new: new.unwrap(),
        old,
    }
}

pub(crate) async fn nothing_comes_back_below_the_floor(stage: &Stage) {
    let offer = stage.offer(None).await;
    let ada = stage.person().await;
    // Sealed by a server that does not know the new version yet.
    let late = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
    let eve = Person::create(
        spots_privacy::UserId::generate(&SystemRandomness),
        &SystemRandomness,
    );
    let late_account = stage.account(&eve, "eve@example.org");
    let newest = add_version(stage);
    rotate(stage).await;
    let old = all_keys(stage).await;
    stage
        .store
        .close_wrappings(newest, stage.stamp())
        .await
        .unwrap();

    let rows = "SELECT (SELECT count(*) FROM reservations) + (SELECT count(*) FROM users)
                     + (SELECT count(*) FROM share_keys)";
    let before = stage.count(rows).await;
    for refused in [
        stage.store.book(late).await.map(drop),
        stage.store.add_account(late_account).await,
    ] {
        let Err(StoreError::Failed { cause, .. }) = refused else {
            panic!("stored below the floor")
        };
        assert!(format!("{cause:?}").contains("retired"), "{cause:?}");
    }
    assert_eq!(stage.count(rows).await, before, "nothing is stored by half");
    // Nor by an update.
    let first = old.into_iter().next().unwrap();
    let new = WrappedKey {
        version: newest.version - 1,
        ..first.key.clone()
    };
    let back = stage
        .store
        .update_keys(vec![Rewrapped { old: first, new }])
        .await;
    assert!(back.is_err());
    let again = stage.book_sharing(ada.agent(), &offer, &[("name", "Ada")]);
    stage.store.book(again).await.unwrap();
}

pub(crate) async fn what_ended_during_a_rotation_stays_gone(stage: &Stage) {
    let offer = stage.offer(None).await;
    let people = people(stage, &offer, 3).await;
    let newest = add_version(stage);
    let listed = stage
        .store
        .list_older_keys(newest, None, 100)
        .await
        .unwrap();
    let total = listed.len() as u64;
    assert_eq!(stage.revoke(people[1].agent(), Selection::All).await, 3);
    let listed = listed.into_iter().map(|old| again(stage, old)).collect();
    assert_eq!(stage.store.update_keys(listed).await.unwrap(), total - 3);
    assert_eq!(stage.count("SELECT count(*) FROM share_keys").await, 6);
    let empty = stage
        .open(&offer)
        .await
        .iter()
        .filter(|(_, fields)| fields.is_empty())
        .count();
    assert_eq!(empty, 1);
}

pub(crate) async fn a_damaged_key_stops_the_rotation_and_is_named(stage: &Stage) {
    let offer = stage.offer(None).await;
    people(stage, &offer, 1).await;
    let keys = all_keys(stage).await;
    let [.., a, b] = keys.as_slice() else {
        panic!("three keys of a share")
    };
    // Altered, and taken from another row.
    let mut altered = a.key.clone();
    *altered.bytes.last_mut().unwrap() ^= 1;
    for bad in [altered, b.key.clone()] {
        let old = all_keys(stage)
            .await
            .into_iter()
            .find(|key| key.owner == a.owner)
            .unwrap();
        let put = Rewrapped { old, new: bad };
        assert_eq!(stage.store.update_keys(vec![put]).await.unwrap(), 1);
        add_version(stage);
        let stopped = rewrap(
            stage.store.as_ref(),
            &stage.keys,
            &SystemRandomness,
            SLOW,
            &mut |_| {},
        )
        .await;
        let Err(RotationError::Key { owner, cause }) = stopped else {
            panic!("{stopped:?}")
        };
        let KeyOwner::Share { share, field, .. } = &a.owner else {
            panic!("a key of a share")
        };
        assert!(owner.contains(share) && owner.contains(field), "{owner}");
        assert_eq!(cause, KeyError::DoesNotUnwrap);
    }
}

pub(crate) async fn keys_of_another_database_are_refused(stage: &Stage) {
    let others = MasterKeys::generate(&SystemRandomness);
    check_keys(stage.store.as_ref(), &others).await.unwrap();
    stage.person().await;
    check_keys(stage.store.as_ref(), &stage.keys).await.unwrap();
    let refused = check_keys(stage.store.as_ref(), &others).await.unwrap_err();
    assert!(matches!(refused, RotationError::Key { .. }), "{refused:?}");
}

pub(crate) async fn what_was_taken_back_is_purged_with_its_epoch(stage: &Stage) {
    begin_epoch(stage);
    let offer = stage.offer(None).await;
    let people = people(stage, &offer, 2).await;
    let [ada, ben] = people.as_slice() else {
        panic!("two people")
    };
    let old = all_keys(stage).await;
    stage.revoke(ada.agent(), Selection::All).await;
    let ended = ShareFilter {
        ended: true,
        ..ShareFilter::default()
    };
    let purged = async || {
        let shares = stage.shares(ada.agent(), ended).await;
        assert_eq!(shares.len(), 3);
        let purged = shares.iter().map(|share| share.purged_at_ns);
        purged
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(purged().await, [None], "revoked, and not yet purged");
    let newest = begin_epoch(stage);
    let epochs_only = Wrapping {
        version: 0,
        ..newest
    };
    rotate(stage).await;
    let closed = stage
        .store
        .close_wrappings(epochs_only, stage.stamp())
        .await
        .unwrap();
    assert!(matches!(closed, Closing::Proved(_)), "{closed:?}");
    stage.change_keys(|_, epochs| assert_eq!(epochs.retire_before(newest.epoch), 1));
    let stamp = stage.stamp();
    let marked = stage
        .store
        .purge(Purge::Before(epochs_only), stamp)
        .await
        .unwrap();
    assert_eq!(marked, 3);
    assert_eq!(purged().await, [Some(stamp.at_ns)]);
    // What a backup of that time holds opens with none of the keys that are left; what is live does.
    for key in &old {
        let refused = stage
            .keys
            .rewrap(&key.key, key.owner.place(), &SystemRandomness);
        assert_eq!(refused.unwrap_err(), KeyError::UnknownEpoch(1));
    }
    let live = stage.shares(ben.agent(), ShareFilter::default()).await;
    assert_eq!(live.len(), 3);
    assert!(
        live.iter()
            .all(|share| share.purged_at_ns.is_none() && share.grant.key.is_some())
    );
}

pub(crate) async fn a_destroyed_key_is_in_no_file_that_can_be_read(stage: &Stage) {
    let epochs = stage.on_postgres();
    if epochs {
        begin_epoch(stage);
    }
    let offer = stage.offer(None).await;
    let people = people(stage, &offer, 8).await;
    let keys = all_keys(stage).await;
    let share_of = stage
        .shares(people[3].agent(), ShareFilter::default())
        .await;
    let mine = share_of[0].share.to_string();
    let (gone, live): (Vec<_>, Vec<_>) = keys
        .into_iter()
        .filter(|key| matches!(key.owner, KeyOwner::Share { .. }))
        .partition(|key| matches!(&key.owner, KeyOwner::Share { share, .. } if *share == mine));
    assert_eq!((gone.len(), live.len()), (3, 21));
    let found = |bytes: &[u8], key: &StoredKey| holds(bytes, &key.key.bytes[5..]);
    if epochs {
        // The log alone may have a page's head in the middle of a key; rows are whole.
        stage.run("CHECKPOINT").await;
    }
    let bytes = stage.files();
    assert!(
        live.iter().chain(&gone).all(|key| found(&bytes, key)),
        "the search finds keys"
    );

    stage.revoke(people[3].agent(), Selection::All).await;
    if epochs {
        the_cluster_holds_nothing_that_opens(stage, &gone, &live).await;
        return;
    }
    let purged = stage
        .store
        .purge(Purge::Files, stage.stamp())
        .await
        .unwrap();
    assert_eq!(purged, 3);
    let bytes = stage.files();
    for key in &gone {
        assert!(!found(&bytes, key), "a destroyed key is still in the files");
    }
    assert!(live.iter().all(|key| found(&bytes, key)));
    assert_eq!(
        stage
            .store
            .purge(Purge::Files, stage.stamp())
            .await
            .unwrap(),
        0
    );
}

/// In dead rows, the write-ahead log and backups the bytes survive; what wrapped them does not.
/// Every place in the whole cluster is tried with the keys that are left.
async fn the_cluster_holds_nothing_that_opens(
    stage: &Stage,
    gone: &[StoredKey],
    live: &[StoredKey],
) {
    let backups = tempfile::tempdir().unwrap();
    let early = backups.path().join("early");
    stage.database().base_backup(&early).unwrap();
    // This database's own files, and the log of all.
    let own = "SELECT oid::int8 FROM pg_database WHERE datname = current_database()";
    let own = format!("base/{}", stage.count(own).await);
    let kept_in = |folder: &Path| {
        let parts = [own.as_str(), "pg_wal"].map(|part| stage::bytes_of(&folder.join(part)));
        parts.concat()
    };
    let early = kept_in(&early);
    let opens = |keys: &MasterKeys, key: &StoredKey, bytes: &[u8]| {
        let KeyOwner::Share { share, field, .. } = &key.owner else {
            panic!("a key of a share")
        };
        find_opening(keys, (share, field), bytes).is_some()
    };
    let before = stage.loose_keys();
    let first = &gone[0];
    assert!(
        opens(&before, first, &early),
        "a backup of its time opens it"
    );
    let newest = begin_epoch(stage);
    rotate(stage).await;
    let epochs_only = Wrapping {
        version: 0,
        ..newest
    };
    let closed = stage.store.close_wrappings(epochs_only, stage.stamp());
    assert!(matches!(closed.await.unwrap(), Closing::Proved(_)));
    stage.change_keys(|_, epochs| epochs.retire_before(newest.epoch));
    let purge = Purge::Before(epochs_only);
    let purged = stage.store.purge(purge, stage.stamp()).await;
    assert_eq!(purged.unwrap(), 3);

    let late = backups.path().join("late");
    stage.database().base_backup(&late).unwrap();
    a_dump_has_the_live_keys_alone(stage, &backups.path().join("dump.sql"), gone).await;
    let left = stage.loose_keys();
    let cluster = kept_in(&stage.database().cluster_folder().join("data"));
    for key in gone {
        let wrapped = &key.key.bytes[5..];
        assert!(holds(&cluster, wrapped), "the bytes themselves are there");
        let opened = left.rewrap(&key.key, key.owner.place(), &SystemRandomness);
        assert_eq!(opened.unwrap_err(), KeyError::UnknownEpoch(1));
    }
    let places = [early, cluster, kept_in(&late)];
    for (place, bytes) in places.iter().enumerate() {
        assert!(!opens(&left, first, bytes), "place {place}");
    }
    // The search finds what does open: keys that live, where the cluster keeps them.
    assert!(opens(&left, &live[0], &places[2]));
}

async fn a_dump_has_the_live_keys_alone(stage: &Stage, path: &Path, gone: &[StoredKey]) {
    stage.database().dump(path).unwrap();
    let dump = std::fs::read_to_string(path).unwrap();
    let holds = |key: &StoredKey| {
        let text = key
            .key
            .bytes
            .iter()
            .fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        dump.contains(&text)
    };
    assert!(all_keys(stage).await.iter().all(holds));
    assert!(!gone.iter().any(holds));
}

/// An account has a key of its own, noted under the name that the ledger gives the account.
pub(crate) async fn the_key_of_a_deleted_account_is_purged_too(stage: &Stage) {
    let epochs = stage.on_postgres();
    if epochs {
        begin_epoch(stage);
    }
    let offer = stage.offer(None).await;
    let people = people(stage, &offer, 2).await;
    let [ada, _] = people.as_slice() else {
        panic!("two people")
    };
    let name = erased_name(&ada.user().reveal());
    let purged_at = async || stage.store.lookup_destroyed(&name).await.unwrap();
    assert_eq!(purged_at().await, None);
    let key = all_keys(stage)
        .await
        .into_iter()
        .find(|key| matches!(&key.owner, KeyOwner::User(user) if *user == ada.user().reveal()));
    let key = key.unwrap();
    let removed = stage
        .store
        .remove_account(ada.user(), ada.agent(), stage.stamp());
    removed.await.unwrap();
    assert_eq!(
        purged_at().await.unwrap().purged_at_ns,
        None,
        "destroyed alone"
    );
    let users = format!(
        "SELECT count(*) FROM destroyed_keys WHERE share_id = '{}'",
        ada.user().reveal()
    );
    assert_eq!(stage.count(&users).await, 0, "no id of hers is kept");

    let purge = if epochs {
        let newest = begin_epoch(stage);
        rotate(stage).await;
        stage.change_keys(|_, epochs| epochs.retire_before(newest.epoch));
        Purge::Before(Wrapping {
            version: 0,
            ..newest
        })
    } else {
        Purge::Files
    };
    let stamp = stage.stamp();
    let purged = stage.store.purge(purge, stamp).await.unwrap();
    assert_eq!(purged, 4, "three fields and the account");
    assert_eq!(purged_at().await.unwrap().purged_at_ns, Some(stamp.at_ns));
    if epochs {
        let opened = stage
            .keys
            .rewrap(&key.key, key.owner.place(), &SystemRandomness);
        assert_eq!(opened.unwrap_err(), KeyError::UnknownEpoch(1));
    } else {
        assert!(!holds(&stage.files(), &key.key.bytes[5..]));
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
