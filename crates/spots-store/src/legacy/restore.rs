//! The way back: the old tables written again, from what is sealed and booked now.

use std::collections::BTreeMap;

use super::Mover;
use super::events::{Form, Kind};
use super::moves::{Dialect, Holds, Known, Move, MoveError, Row, Table, Value, Write};
use super::people::{FIELDS, WITH_AGENT, agent_now, seal_failed, unlock};
use super::profiles::{quoted, replaced};

static AGENTS: Table = Table {
    name: "legacy_agents",
    columns: &[("agent_id", Holds::Text), ("old_id", Holds::Text)],
    replaces: None,
};
static USERS: Table = Table {
    name: "legacy_users",
    columns: &[
        ("id", Holds::Text),
        ("email", Holds::Text),
        ("display_name", Holds::Text),
        ("phone_number", Holds::Text),
        ("birthday", Holds::Text),
    ],
    replaces: None,
};
static PROFILES: Table = Table {
    name: "legacy_personality_profiles",
    columns: &[("user_id", Holds::Text), ("profile", Holds::Text)],
    replaces: None,
};
const EVENT_COLUMNS: &[(&str, Holds)] = &[
    ("id", Holds::Text),
    ("host_user_id", Holds::Text),
    ("title", Holds::Text),
    ("starts_at", Holds::Int),
    ("ends_at", Holds::Int),
    ("attendee_ids", Holds::Text),
];
static EXPERT: Table = Table {
    name: "legacy_expertise_events",
    columns: EVENT_COLUMNS,
    replaces: None,
};
static COMMUNITY: Table = Table {
    name: "legacy_community_events",
    columns: EVENT_COLUMNS,
    replaces: None,
};

/// Makes the old tables, empty, and notes which agent an old id became.
pub(super) struct Agents;

impl Move for Agents {
    fn prepare(&self, dialect: Dialect) -> &'static str {
        match dialect {
            Dialect::Postgres => include_str!("restore/tables.postgres.sql"),
            Dialect::Sqlite => include_str!("restore/tables.sqlite.sql"),
        }
    }

    fn count(&self) -> String {
        "SELECT count(*) FROM legacy_ids".to_owned()
    }

    fn select(&self, _dialect: Dialect) -> String {
        WITH_AGENT.to_owned()
    }

    fn writes(&self, mover: &Mover, rows: &[Row], _known: &Known) -> Result<Vec<Write>, MoveError> {
        let mut agents = Vec::new();
        for row in rows {
            agents.push(vec![agent_now(mover, row)?.into(), row.key().into()]);
        }
        Ok(vec![Write::Insert(&AGENTS, agents)])
    }
}

/// Opens what was sealed of each user.
pub(super) struct Users;

impl Move for Users {
    fn count(&self) -> String {
        "SELECT count(*) FROM legacy_ids l JOIN user_keys k ON k.user_id = l.user_id".to_owned()
    }

    fn select(&self, _dialect: Dialect) -> String {
        let mut columns = String::new();
        let mut joins = String::new();
        for (old, field) in FIELDS {
            columns.extend([", ", old, ".sealed"]);
            joins.extend([
                " LEFT JOIN user_profiles ",
                old,
                " ON ",
                old,
                ".user_id = l.user_id AND ",
            ]);
            joins.extend([old, ".field = '", field, "'"]);
        }
        format!(
            "SELECT l.old_id, l.user_id, k.wrapped_key, k.master_version, m.sealed_agent_id{columns}
             FROM legacy_ids l
             JOIN user_keys k ON k.user_id = l.user_id
             JOIN user_agent_mappings m ON m.user_id = l.user_id{joins}
             WHERE l.old_id > $1 ORDER BY l.old_id LIMIT $2"
        )
    }

    fn writes(&self, mover: &Mover, rows: &[Row], _known: &Known) -> Result<Vec<Write>, MoveError> {
        let mut users = Vec::new();
        for row in rows {
            let key = row.bytes(2).unwrap_or_default();
            let person = unlock(mover, row, (1, key, row.int(3), 4))?;
            let mut user: Vec<Value> = vec![row.key().into()];
            for (column, (_, field)) in (5..).zip(FIELDS) {
                let text = match row.bytes(column) {
                    None => None,
                    Some(sealed) => {
                        let sealed = spots_privacy::SealedField::from_stored(sealed.to_vec());
                        let text = person
                            .open(field, &sealed)
                            .map_err(|cause| seal_failed("personal data", row.key(), &cause))?;
                        Some(text.disclose().to_owned())
                    }
                };
                user.push(text.into());
            }
            users.push(user);
        }
        Ok(vec![Write::Insert(&USERS, users)])
    }
}

/// Profiles by user again.
pub(super) struct Profiles;

impl Move for Profiles {
    fn count(&self) -> String {
        "SELECT count(*) FROM agent_profiles".to_owned()
    }

    fn select(&self, _dialect: Dialect) -> String {
        "SELECT g.old_id, o.profile FROM legacy_agents g
         JOIN agent_profiles o ON o.agent_id = g.agent_id
         WHERE g.old_id > $1 ORDER BY g.old_id LIMIT $2"
            .to_owned()
    }

    fn tokens(&self, row: &Row) -> Vec<String> {
        let agents = quoted(row.text(1)).filter(|text| is_agent(text));
        agents.map(str::to_owned).collect()
    }

    fn lookup(&self) -> &'static str {
        OLD_OF_AGENT
    }

    fn writes(&self, _mover: &Mover, rows: &[Row], known: &Known) -> Result<Vec<Write>, MoveError> {
        let profiles = rows.iter().map(|row| {
            let text = replaced(row.text(1), |token| known.get(token).cloned());
            vec![row.key().into(), text.into()]
        });
        Ok(vec![Write::Insert(&PROFILES, profiles.collect())])
    }
}

const OLD_OF_AGENT: &str = "SELECT agent_id, old_id FROM legacy_agents WHERE agent_id";

fn is_agent(text: &str) -> bool {
    text.starts_with(spots_privacy::identity::AGENT_PREFIX)
}

/// Events with their lists of attendees again, from the bookings that stand.
pub(super) struct Events(pub(super) Kind);

impl Move for Events {
    fn count(&self) -> String {
        format!(
            "SELECT count(*) FROM legacy_events WHERE source = '{}'",
            self.0.source()
        )
    }

    fn select(&self, dialect: Dialect) -> String {
        let standing = "FROM reservations r JOIN legacy_agents g ON g.agent_id = r.agent_id
             WHERE r.host_id = x.host_id AND r.event_id = x.event_id
               AND r.cancelled_at_ns IS NULL";
        let order = "r.position IS NULL, r.position, r.booked_stamp";
        let list = match dialect {
            Dialect::Postgres => format!(
                "(SELECT json_agg(json_build_array(g.old_id, r.party) ORDER BY {order})::text
                  {standing})"
            ),
            Dialect::Sqlite => format!(
                "(SELECT json_group_array(json_array(b.old_id, b.party)) FROM (
                     SELECT g.old_id, r.party {standing} ORDER BY {order}) b)"
            ),
        };
        format!(
            "SELECT x.old_id, x.list_form, x.list_text, h.old_id, e.title, s.starts_at, s.ends_at,
                    {list}
             FROM legacy_events x
             JOIN events e ON e.host_id = x.host_id AND e.event_id = x.event_id
             JOIN event_slots s ON s.host_id = x.host_id AND s.event_id = x.event_id
             JOIN host_members m ON m.host_id = x.host_id
             JOIN legacy_ids h ON h.user_id = m.user_id
             WHERE x.source = '{}' AND x.old_id > $1 ORDER BY x.old_id LIMIT $2",
            self.0.source()
        )
    }

    fn weight(&self) -> u32 {
        20
    }

    fn tokens(&self, row: &Row) -> Vec<String> {
        quoted(row.text(2)).map(str::to_owned).collect()
    }

    fn lookup(&self) -> &'static str {
        OLD_OF_AGENT
    }

    fn writes(&self, _mover: &Mover, rows: &[Row], known: &Known) -> Result<Vec<Write>, MoveError> {
        let table = match self.0 {
            Kind::Expert => &EXPERT,
            Kind::Community => &COMMUNITY,
        };
        let mut events = Vec::new();
        for row in rows {
            events.push(vec![
                row.key().into(),
                row.text(3).into(),
                row.text(4).into(),
                row.int(5).into(),
                row.int(6).into(),
                list(row, known)?.into(),
            ]);
        }
        Ok(vec![Write::Insert(table, events)])
    }
}

/// The list as it was written, or, where bookings changed since, as they stand.
fn list(row: &Row, known: &Known) -> Result<String, MoveError> {
    let standing: Vec<(String, usize)> = match row.optional(7) {
        None => Vec::new(),
        Some(text) => serde_json::from_str(text).or(Err(MoveError::Row("reservations")))?,
    };
    let list: Vec<_> = standing
        .iter()
        .flat_map(|(old, party)| std::iter::repeat_n(old.clone(), *party))
        .collect();
    if let Some(kept) = row.optional(2) {
        let text = replaced(kept, |agent| known.get(agent).cloned());
        if counted(quoted(&text)) == counted(list.iter().map(String::as_str)) {
            return Ok(text);
        }
    }
    let form = if row.text(1) == Form::Spaced.as_str() {
        Form::Spaced
    } else {
        Form::Compact
    };
    Ok(form.write(&list))
}

fn counted<'a>(ids: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counted = BTreeMap::new();
    for id in ids {
        *counted.entry(id).or_insert(0) += 1;
    }
    counted
}
