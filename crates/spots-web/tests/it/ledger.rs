//! The consent ledger, seen whole: tampering is found and located, receipts outlive what they are
//! about, and an old backup takes nothing back. On both databases.

mod world;

use serde_json::Value;
use spots_privacy::LookupKey;
use spots_privacy::ledger::{Finding, Place, PublicKey, Receipt, Verdict};
use spots_web::ledger::{self, Mirror, Standing};
use spots_web::service::Ctx;

use self::world::{Closed, Engine, World};
use crate::host_pages::browser::Browser;

/// Runs a scenario on both engines.
macro_rules! on_both {
    ($($test:ident)*) => {
        mod sqlite {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::Engine::sqlite()).await;
            }
        )*}

        mod postgres {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(super::Engine::postgres()).await;
            }
        )*}
    };
}

on_both! {
    every_kind_of_tampering_is_found_and_located
    an_old_backup_takes_no_revocation_back
    receipts_and_ledger_outlive_the_account
    a_person_reads_their_receipt
}

async fn audit(world: &World, mirror: Option<&Mirror>, kept: Vec<String>) -> Vec<Finding> {
    let key = world.key();
    let store = world.app.platform().store();
    let audited = ledger::audit(store, &key, mirror, kept).await.unwrap();
    assert_eq!(audited.more, 0);
    audited.findings
}

/// What an attacker who owns the database types, and what the audit must say.
struct Attack {
    name: &'static str,
    sql: &'static str,
    place: fn(&Place) -> bool,
    what: &'static str,
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "altered",
        sql: "UPDATE ledger_entries SET kind = 'revoked' WHERE position = 2",
        place: |place| *place == Place::Position(2),
        what: "altered",
    },
    Attack {
        name: "removed",
        sql: "DELETE FROM ledger_entries WHERE position = 3",
        place: |place| *place == Place::Position(3),
        what: "the row was removed",
    },
    Attack {
        name: "removed with its hash",
        sql: "DELETE FROM ledger_entries WHERE position = 3;
              DELETE FROM ledger_nodes WHERE level = 0 AND node_index = 3",
        place: |place| *place == Place::Position(3),
        what: "row and hash were removed",
    },
    Attack {
        name: "inserted",
        sql: "INSERT INTO ledger_entries
                  (host_id, share_id, field, kind, stamp, commitment, position)
              SELECT host_id, 'share_forged', field, kind, stamp, commitment, position
              FROM ledger_entries WHERE position = 1",
        place: |place| *place == Place::Position(1),
        what: "inserted",
    },
    Attack {
        name: "inserted at the end",
        sql: "INSERT INTO ledger_entries
                  (host_id, share_id, field, kind, stamp, commitment, position)
              SELECT host_id, 'share_forged', field, kind, stamp, commitment, 4
              FROM ledger_entries WHERE position = 1",
        place: |place| *place == Place::Position(4),
        what: "inserted beyond what was signed",
    },
    Attack {
        name: "reordered",
        sql: "UPDATE ledger_entries SET position = 100 WHERE position = 0;
              UPDATE ledger_entries SET position = 0 WHERE position = 2;
              UPDATE ledger_entries SET position = 2 WHERE position = 100",
        place: |place| *place == Place::Position(0),
        what: "recorded at position 2",
    },
    Attack {
        name: "a hash of the tree rewritten",
        sql: "UPDATE ledger_nodes SET hash = (SELECT hash FROM ledger_nodes
                  WHERE level = 0 AND node_index = 0) WHERE level = 1 AND node_index = 1",
        place: |place| matches!(place, Place::Node(node) if node.level == 1 && node.index == 1),
        what: "not the hash of its leaves",
    },
    Attack {
        name: "a checkpoint rewritten",
        // The line of the size alone: the name of the key and its signature hold digits too.
        sql: "UPDATE ledger_checkpoints SET note = replace(note, '\n4\n', '\n5\n')",
        place: |place| *place == Place::Checkpoint(4),
        what: "does not fit",
    },
    Attack {
        name: "a key brought back",
        sql: "INSERT INTO share_keys
                  (host_id, share_id, field, wrapped_key, master_version, salt)
              SELECT host_id, share_id, 'phoneNumber', wrapped_key, master_version, salt
              FROM share_keys WHERE share_id = (
                  SELECT share_id FROM reservation_user_data_fields WHERE field = 'phoneNumber')",
        place: |place| matches!(place, Place::Field(_)),
        what: "has its key, although an entry says that it ended",
    },
    Attack {
        name: "the data widened after the consent",
        sql: "UPDATE reservation_user_data_fields SET expires_at_ns = expires_at_ns + 1",
        place: |place| matches!(place, Place::Field(_)),
        what: "another moment, end or requirements",
    },
];

/// Rows that wait for their position are not in the tree yet; the data gives them away.
const ATTACKS_ON_WAITING: &[Attack] = &[
    Attack {
        name: "a waiting end removed",
        sql: "DELETE FROM ledger_entries WHERE position IS NULL",
        place: |place| matches!(place, Place::Field(_)),
        what: "the entry of its end is missing",
    },
    Attack {
        name: "a waiting entry inserted",
        sql: "INSERT INTO ledger_entries (host_id, share_id, field, kind, stamp, commitment)
              SELECT host_id, 'share_forged', field, kind, stamp, commitment
              FROM ledger_entries WHERE position = 1",
        place: |place| matches!(place, Place::Field(field) if field.contains("share_forged")),
        what: "was never shared",
    },
];

async fn every_kind_of_tampering_is_found_and_located(engine: Engine) {
    // Entries 0 to 2: three consents; 3: the end of the second of them.
    let world = World::build(engine).await;
    world.revoke("phoneNumber").await;
    world.sequence().await;
    assert_eq!(audit(&world, None, Vec::new()).await, []);
    let honest = world.close();
    for attack in ATTACKS {
        let world = World::attacked(honest.copy(), &[attack.sql]).await;
        expect(&world, attack).await;
    }
    let world = World::open(honest.copy()).await;
    world.revoke("name").await;
    assert_eq!(audit(&world, None, Vec::new()).await, [], "one entry waits");
    let waiting = world.close();
    for attack in ATTACKS_ON_WAITING {
        let world = World::attacked(waiting.copy(), &[attack.sql]).await;
        expect(&world, attack).await;
    }
    rewritten_as_a_whole(&honest).await;
}

async fn expect(world: &World, attack: &Attack) {
    let found = audit(world, None, Vec::new()).await;
    let named = found
        .iter()
        .any(|finding| (attack.place)(&finding.place) && finding.what.contains(attack.what));
    assert!(named, "{}: {found:#?}", attack.name);
}

/// Who cuts the end off, or writes another ledger with the right key, is found by what is outside.
async fn rewritten_as_a_whole(honest: &Closed) {
    let world = World::open(honest.copy()).await;
    let kept = world.checkpoint().await;
    let directory = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open(directory.path(), &world.key()).unwrap();
    mirror.follow(world.app.platform().store()).await.unwrap();
    drop(world);
    let cut = "DELETE FROM ledger_checkpoints; DELETE FROM ledger_nodes;
               DELETE FROM ledger_entries WHERE kind <> 'granted'";
    let again = "UPDATE ledger_entries SET position = NULL";
    let world = World::attacked(honest.copy(), &[cut, again]).await;
    world.sequence().await;
    let inside = audit(&world, None, Vec::new()).await;
    assert!(
        inside
            .iter()
            .all(|finding| matches!(finding.place, Place::Field(_))),
        "the tree itself is whole again: {inside:#?}"
    );
    let by_checkpoint = audit(&world, None, vec![kept]).await;
    let tree = |finding: &&Finding| !matches!(finding.place, Place::Field(_));
    assert!(
        by_checkpoint.iter().any(|finding| tree(&finding)),
        "{by_checkpoint:#?}"
    );
    let by_copy = audit(&world, Some(&mirror), Vec::new()).await;
    let located = by_copy
        .iter()
        .any(|finding| finding.place == Place::Position(3));
    assert!(located, "{by_copy:#?}");
}

async fn an_old_backup_takes_no_revocation_back(engine: Engine) {
    let world = World::build(engine).await;
    let directory = tempfile::tempdir().unwrap();
    let mut mirror = Mirror::open(directory.path(), &world.key()).unwrap();
    world.sequence().await;
    mirror.follow(world.app.platform().store()).await.unwrap();
    let before = world.receipt().await;
    let live = world.close();
    let backup = live.copy();

    let world = World::open(live).await;
    world.revoke("name").await;
    world.erase_second_person().await;
    world.sequence().await;
    mirror.follow(world.app.platform().store()).await.unwrap();
    let size = mirror.size();
    let gone = world.close();
    drop(gone);

    let world = World::open(backup.copy()).await;
    assert_eq!(
        world.host_sees("Ada").await,
        1,
        "the backup brings it back, or this proves nothing"
    );
    assert!(world.second_person_signs_in().await);
    let mirror = Mirror::open(directory.path(), &world.key()).unwrap();
    let store = world.app.platform().store();
    let standing = ledger::compare(store, &mirror).await.unwrap();
    assert!(matches!(standing, Standing::Behind(3..)), "{standing:?}");

    let lookup = world.app.platform().keys().lookup();
    let stamp = Ctx::begin(world.app.platform()).unwrap().stamp();
    let (_, done) = ledger::replay(store, lookup, &mirror, stamp).await.unwrap();
    assert_eq!((done.erased, done.ended >= 1), (1, true), "{done:?}");
    assert_eq!(
        ledger::compare(store, &mirror).await.unwrap(),
        Standing::Continues
    );
    assert_eq!(world.host_sees("Ada").await, 0);
    assert!(!world.second_person_signs_in().await);
    world.sequence().await;
    assert_eq!(
        audit(&world, Some(&mirror), vec![world.checkpoint().await]).await,
        []
    );
    let (standing, again) = ledger::replay(store, lookup, &mirror, stamp).await.unwrap();
    assert_eq!((standing, again.ended), (Standing::Continues, 0));
    let last = store.last_checkpoint().await.unwrap().unwrap().size;
    assert!(last > size, "the ledger goes on");
    Receipt::parse(&before)
        .unwrap()
        .verify(&world.key())
        .unwrap();

    let parted = World::open(backup.copy()).await;
    what_ended_stays_ended_after_a_fork(&parted, lookup, &mirror).await;
}

/// Had the backup served without its copy, the two would have parted; what ended is ended all the
/// same.
async fn what_ended_stays_ended_after_a_fork(world: &World, lookup: &LookupKey, mirror: &Mirror) {
    world.revoke("phoneNumber").await;
    world.sequence().await;
    let store = world.app.platform().store();
    let standing = ledger::compare(store, mirror).await.unwrap();
    assert!(matches!(standing, Standing::Forked(_)), "{standing:?}");
    let stamp = Ctx::begin(world.app.platform()).unwrap().stamp();
    let (_, done) = ledger::replay(store, lookup, mirror, stamp).await.unwrap();
    assert_eq!((done.restored, done.erased), (0, 1), "{done:?}");
    assert_eq!(world.host_sees("Ada").await, 0);
}

async fn receipts_and_ledger_outlive_the_account(engine: Engine) {
    let world = World::build(engine).await;
    let key = world.key();
    let kept = a_receipt_is_placed_once_it_is_sequenced(&world, &key).await;
    let revoked = a_revocation_takes_the_salt_along(&world, &key).await;
    let signed = an_erasure_is_certified(&world, &key).await;
    world.sequence().await;
    assert_eq!(audit(&world, None, Vec::new()).await, []);
    kept.verify(&key).unwrap();
    the_ledger_proves_the_erasure(&world, &signed, revoked).await;
}

async fn a_receipt_is_placed_once_it_is_sequenced(world: &World, key: &PublicKey) -> Receipt {
    let promised = Receipt::parse(&world.receipt().await).unwrap();
    let verdict = promised.verify(key).unwrap();
    assert!(
        verdict
            .entries
            .iter()
            .all(|one| one.position.is_none() && one.facts)
    );

    world.sequence().await;
    let text = world.receipt().await;
    let kept = Receipt::parse(&text).unwrap();
    let verdict = kept.verify(key).unwrap();
    assert!(
        verdict
            .entries
            .iter()
            .all(|one| one.position.is_some() && one.facts)
    );
    for member in [
        "schema_version",
        "record_id",
        "pii_principal_id",
        "pii_processing",
    ] {
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(value.get(member).is_some(), "{member}");
    }
    assert!(!text.contains(&world.ada.agent_id) && !text.contains(&world.ada.user_id));
    assert!(!text.contains("+4930555"), "a receipt holds no value");
    kept
}

async fn a_revocation_takes_the_salt_along(world: &World, key: &PublicKey) -> Verdict {
    world.revoke("name").await;
    world.sequence().await;
    let after = Receipt::parse(&world.receipt().await).unwrap();
    let verdict = after.verify(key).unwrap();
    let of_name: Vec<_> = verdict
        .entries
        .iter()
        .filter(|one| one.entry.field == "name")
        .collect();
    let kinds: Vec<_> = of_name
        .iter()
        .map(|one| (&*one.entry.kind, one.facts))
        .collect();
    assert_eq!(
        kinds,
        [("granted", false), ("revoked", false)],
        "the salt died with the key"
    );
    verdict
}

/// Gives back the certificate's text.
async fn an_erasure_is_certified(world: &World, key: &PublicKey) -> String {
    let reply = world
        .ada
        .client
        .delete("/api/v1/me")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    let certificate = reply["certificate"].as_str().unwrap();
    let signed = key.open(certificate).unwrap();
    assert!(signed.contains(&world.ada.user_id) && signed.contains("destroyed: 1 of user_keys"));
    assert!(
        key.open(&certificate.replace("destroyed: 1", "destroyed: 2"))
            .is_err()
    );
    signed.to_owned()
}

async fn the_ledger_proves_the_erasure(world: &World, signed: &str, before: Verdict) {
    let leaf = signed
        .lines()
        .find_map(|line| line.strip_prefix("ledger leaf: "))
        .unwrap();
    let leaf = leaf.replace('+', "-").replace('/', "_");
    let path = format!(
        "/api/v1/ledger/inclusion?leaf={}",
        leaf.trim_end_matches('=')
    );
    let proof = world
        .app
        .anonymous()
        .get(&path)
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert!(proof["leafIndex"].as_u64().unwrap() > 3);
    let sizes = (before.checkpoint.unwrap().size, world.size().await);
    let path = format!("/api/v1/ledger/consistency?from={}&to={}", sizes.0, sizes.1);
    let proof = world
        .app
        .anonymous()
        .get(&path)
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert!(!proof["hashes"].as_array().unwrap().is_empty());
}

/// The page says what the file says, at each step of a consent, and no value.
async fn a_person_reads_their_receipt(engine: Engine) {
    let world = World::build(engine).await;
    let ada = Browser::of(&world.app, "ada@example.org").await;
    let sharing = ada.page("/me/sharing").await;
    let share = &Receipt::parse(&world.receipt().await).unwrap().record_id;
    let path = format!("/me/shares/{share}");
    assert!(sharing.contains(&format!("href=\"{path}\"")), "{sharing}");
    let promised = ada.page(&path).await;
    for said in [
        "Café Mira",
        "You agreed",
        "optional",
        "Promised to be in the ledger by",
    ] {
        assert!(promised.contains(said), "{said}: {promised}");
    }

    world.sequence().await;
    world.revoke("name").await;
    let page = ada.page(&path).await;
    let ended = ada.page("/me/sharing?by=ended").await;
    assert!(ended.contains(&format!("href=\"{path}\"")), "{ended}");
    let (before, after) = page.split_once("You took it back").unwrap();
    assert!(
        before.contains("in the ledger") && after.contains("Promised"),
        "{page}"
    );
    let counted = [
        ("tag good\">Shared", 1),
        ("tag\">Ended", 1),
        ("Position ", 2),
    ];
    for (said, times) in counted {
        assert_eq!(page.matches(said).count(), times, "{said}: {page}");
    }
    assert!(!page.contains("+4930555") && !page.contains(&world.ada.agent_id));
    // What it offers to download is what the command checks, under the key that it names.
    let key = world.key();
    assert!(page.contains(&format!("--key {key}")), "{page}");
    let file = ada.get(&format!("{path}/receipt")).await;
    assert!(page.contains(&format!("href=\"{path}/receipt\" download")));
    Receipt::parse(&file.text()).unwrap().verify(&key).unwrap();

    let bob = Browser::of(&world.app, "bob@example.org").await;
    for (browser, path) in [(&bob, path.as_str()), (&ada, "/me/shares/none")] {
        let reply = browser.get(path).await;
        assert_eq!(reply.status, 404, "{}", reply.text());
    }
    let nobody = Browser::nobody(&world.app).get(&path).await;
    assert_eq!(nobody.headers["location"], format!("/sign-in?next={path}"));
}
