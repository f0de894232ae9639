//! Events of the old database: hosts, events, and a booking of every attendee.

use std::collections::BTreeMap;

use super::Mover;
use super::ids::Ids;
use super::moves::{Dialect, Holds, Known, Move, MoveError, NewGuest, Row, Table, Value, Write};
use super::people::{USER_IDS, ids, latest};
use super::profiles::{noted, replaced};

/// So many rows of a batch is one event with its attendees.
const EVENT_WEIGHT: u32 = 20;
/// The largest party that moved events take, as for events of the new form.
const PARTY_MAX: i64 = 10;

static IDS: Table = USER_IDS;
static HOSTS: Table = Table {
    name: "hosts",
    columns: &[
        ("host_id", Holds::Text),
        ("kind", Holds::Text),
        ("name", Holds::Text),
    ],
    replaces: None,
};
static MEMBERS: Table = Table {
    name: "host_members",
    columns: &[("host_id", Holds::Text), ("user_id", Holds::Text)],
    replaces: None,
};
static EVENTS: Table = Table {
    name: "events",
    columns: &[
        ("host_id", Holds::Text),
        ("event_id", Holds::Text),
        ("event_type", Holds::Text),
        ("title", Holds::Text),
        ("description", Holds::Text),
        ("place", Holds::Text),
        ("time_zone", Holds::Text),
        ("schedule", Holds::Text),
        ("party_max", Holds::Int),
        ("called_off", Holds::Int),
        ("last_end", Holds::Int),
    ],
    replaces: None,
};
static SLOTS: Table = Table {
    name: "event_slots",
    columns: &[
        ("host_id", Holds::Text),
        ("event_id", Holds::Text),
        ("starts_at", Holds::Int),
        ("ends_at", Holds::Int),
    ],
    replaces: None,
};
static POOLS: Table = Table {
    name: "capacity_pools",
    columns: &[
        ("host_id", Holds::Text),
        ("event_id", Holds::Text),
        ("starts_at", Holds::Int),
        ("pool", Holds::Text),
        ("taken", Holds::Int),
        ("next_position", Holds::Int),
    ],
    replaces: None,
};
static RESERVATIONS: Table = Table {
    name: "reservations",
    columns: &[
        ("host_id", Holds::Text),
        ("booking_id", Holds::Text),
        ("event_id", Holds::Text),
        ("event_type", Holds::Text),
        ("starts_at", Holds::Int),
        ("ends_at", Holds::Int),
        ("agent_id", Holds::Text),
        ("guest_id", Holds::Text),
        ("party", Holds::Int),
        ("position", Holds::Int),
        ("booked_at_ns", Holds::Int),
        ("booked_stamp", Holds::Bytes),
    ],
    replaces: None,
};
static TICKETS: Table = Table {
    name: "reservation_tickets",
    columns: &[
        ("host_id", Holds::Text),
        ("booking_id", Holds::Text),
        ("line", Holds::Int),
        ("pool", Holds::Text),
        ("quantity", Holds::Int),
    ],
    replaces: None,
};
static AGENT_BOOKINGS: Table = Table {
    name: "agent_bookings",
    columns: &[
        ("agent_id", Holds::Text),
        ("booked_stamp", Holds::Bytes),
        ("host_id", Holds::Text),
        ("booking_id", Holds::Text),
    ],
    replaces: None,
};
static LEGACY_EVENTS: Table = Table {
    name: "legacy_events",
    columns: &[
        ("source", Holds::Text),
        ("old_id", Holds::Text),
        ("host_id", Holds::Text),
        ("event_id", Holds::Text),
        ("list_form", Holds::Text),
        ("list_text", Holds::Text),
    ],
    replaces: Some("source, old_id"),
};

/// The two kinds of events that the old database holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Expert,
    Community,
}

impl Kind {
    /// The old table.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Expert => "expertise_events",
            Self::Community => "community_events",
        }
    }

    fn event_type(self) -> &'static str {
        match self {
            Self::Expert => "expert_event",
            Self::Community => "community_event",
        }
    }

    fn host_kind(self) -> &'static str {
        match self {
            Self::Expert => "expert",
            Self::Community => "community",
        }
    }

    /// A host is public: it is called as its user was.
    pub(super) fn host_name(self, display_name: Option<&str>) -> &str {
        match (display_name.map(str::trim), self) {
            (Some(name), _) if !name.is_empty() => name,
            (_, Self::Expert) => "Expert",
            (_, Self::Community) => "Community",
        }
    }
}

/// How an old list was written, so that the way back writes it alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `["a","b"]`
    Compact,
    /// `["a", "b"]`
    Spaced,
    /// Any other way, or somebody stands in it twice.
    Kept,
}

impl Form {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Compact => "compact",
            Self::Spaced => "spaced",
            Self::Kept => "kept",
        }
    }

    /// The list as this form writes it.
    pub(super) fn write(self, list: &[String]) -> String {
        let quoted: Vec<_> = list.iter().map(|id| format!("\"{id}\"")).collect();
        let between = if self == Self::Spaced { ", " } else { "," };
        format!("[{}]", quoted.join(between))
    }
}

/// Reads a list of attendees: each with how often they stand in it, in order of first mention.
pub(super) fn read_list(event: &str, text: &str) -> Result<(Form, Vec<(String, i64)>), MoveError> {
    let refused = || MoveError::Attendees(event.to_owned());
    let list: Vec<String> = serde_json::from_str(text).map_err(|_cause| refused())?;
    if text.contains('\\')
        || list
            .iter()
            .any(|id| id.is_empty() || id.contains(['"', '\n']))
    {
        return Err(refused());
    }
    let mut times = BTreeMap::new();
    for id in &list {
        *times.entry(id.as_str()).or_insert(0_i64) += 1;
    }
    let form = [Form::Compact, Form::Spaced]
        .into_iter()
        .find(|form| form.write(&list) == text && times.len() == list.len());
    let mut attendees = Vec::new();
    for id in &list {
        if let Some(often) = times.remove(id.as_str()) {
            attendees.push((id.clone(), often));
        }
    }
    Ok((form.unwrap_or(Form::Kept), attendees))
}

/// Old events become events, their attendees bookings.
pub(super) struct EventsUp(pub(super) Kind);

const COLUMNS: &str = "p.salt, e.host_user_id, e.title, e.starts_at, e.ends_at,
        e.attendee_ids, u.display_name";

impl Move for EventsUp {
    fn count(&self) -> String {
        format!("SELECT count(*) FROM {}", self.0.source())
    }

    fn select(&self, _dialect: Dialect) -> String {
        format!(
            "SELECT e.id, {COLUMNS} FROM {} e CROSS JOIN legacy_upgrade p
             LEFT JOIN users u ON u.id = e.host_user_id
             WHERE e.id > $1 ORDER BY e.id LIMIT $2",
            self.0.source()
        )
    }

    fn weight(&self) -> u32 {
        EVENT_WEIGHT
    }

    fn writes(&self, mover: &Mover, rows: &[Row], _known: &Known) -> Result<Vec<Write>, MoveError> {
        let mut becoming = Becoming::default();
        for row in rows {
            becoming.add(mover, self.0, row)?;
        }
        Ok(becoming.writes())
    }
}

/// What the old application wrote of events after they were moved.
pub(super) struct EventsAgain(pub(super) Kind);

/// Takes away what an old event, named by source and id, became.
const FORGET: &[&str] = &[
    "DELETE FROM agent_bookings WHERE (agent_id, booking_id) IN (
        SELECT r.agent_id, r.booking_id FROM reservations r
        JOIN legacy_events e ON e.host_id = r.host_id AND e.event_id = r.event_id
        WHERE e.source = $1 AND e.old_id = $2)",
    "DELETE FROM reservation_tickets WHERE (host_id, booking_id) IN (
        SELECT r.host_id, r.booking_id FROM reservations r
        JOIN legacy_events e ON e.host_id = r.host_id AND e.event_id = r.event_id
        WHERE e.source = $1 AND e.old_id = $2)",
    "DELETE FROM reservations WHERE (host_id, event_id) IN (
        SELECT host_id, event_id FROM legacy_events WHERE source = $1 AND old_id = $2)",
    "DELETE FROM capacity_pools WHERE (host_id, event_id) IN (
        SELECT host_id, event_id FROM legacy_events WHERE source = $1 AND old_id = $2)",
    "DELETE FROM event_slots WHERE (host_id, event_id) IN (
        SELECT host_id, event_id FROM legacy_events WHERE source = $1 AND old_id = $2)",
    "DELETE FROM events WHERE (host_id, event_id) IN (
        SELECT host_id, event_id FROM legacy_events WHERE source = $1 AND old_id = $2)",
    "DELETE FROM legacy_events WHERE source = $1 AND old_id = $2",
];

impl Move for EventsAgain {
    fn count(&self) -> String {
        format!(
            "SELECT count(*) FROM legacy_changes WHERE source = '{}'",
            self.0.source()
        )
    }

    fn select(&self, _dialect: Dialect) -> String {
        let source = self.0.source();
        format!(
            "SELECT c.id, {COLUMNS}, e.id, c.seq
             FROM legacy_changes c CROSS JOIN legacy_upgrade p
             LEFT JOIN legacy_{source} e ON e.id = c.id
             LEFT JOIN legacy_users u ON u.id = e.host_user_id
             WHERE c.source = '{source}' AND CAST($1 AS TEXT) IS NOT NULL
             ORDER BY c.seq LIMIT $2"
        )
    }

    fn weight(&self) -> u32 {
        EVENT_WEIGHT
    }

    fn writes(&self, mover: &Mover, rows: &[Row], _known: &Known) -> Result<Vec<Write>, MoveError> {
        let mut becoming = Becoming::default();
        let mut forget = Vec::new();
        for row in latest(rows) {
            forget.push(vec![self.0.source().into(), row.key().into()]);
            if row.optional(8).is_some() {
                becoming.add(mover, self.0, row)?;
            }
        }
        let mut writes: Vec<_> = FORGET
            .iter()
            .map(|statement| Write::Each(statement, forget.clone()))
            .collect();
        writes.extend(becoming.writes());
        writes.push(noted(rows, 9));
        Ok(writes)
    }
}

/// The rows that a batch of events becomes.
#[derive(Default)]
struct Becoming {
    ids: BTreeMap<String, Vec<Value>>,
    hosts: BTreeMap<String, Vec<Value>>,
    members: Vec<Vec<Value>>,
    events: Vec<Vec<Value>>,
    slots: Vec<Vec<Value>>,
    pools: Vec<Vec<Value>>,
    guests: BTreeMap<String, NewGuest>,
    reservations: Vec<Vec<Value>>,
    tickets: Vec<Vec<Value>>,
    agent_bookings: Vec<Vec<Value>>,
    legacy: Vec<Vec<Value>>,
}

/// An old event while its rows are made.
struct Old<'a> {
    ids: Ids<'a>,
    kind: Kind,
    id: &'a str,
    host: String,
    event: String,
    starts_at: i64,
    ends_at: i64,
    /// The second at which its bookings are taken to be made: nobody noted when.
    booked: i64,
}

impl Becoming {
    fn add(&mut self, mover: &Mover, kind: Kind, row: &Row) -> Result<(), MoveError> {
        let (ids, id) = (ids(mover, row), row.key());
        let source = kind.source();
        let host_user = row.text(2);
        let starts_at = row.int(4);
        let old = Old {
            ids,
            kind,
            id,
            host: ids.host(source, host_user).to_string(),
            event: ids.event(source, id).to_string(),
            starts_at,
            ends_at: row.int(5),
            booked: starts_at.min(mover.moved_at).max(0),
        };
        let (form, attendees) = read_list(id, row.text(6))?;
        self.stranger(ids, source, host_user);
        self.hosts.entry(old.host.clone()).or_insert_with(|| {
            let name = kind.host_name(row.optional(7));
            vec![
                old.host.clone().into(),
                kind.host_kind().into(),
                name.into(),
            ]
        });
        self.members.push(vec![
            old.host.clone().into(),
            ids.user(host_user).reveal().into(),
        ]);
        self.event(&old, row.text(3));
        let mut position = 0;
        for (attendee, party) in &attendees {
            self.stranger(ids, source, attendee);
            self.booking(&old, attendee, *party, position + 1)?;
            position += party;
        }
        self.pools.push(vec![
            old.host.clone().into(),
            old.event.clone().into(),
            starts_at.into(),
            crate::rows::POOL.into(),
            position.into(),
            (position + 1).into(),
        ]);
        let kept = (form == Form::Kept)
            .then(|| replaced(row.text(6), |attendee| Some(ids.agent(attendee).reveal())));
        self.legacy.push(vec![
            source.into(),
            id.into(),
            old.host.into(),
            old.event.into(),
            form.as_str().into(),
            kept.into(),
        ]);
        Ok(())
    }

    /// Notes an id of which there may be no user row.
    fn stranger(&mut self, ids: Ids<'_>, source: &str, old: &str) {
        if !self.ids.contains_key(old) {
            let row = vec![old.into(), ids.user(old).reveal().into(), source.into()];
            self.ids.insert(old.to_owned(), row);
        }
    }

    fn event(&mut self, old: &Old<'_>, title: &str) {
        let key = || [old.host.clone().into(), old.event.clone().into()];
        let mut event: Vec<Value> = key().into();
        event.extend([
            old.kind.event_type().into(),
            title.into(),
            "".into(),
            "".into(),
            "UTC".into(),
            crate::rows::OCCURRENCES.into(),
            PARTY_MAX.into(),
            0.into(),
            old.ends_at.into(),
        ]);
        self.events.push(event);
        let mut slot: Vec<Value> = key().into();
        slot.extend([old.starts_at.into(), old.ends_at.into()]);
        self.slots.push(slot);
    }

    fn booking(
        &mut self,
        old: &Old<'_>,
        attendee: &str,
        party: i64,
        position: i64,
    ) -> Result<(), MoveError> {
        let ids = old.ids;
        let agent = ids.agent(attendee).reveal();
        let guest = ids.guest(&old.host, attendee).to_string();
        let booking = ids.booking(old.kind.source(), old.id, attendee).to_string();
        let (at, stamp) = ids
            .stamp(old.booked, &booking)
            .ok_or_else(|| MoveError::Time(old.id.to_owned()))?;
        if !self.guests.contains_key(&guest) {
            let new = NewGuest {
                host: old.host.clone(),
                guest: guest.clone(),
                agent: agent.clone(),
                codes: ids.codes(&old.host, attendee),
            };
            self.guests.insert(guest.clone(), new);
        }
        self.tickets.push(vec![
            old.host.clone().into(),
            booking.clone().into(),
            1.into(),
            crate::rows::POOL.into(),
            party.into(),
        ]);
        self.agent_bookings.push(vec![
            agent.clone().into(),
            stamp.to_vec().into(),
            old.host.clone().into(),
            booking.clone().into(),
        ]);
        self.reservations.push(vec![
            old.host.clone().into(),
            booking.into(),
            old.event.clone().into(),
            old.kind.event_type().into(),
            old.starts_at.into(),
            old.ends_at.into(),
            agent.into(),
            guest.into(),
            party.into(),
            position.into(),
            at.into(),
            stamp.to_vec().into(),
        ]);
        Ok(())
    }

    fn writes(self) -> Vec<Write> {
        vec![
            Write::Insert(&IDS, self.ids.into_values().collect()),
            Write::Insert(&HOSTS, self.hosts.into_values().collect()),
            Write::Insert(&MEMBERS, self.members),
            Write::Insert(&EVENTS, self.events),
            Write::Insert(&SLOTS, self.slots),
            Write::Insert(&POOLS, self.pools),
            Write::Guests(self.guests.into_values().collect()),
            Write::Insert(&RESERVATIONS, self.reservations),
            Write::Insert(&TICKETS, self.tickets),
            Write::Insert(&AGENT_BOOKINGS, self.agent_bookings),
            Write::Insert(&LEGACY_EVENTS, self.legacy),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_with_its_form() {
        for (text, form, attendees) in [
            ("[]", Form::Compact, vec![]),
            (r#"["a","b"]"#, Form::Compact, vec![("a", 1), ("b", 1)]),
            (r#"["a", "b"]"#, Form::Spaced, vec![("a", 1), ("b", 1)]),
            (r#"["a","b","a"]"#, Form::Kept, vec![("a", 2), ("b", 1)]),
            (r#"[ "a" ]"#, Form::Kept, vec![("a", 1)]),
        ] {
            let read = read_list("event_1", text).unwrap();
            let wanted: Vec<_> = attendees
                .into_iter()
                .map(|(id, often): (&str, i64)| (id.to_owned(), often))
                .collect();
            assert_eq!(read, (form, wanted), "{text}");
        }
        for text in ["", "null", "[1]", r#"[""]"#, r#"{"a":1}"#, r#"["\u0061"]"#] {
            assert!(read_list("event_1", text).is_err(), "{text}");
        }
    }
}
