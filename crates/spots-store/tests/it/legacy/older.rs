//! A database that an older release of the platform made gets the migrations that came in between.
//!
//! Releases before the upgrade of old databases went from 0010 to 0150, later ones to 0210, without
//! 0015 to 0190 in between.

use std::collections::BTreeSet;
use std::path::Path;

use spots_migrate::MigrationSet;
use spots_privacy::consent::{Custody, Person, StoredPerson};
use spots_privacy::{SealedField, SystemRandomness, UserId, WrappedKey};
use spots_store::{AGENT_CONTEXT, EMAIL_CONTEXT, schema::migrations};

use super::place::{self, Place};

/// Where releases stood that knew nothing of what lies between.
const STOOD_AT: [&str; 2] = ["0150-outbox", "0210-replica-order"];
/// What came in between afterwards.
const LATER: [&str; 11] = [
    "0015-legacy-window",
    "0020-agents-for-users",
    "0035-profiles-move",
    "0045-anonymous-from-profiles",
    "0055-personal-fields-sealed",
    "0160-legacy-events",
    "0165-expert-events-move",
    "0170-community-events-move",
    "0180-old-tables-aside",
    "0185-last-changes",
    "0190-clear-text-gone",
];

/// The set of an older release: up to a migration, without those that came later.
fn older(last: &str) -> MigrationSet {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut files = Vec::new();
    for migration in migrations().migrations() {
        if LATER.contains(&&*migration.id) || &*migration.id > last {
            continue;
        }
        for file in std::fs::read_dir(folder.join(&migration.id)).unwrap() {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            let text = std::fs::read_to_string(file.path()).unwrap();
            files.push((format!("{}/{name}", migration.id), text));
        }
    }
    let files = files.iter().map(|(path, text)| (&**path, &**text));
    MigrationSet::from_embedded(&files.collect::<Vec<_>>()).unwrap()
}

/// Every column of every table but the record of migrations.
async fn columns(place: &Place) -> BTreeSet<String> {
    let sql = match place {
        Place::Sqlite(..) => {
            "SELECT m.name || '.' || p.name || ' ' || p.type FROM sqlite_schema m
             JOIN pragma_table_info(m.name) p WHERE m.type = 'table'"
        }
        Place::Postgres(..) => {
            "SELECT table_name || '.' || column_name || ' ' || data_type
             FROM information_schema.columns WHERE table_schema = 'public'"
        }
    };
    let rows = place.rows(sql).await.into_iter();
    rows.map(|row| row[0].clone().unwrap()).collect()
}

fn literal(place: &Place, bytes: &[u8]) -> String {
    let hex = bytes.iter().map(|byte| format!("{byte:02x}"));
    let hex = hex.collect::<String>();
    match place {
        Place::Sqlite(..) => format!("x'{hex}'"),
        Place::Postgres(..) => format!("'\\x{hex}'"),
    }
}

/// Somebody as the older release kept them.
async fn add(place: &Place, keys: &spots_privacy::MasterKeys, person: &Person) {
    let (user, agent) = (person.user().reveal(), person.agent().reveal());
    let stored = person.to_stored(keys, &SystemRandomness).unwrap();
    let email = keys.lookup().hash(EMAIL_CONTEXT, "ada@example.org");
    let lookup = keys.lookup().hash(AGENT_CONTEXT, &agent);
    let (key, version) = (literal(place, &stored.key.bytes), stored.key.version);
    let sealed = literal(place, stored.agent.as_bytes());
    let (lookup, email) = (literal(place, &lookup), literal(place, &email));
    for sql in [
        format!("INSERT INTO users (id) VALUES ('{user}')"),
        format!("INSERT INTO agents VALUES ('{agent}')"),
        format!("INSERT INTO user_keys VALUES ('{user}', {key}, {version})"),
        format!("INSERT INTO user_agent_mappings VALUES ('{user}', {sealed}, {lookup})"),
        format!("INSERT INTO user_credentials VALUES ('{user}', {email}, 'a hash')"),
        "INSERT INTO hosts VALUES ('host_1', 'club', 'Jazz')".to_owned(),
        format!("INSERT INTO host_members VALUES ('host_1', '{user}')"),
    ] {
        place.run(&sql).await;
    }
}

async fn receives_what_came_in_between(mut place: Place, mut fresh: Place, last: &str) {
    let keys = super::keys();
    let mover = super::mover(&keys);
    place.up_set(&older(last), None, &mover).await;
    let person = Person::create(UserId::generate(&SystemRandomness), &SystemRandomness);
    add(&place, &keys, &person).await;
    // As a server does when it starts: without the keys that an old database would need.
    let store = place.serve().await.unwrap();
    fresh.up(None, &mover).await;
    assert_eq!(columns(&place).await, columns(&fresh).await);
    let email = keys.lookup().hash(EMAIL_CONTEXT, "ada@example.org");
    let known = store.find_credentials(email).await.unwrap().unwrap();
    assert_eq!(known.user.reveal(), person.user().reveal());
    let row = &place
        .rows(
            "SELECT k.wrapped_key, k.master_version, m.sealed_agent_id, u.id FROM users u
             JOIN user_keys k ON k.user_id = u.id JOIN user_agent_mappings m ON m.user_id = u.id",
        )
        .await[0];
    let text = |at: usize| row[at].clone().unwrap();
    let stored = StoredPerson {
        key: WrappedKey {
            bytes: place::bytes(&text(0)),
            version: text(1).parse().unwrap(),
        },
        agent: SealedField::from_stored(place::bytes(&text(2))),
    };
    let user = UserId::parse(&text(3)).unwrap();
    let same = Custody::of(&keys).unlock(user, &stored).unwrap();
    assert_eq!(same.agent().reveal(), person.agent().reveal());
    for (table, rows) in [("users", 1), ("agents", 1), ("hosts", 1), ("legacy_ids", 0)] {
        assert_eq!(place.count(table).await, rows, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_sqlite_database_receives_what_came_in_between() {
    for last in STOOD_AT {
        receives_what_came_in_between(Place::sqlite(), Place::sqlite(), last).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_postgres_database_receives_what_came_in_between() {
    for last in STOOD_AT {
        let (place, fresh) = (Place::postgres().await, Place::postgres().await);
        receives_what_came_in_between(place, fresh, last).await;
    }
}
