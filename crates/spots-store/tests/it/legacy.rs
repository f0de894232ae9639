//! An old SPOTS database goes up, every attendance is accounted for, and comes back as it was.

mod figures;
mod older;
mod place;
mod scan;

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Connection;
use spots_migrate::RollBack;
use spots_privacy::consent::{Custody, StoredPerson};
use spots_privacy::{MasterKeys, SealedField, SystemRandomness, UserId, WrappedKey};
use spots_store::legacy::Mover;
use spots_store::model::PageRequest;
use spots_store::{EMAIL_CONTEXT, StoreError, email_text};
use spots_testkit::legacy::{OldDatabase, TABLES};

use self::place::Place;

/// The form that CI runs.
const SMALL: OldDatabase = OldDatabase {
    users: 1_000,
    attendances: 10_000,
    seed: 42,
};
/// What a rehearsal reads dozens of times over.
const TINY: OldDatabase = OldDatabase {
    users: 80,
    attendances: 600,
    seed: 42,
};
/// The form of the figures in docs/upgrade.md.
const LARGE: OldDatabase = OldDatabase {
    users: 100_000,
    attendances: 1_000_000,
    seed: 42,
};
/// A tenth of it.
const MEDIUM: OldDatabase = OldDatabase {
    users: 10_000,
    attendances: 100_000,
    seed: 42,
};
const BASELINE: &str = "0001-baseline";
/// What everything of the upgrade comes after.
const FIRST: &str = "0015-legacy-window";

/// The second of the moves: among the generated events.
const MOVED_AT: i64 = 1_700_100_000;

fn keys() -> Arc<MasterKeys> {
    Arc::new(MasterKeys::generate(&SystemRandomness))
}

fn mover(keys: &Arc<MasterKeys>) -> Mover {
    Mover::new(Arc::clone(keys), Arc::new(SystemRandomness), MOVED_AT)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_sqlite_database_goes_up_and_comes_back() {
    there_and_back(&mut Place::sqlite(), SMALL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_postgres_database_goes_up_and_comes_back() {
    there_and_back(&mut Place::postgres().await, SMALL).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: the figures of docs/upgrade.md"]
async fn a_large_old_sqlite_database_goes_up_and_comes_back() {
    there_and_back(&mut Place::sqlite(), LARGE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: the figures of docs/upgrade.md"]
async fn a_large_old_postgres_database_goes_up_and_comes_back() {
    there_and_back(&mut Place::postgres().await, LARGE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: the figures of docs/upgrade.md"]
async fn a_medium_old_sqlite_database_goes_up_and_comes_back() {
    there_and_back(&mut Place::sqlite(), MEDIUM).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes: the figures of docs/upgrade.md"]
async fn a_medium_old_postgres_database_goes_up_and_comes_back() {
    there_and_back(&mut Place::postgres().await, MEDIUM).await;
}

async fn there_and_back(place: &mut Place, old: OldDatabase) {
    let keys = keys();
    let mover = mover(&keys);
    place.fill(old).await;
    let before = place.fingerprints(&TABLES).await;
    let lists = lists(place).await;
    refused_as_it_is(&place.serve().await.err().unwrap());

    let alone = figures::alone(place, old).await;
    let beside = figures::reader(place, old, usize::MAX);
    let begun = figures::Stopwatch::start();
    place.up(None, &mover).await;
    let took = begun.elapsed();
    figures::print(old, took, (&alone, &beside.await.unwrap()));
    accounted_for(place, &keys, &lists).await;
    scan::no_user_id_is_left(place, old).await;
    people_find_their_bookings(place, &keys, old, &lists).await;

    let begun = figures::Stopwatch::start();
    place.down(&RollBack::Id(FIRST.to_owned()), &mover).await;
    println!("back: {:.1} s", begun.elapsed().as_secs_f64());
    assert_eq!(place.fingerprints(&TABLES).await, before);
    for table in [
        "agents",
        "user_keys",
        "reservations",
        "guests",
        "hosts",
        "user_profiles",
    ] {
        assert_eq!(place.count(table).await, 0, "{table}");
    }
    place.down(&RollBack::To(BASELINE.to_owned()), &mover).await;
    assert_eq!(place.fingerprints(&TABLES).await, before);
    place.up(None, &mover).await;
    accounted_for(place, &keys, &lists).await;
}

fn refused_as_it_is(error: &StoreError) {
    let cause = std::error::Error::source(error).unwrap().to_string();
    assert!(cause.contains("spots migrate upgrade-legacy"), "{cause}");
}

/// Old user id → how often it stands in lists of attendees.
type Lists = BTreeMap<String, u64>;

async fn lists(place: &Place) -> Lists {
    let mut lists = Lists::new();
    for table in ["expertise_events", "community_events"] {
        for row in place
            .rows(&format!("SELECT attendee_ids FROM {table}"))
            .await
        {
            let ids: Vec<String> = serde_json::from_str(row[0].as_deref().unwrap()).unwrap();
            for id in ids {
                *lists.entry(id).or_default() += 1;
            }
        }
    }
    lists
}

/// Every attendance is a place in a booking of the agent that its user became.
async fn accounted_for(place: &Place, keys: &MasterKeys, lists: &Lists) {
    let agents = agents(place, keys).await;
    let mut booked = BTreeMap::new();
    for row in place
        .rows("SELECT agent_id, sum(party) FROM reservations GROUP BY agent_id")
        .await
    {
        booked.insert(
            row[0].clone().unwrap(),
            row[1].as_deref().unwrap().parse().unwrap(),
        );
    }
    let attendances: u64 = lists.values().sum();
    assert_eq!(booked.values().sum::<u64>(), attendances);
    let mut strangers = 0;
    for (old, often) in lists {
        match agents.get(old) {
            Some(agent) => assert_eq!(booked.get(agent), Some(often), "{old}"),
            None => strangers += often,
        }
    }
    assert!(strangers > 0 && strangers < attendances / 20, "{strangers}");
    for sql in [
        "SELECT count(*) FROM reservations r WHERE NOT EXISTS
             (SELECT 1 FROM guests g WHERE g.host_id = r.host_id AND g.guest_id = r.guest_id)",
        "SELECT count(*) FROM reservations r WHERE NOT EXISTS
             (SELECT 1 FROM agent_bookings a
              WHERE a.agent_id = r.agent_id AND a.booking_id = r.booking_id)",
        "SELECT count(*) FROM reservations r WHERE NOT EXISTS
             (SELECT 1 FROM reservation_tickets t
              WHERE t.host_id = r.host_id AND t.booking_id = r.booking_id
                AND t.quantity = r.party)",
        "SELECT count(*) FROM capacity_pools p WHERE p.taken <> COALESCE((SELECT sum(r.party)
             FROM reservations r WHERE r.host_id = p.host_id AND r.event_id = p.event_id), 0)",
    ] {
        assert_eq!(place.rows(sql).await[0][0].as_deref(), Some("0"), "{sql}");
    }
}

/// Opens the sealed mapping of everyone: old user id → agent id.
async fn agents(place: &Place, keys: &MasterKeys) -> BTreeMap<String, String> {
    let sql = "SELECT l.old_id, l.user_id, k.wrapped_key, k.master_version, m.sealed_agent_id
               FROM legacy_ids l JOIN user_keys k ON k.user_id = l.user_id
               JOIN user_agent_mappings m ON m.user_id = l.user_id";
    let mut agents = BTreeMap::new();
    for row in place.rows(sql).await {
        let text = |at: usize| row[at].clone().unwrap();
        let user = UserId::parse(&text(1)).unwrap();
        let stored = StoredPerson {
            key: WrappedKey {
                bytes: place::bytes(&text(2)),
                version: text(3).parse().unwrap(),
            },
            agent: SealedField::from_stored(place::bytes(&text(4))),
        };
        let person = Custody::of(keys).unlock(user, &stored).unwrap();
        agents.insert(text(0), person.agent().reveal());
    }
    agents
}

/// The running platform knows them: by their address, with their name, with their bookings.
async fn people_find_their_bookings(
    place: &Place,
    keys: &MasterKeys,
    old: OldDatabase,
    lists: &Lists,
) {
    let store = place.serve().await.unwrap();
    let agents = agents(place, keys).await;
    let mut met = 0;
    for number in 0..40 {
        let id = old.user_id(number);
        let email = email_text(&format!(
            "user{number}{}",
            spots_testkit::legacy::MAIL_DOMAIN
        ));
        let lookup = keys.lookup().hash(EMAIL_CONTEXT, email.disclose());
        let Some(known) = store.find_credentials(lookup).await.unwrap() else {
            continue;
        };
        assert!(!store.list_profile(&known.user).await.unwrap().is_empty());
        let agent = spots_privacy::AgentId::parse(&agents[&id]).unwrap();
        let page = store
            .list_bookings(&agent, PageRequest::FIRST)
            .await
            .unwrap();
        let places: u64 = page
            .items
            .iter()
            .map(|one| u64::from(one.placed.party))
            .sum();
        if !page.more {
            assert_eq!(places, lists.get(&id).copied().unwrap_or(0));
        }
        met += 1;
    }
    assert!(met > 30, "{met}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_set_is_rehearsed_on_an_old_sqlite_database() {
    let mut place = Place::sqlite();
    place.fill(TINY).await;
    assert_eq!(place.rehearse(&mover(&keys())).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_set_is_rehearsed_on_an_old_postgres_database() {
    let mut place = Place::postgres().await;
    place.fill(TINY).await;
    assert_eq!(place.rehearse(&mover(&keys())).await, Vec::<String>::new());
}

/// Tables that an old application which goes on writing keeps beside, to compare with.
const MIRRORS: [&str; 4] = [
    "mirror_users",
    "mirror_personality_profiles",
    "mirror_expertise_events",
    "mirror_community_events",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_while_sqlite_moves_is_carried_over() {
    written_meanwhile(Place::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_while_postgres_moves_is_carried_over() {
    written_meanwhile(Place::postgres().await).await;
}

/// The old application writes until its tables are gone. What it had committed by then is in the
/// new form, and comes back with the old.
async fn written_meanwhile(mut place: Place) {
    let keys = keys();
    let mover = mover(&keys);
    place.fill(SMALL).await;
    for (table, mirror) in TABLES.iter().zip(MIRRORS) {
        place
            .run(&format!("CREATE TABLE {mirror} AS SELECT * FROM {table}"))
            .await;
    }
    let before = place.fingerprints(&MIRRORS).await;
    let writer = place.writes_until_refused(SMALL);
    place.up(None, &mover).await;
    let written = writer.await.unwrap();
    assert!(
        written > 20,
        "the old application wrote only {written} times"
    );
    let mirrored = place.fingerprints(&MIRRORS).await;
    assert_ne!(mirrored, before);
    place.down(&RollBack::Id(FIRST.to_owned()), &mover).await;
    assert_eq!(place.fingerprints(&TABLES).await, mirrored);
}

#[test]
fn a_set_aside_database_is_not_served() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spots.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE users (id TEXT, email TEXT); INSERT INTO users VALUES ('a', 'b')",
        )
        .unwrap();
    let refused = spots_store::SqliteStore::open(&path, &mut spots_migrate::Silent);
    refused_as_it_is(&refused.unwrap_err());
}
