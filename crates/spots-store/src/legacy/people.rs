//! Users of the old database: agents, keys, sealed fields, sign-in.

use spots_privacy::consent::{Custody, Person, StoredPerson};
use spots_privacy::{LookupKey, Personal, SealedField, UserId, WrappedKey};

use super::ids::Ids;
use super::moves::{Dialect, Holds, Known, Move, MoveError, Row, Table, Value, Write};
use super::{Mover, events::Kind, profiles};

/// Old columns and the fields of a profile that they become.
pub(super) const FIELDS: [(&str, &str); 4] = [
    ("email", "email"),
    ("display_name", "name"),
    ("phone_number", "phone"),
    ("birthday", "birthday"),
];

/// What stands for a password that nobody knows: no form of a hash, so nothing fits it.
pub(super) const NO_PASSWORD: &str = "none";

pub(super) const USER_IDS: Table = Table {
    name: "legacy_ids",
    columns: &[
        ("old_id", Holds::Text),
        ("user_id", Holds::Text),
        ("source", Holds::Text),
    ],
    replaces: None,
};
static IDS: Table = USER_IDS;
static AGENTS: Table = Table {
    name: "agents",
    columns: &[("agent_id", Holds::Text)],
    replaces: None,
};
static USERS: Table = Table {
    name: "users",
    columns: &[("id", Holds::Text)],
    replaces: None,
};
static KEYS: Table = Table {
    name: "user_keys",
    columns: &[
        ("user_id", Holds::Text),
        ("wrapped_key", Holds::Bytes),
        ("master_version", Holds::Int),
    ],
    replaces: Some("user_id"),
};
static MAPPINGS: Table = Table {
    name: "user_agent_mappings",
    columns: &[
        ("user_id", Holds::Text),
        ("sealed_agent_id", Holds::Bytes),
        ("agent_lookup", Holds::Bytes),
    ],
    replaces: Some("user_id"),
};
static PROFILES: Table = Table {
    name: "user_profiles",
    columns: &[
        ("user_id", Holds::Text),
        ("field", Holds::Text),
        ("sealed", Holds::Bytes),
    ],
    replaces: Some("user_id, field"),
};
static CREDENTIALS: Table = Table {
    name: "user_credentials",
    columns: &[
        ("user_id", Holds::Text),
        ("email_lookup", Holds::Bytes),
        ("password_hash", Holds::Text),
    ],
    replaces: Some("user_id"),
};

/// An agent for every user.
pub(super) struct Agents;

/// Those who are not of the new form already.
const OLD_USERS: &str = "FROM users u CROSS JOIN legacy_upgrade p
     WHERE NOT EXISTS (SELECT 1 FROM user_agent_mappings m WHERE m.user_id = u.id)";

impl Move for Agents {
    fn count(&self) -> String {
        format!("SELECT count(*) {OLD_USERS}")
    }

    fn select(&self, _dialect: Dialect) -> String {
        format!("SELECT u.id, p.salt {OLD_USERS} AND u.id > $1 ORDER BY u.id LIMIT $2")
    }

    fn writes(&self, mover: &Mover, rows: &[Row], _known: &Known) -> Result<Vec<Write>, MoveError> {
        let mut all = Identities::default();
        for row in rows {
            all.add(mover, row.key(), &new_person(mover, row))?;
        }
        Ok(all.writes())
    }
}

fn new_person(mover: &Mover, row: &Row) -> Person {
    let ids = ids(mover, row);
    let (user, agent) = (ids.user(row.key()), ids.agent(row.key()));
    Person::with_agent(user, agent, &*mover.random)
}

/// Ids for a row whose second column is the salt.
pub(super) fn ids<'a>(mover: &'a Mover, row: &'a Row) -> Ids<'a> {
    Ids {
        key: mover.keys.lookup(),
        salt: row.text(1),
    }
}

/// Rows of what a person is, without what they told of themself.
#[derive(Default)]
struct Identities {
    ids: Vec<Vec<Value>>,
    agents: Vec<Vec<Value>>,
    keys: Vec<Vec<Value>>,
    mappings: Vec<Vec<Value>>,
}

impl Identities {
    fn add(&mut self, mover: &Mover, old: &str, person: &Person) -> Result<(), MoveError> {
        let (user, agent) = (person.user().reveal(), person.agent().reveal());
        let stored = person
            .to_stored(&mover.keys, &*mover.random)
            .map_err(|cause| seal_failed("the agent", old, &cause))?;
        let lookup = mover.keys.lookup().hash(crate::AGENT_CONTEXT, &agent);
        self.ids
            .push(vec![old.into(), user.clone().into(), "users".into()]);
        self.agents.push(vec![agent.into()]);
        self.keys.push(vec![
            user.clone().into(),
            stored.key.bytes.into(),
            i64::from(stored.key.version).into(),
        ]);
        self.mappings.push(vec![
            user.into(),
            stored.agent.as_bytes().to_vec().into(),
            lookup.to_vec().into(),
        ]);
        Ok(())
    }

    fn writes(self) -> Vec<Write> {
        vec![
            Write::Insert(&IDS, self.ids),
            Write::Insert(&AGENTS, self.agents),
            Write::Insert(&KEYS, self.keys),
            Write::Insert(&MAPPINGS, self.mappings),
        ]
    }
}

/// Every old id with what it takes to open its agent as it is now.
pub(super) const WITH_AGENT: &str = "SELECT l.old_id, p.salt, l.user_id, k.wrapped_key, \
     k.master_version, m.sealed_agent_id
     FROM legacy_ids l CROSS JOIN legacy_upgrade p
     LEFT JOIN user_keys k ON k.user_id = l.user_id
     LEFT JOIN user_agent_mappings m ON m.user_id = l.user_id
     WHERE l.old_id > $1 ORDER BY l.old_id LIMIT $2";

/// The agent of a row of [`WITH_AGENT`]: people may have taken a new one since; an id without an
/// account has the one that the move gave.
pub(super) fn agent_now(mover: &Mover, row: &Row) -> Result<String, MoveError> {
    match row.bytes(3) {
        Some(key) => Ok(unlock(mover, row, (2, key, row.int(4), 5))?
            .agent()
            .reveal()),
        None => Ok(ids(mover, row).agent(row.key()).reveal()),
    }
}

/// Takes the agents back before their mappings go.
pub(super) struct AgentsBack;

impl Move for AgentsBack {
    fn count(&self) -> String {
        "SELECT count(*) FROM legacy_ids".to_owned()
    }

    fn select(&self, _dialect: Dialect) -> String {
        WITH_AGENT.to_owned()
    }

    fn writes(&self, mover: &Mover, rows: &[Row], _known: &Known) -> Result<Vec<Write>, MoveError> {
        let mut agents = Vec::new();
        for row in rows {
            agents.push(vec![agent_now(mover, row)?.into()]);
        }
        Ok(vec![Write::Each(
            "DELETE FROM agents WHERE agent_id = $1",
            agents,
        )])
    }
}

/// Personal data sealed under each user's own key, and what they sign in with.
pub(super) struct Fields;

impl Move for Fields {
    fn count(&self) -> String {
        "SELECT count(*) FROM users u JOIN legacy_ids l ON l.old_id = u.id".to_owned()
    }

    fn select(&self, _dialect: Dialect) -> String {
        "SELECT u.id, k.wrapped_key, u.email, u.display_name, u.phone_number, u.birthday,
                w.password_hash, l.user_id, k.master_version, m.sealed_agent_id
         FROM users u
         JOIN legacy_ids l ON l.old_id = u.id
         JOIN user_keys k ON k.user_id = l.user_id
         JOIN user_agent_mappings m ON m.user_id = l.user_id
         LEFT JOIN legacy_passwords w ON w.old_id = u.id
         WHERE u.id > $1 ORDER BY u.id LIMIT $2"
            .to_owned()
    }

    fn writes(&self, mover: &Mover, rows: &[Row], _known: &Known) -> Result<Vec<Write>, MoveError> {
        let mut told = Told::default();
        for row in rows {
            let key = row.bytes(1).unwrap_or_default();
            let person = unlock(mover, row, (7, key, row.int(8), 9))?;
            told.add(mover, row, &person)?;
        }
        Ok(told.writes())
    }
}

/// Opens the person of a row: the columns of the user and the sealed agent, the key, its version.
pub(super) fn unlock(
    mover: &Mover,
    row: &Row,
    (user, key, version, agent): (usize, &[u8], i64, usize),
) -> Result<Person, MoveError> {
    let user = UserId::parse(row.text(user)).ok_or(MoveError::Row("legacy_ids.user_id"))?;
    let version = u32::try_from(version).or(Err(MoveError::Row("user_keys.master_version")))?;
    let sealed = row.bytes(agent).unwrap_or_default().to_vec();
    let stored = StoredPerson {
        key: WrappedKey {
            bytes: key.to_vec(),
            version,
        },
        agent: SealedField::from_stored(sealed),
    };
    Custody::of(&mover.keys)
        .unlock(user, &stored)
        .map_err(|cause| seal_failed("the key", row.key(), &cause))
}

/// Rows of what people told of themselves; columns 2 to 5 hold it, column 6 the old password's hash.
#[derive(Default)]
struct Told {
    fields: Vec<Vec<Value>>,
    credentials: Vec<Vec<Value>>,
}

impl Told {
    fn add(&mut self, mover: &Mover, row: &Row, person: &Person) -> Result<(), MoveError> {
        let user = person.user().reveal();
        for (column, (_, field)) in (2..).zip(FIELDS) {
            let Some(text) = row.optional(column) else {
                continue;
            };
            let sealed = person
                .seal(field, &Personal::new(text), &*mover.random)
                .map_err(|cause| seal_failed("personal data", row.key(), &cause))?;
            self.fields.push(vec![
                user.clone().into(),
                field.into(),
                sealed.as_bytes().to_vec().into(),
            ]);
        }
        if let Some(email) = row.optional(2) {
            let lookup = email_lookup(mover.keys.lookup(), email);
            let hash = row.optional(6).unwrap_or(NO_PASSWORD);
            self.credentials
                .push(vec![user.into(), lookup.to_vec().into(), hash.into()]);
        }
        Ok(())
    }

    fn writes(self) -> Vec<Write> {
        vec![
            Write::Insert(&PROFILES, self.fields),
            Write::Insert(&CREDENTIALS, self.credentials),
        ]
    }
}

/// By what an account is found, see [`crate::email_text`].
fn email_lookup(key: &LookupKey, email: &str) -> [u8; 32] {
    let text = crate::email_text(email);
    key.hash(crate::EMAIL_CONTEXT, text.disclose())
}

/// What the old application wrote of people after they were moved.
pub(super) struct PeopleAgain;

const FORGET: &[&str] = &[
    "DELETE FROM user_profiles WHERE user_id = $1",
    "DELETE FROM user_credentials WHERE user_id = $1",
    "DELETE FROM user_agent_mappings WHERE user_id = $1",
    "DELETE FROM user_keys WHERE user_id = $1",
    "DELETE FROM users WHERE id = $1",
];

impl Move for PeopleAgain {
    fn count(&self) -> String {
        "SELECT count(*) FROM legacy_changes WHERE source = 'users'".to_owned()
    }

    fn select(&self, _dialect: Dialect) -> String {
        "SELECT c.id, p.salt, u.email, u.display_name, u.phone_number, u.birthday,
                w.password_hash, u.id, c.seq
         FROM legacy_changes c CROSS JOIN legacy_upgrade p
         LEFT JOIN legacy_users u ON u.id = c.id
         LEFT JOIN legacy_passwords w ON w.old_id = c.id
         WHERE c.source = 'users' AND CAST($1 AS TEXT) IS NOT NULL ORDER BY c.seq LIMIT $2"
            .to_owned()
    }

    fn writes(&self, mover: &Mover, rows: &[Row], _known: &Known) -> Result<Vec<Write>, MoveError> {
        let mut identities = Identities::default();
        let mut told = Told::default();
        let (mut users, mut gone, mut agents, mut names) = (vec![], vec![], vec![], vec![]);
        for row in latest(rows) {
            let person = new_person(mover, row);
            let user = person.user().reveal();
            gone.push(vec![Value::from(user.as_str())]);
            if row.optional(7).is_none() {
                agents.push(vec![person.agent().reveal().into()]);
                continue;
            }
            users.push(vec![user.into()]);
            identities.add(mover, row.key(), &person)?;
            told.add(mover, row, &person)?;
            for kind in [Kind::Expert, Kind::Community] {
                let host = ids(mover, row).host(kind.source(), row.key());
                names.push(vec![
                    kind.host_name(row.optional(3)).into(),
                    host.to_string().into(),
                ]);
            }
        }
        let mut writes = Vec::new();
        for statement in FORGET {
            writes.push(Write::Each(statement, gone.clone()));
        }
        writes.push(Write::Each(
            "DELETE FROM agents WHERE agent_id = $1",
            agents,
        ));
        writes.push(Write::Insert(&USERS, users));
        writes.extend(identities.writes());
        writes.extend(told.writes());
        writes.push(Write::Each(
            "UPDATE hosts SET name = $1 WHERE host_id = $2",
            names,
        ));
        writes.push(profiles::noted(rows, 8));
        Ok(writes)
    }
}

/// One row for each key: whichever stands last, all read at one moment.
pub(super) fn latest(rows: &[Row]) -> impl Iterator<Item = &Row> {
    let by_key: std::collections::BTreeMap<_, _> =
        rows.iter().map(|row| (row.key(), row)).collect();
    by_key.into_values()
}

pub(super) fn seal_failed(
    what: &'static str,
    id: &str,
    cause: &dyn std::error::Error,
) -> MoveError {
    MoveError::Seal {
        what,
        id: id.to_owned(),
        cause: cause.to_string(),
    }
}
