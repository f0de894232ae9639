//! The tables of people, hosts and events, column by column.

use super::Data::{Hash, Key, Personal, Pseudonym, Public, Sealed, Technical};
use super::Export::{At, Not};
use super::{Column, Table};

/// In the order in which the migrations make them.
#[rustfmt::skip]
pub(super) const EARLY: &[Table] = &[
    Table {
        name: "users",
        holds: "accounts",
        readers: "the platform, the person",
        kept: "until the account is deleted",
        columns: &[
            Column("id", Pseudonym, At("userId")),
        ],
    },
    Table {
        name: "legacy_upgrade",
        holds: "the upgrade of an old database",
        readers: "the platform",
        kept: "as long as it may go back",
        columns: &[
            Column("one", Technical, Not("of the upgrade, not of a person")),
            Column("salt", Key, Not("of the upgrade, not of a person")),
        ],
    },
    Table {
        name: "legacy_ids",
        holds: "which account an old user id became",
        readers: "the platform",
        kept: "until the account is deleted",
        columns: &[
            Column("old_id", Pseudonym, Not("the account's id in the database before")),
            Column("user_id", Pseudonym, At("userId")),
            Column("source", Technical, Not("of the upgrade, not of a person")),
        ],
    },
    Table {
        name: "legacy_passwords",
        holds: "hashes of an old sign-in",
        readers: "the platform",
        kept: "until the upgrade is through",
        columns: &[
            Column("old_id", Pseudonym, Not("empty once the upgrade is through")),
            Column("password_hash", Hash, Not("empty once the upgrade is through")),
        ],
    },
    Table {
        name: "legacy_changes",
        holds: "what an old application wrote while its data moved",
        readers: "the platform",
        kept: "until the upgrade is through",
        columns: &[
            Column("seq", Technical, Not("empty once the upgrade is through")),
            Column("source", Technical, Not("empty once the upgrade is through")),
            Column("id", Pseudonym, Not("empty once the upgrade is through")),
        ],
    },
    Table {
        name: "legacy_events",
        holds: "which event an old event became",
        readers: "the platform",
        kept: "as long as the upgrade may go back",
        columns: &[
            Column("source", Technical, At("held.oldEvents")),
            Column("old_id", Public, At("held.oldEvents")),
            Column("host_id", Public, Not("of the upgrade, not of a person")),
            Column("event_id", Public, Not("of the upgrade, not of a person")),
            Column("list_form", Technical, Not("of the upgrade, not of a person")),
            Column("list_text", Pseudonym, Not("names other people too; the bookings themselves are exported")),
        ],
    },
    Table {
        name: "legacy_agents",
        holds: "agents by old user id; empty but on the way back",
        readers: "the platform",
        kept: "while an old database is written again",
        columns: &[
            Column("agent_id", Pseudonym, Not("empty but on the way back")),
            Column("old_id", Pseudonym, Not("empty but on the way back")),
        ],
    },
    Table {
        name: "agents",
        holds: "people as SPOTS tracks them",
        readers: "the platform",
        kept: "until the account is deleted",
        columns: &[
            Column("agent_id", Pseudonym, At("agentId")),
        ],
    },
    Table {
        name: "user_keys",
        holds: "one wrapped key a person",
        readers: "the platform",
        kept: "until the account is deleted",
        columns: &[
            Column("user_id", Pseudonym, At("userId")),
            Column("wrapped_key", Key, Not("a key, useless outside the platform")),
            Column("master_version", Technical, Not("of the key")),
        ],
    },
    Table {
        name: "user_agent_mappings",
        holds: "which account is which agent",
        readers: "the platform",
        kept: "until the account is deleted",
        columns: &[
            Column("user_id", Pseudonym, At("userId")),
            Column("sealed_agent_id", Sealed, At("agentId")),
            Column("agent_lookup", Hash, Not("a keyed hash of the agent id")),
        ],
    },
    Table {
        name: "agent_profiles",
        holds: "texts about an agent",
        readers: "the platform, the person",
        kept: "until the account is deleted",
        columns: &[
            Column("agent_id", Pseudonym, At("agentId")),
            Column("profile", Personal, At("held.profiles")),
        ],
    },
    Table {
        name: "anonymous_users",
        holds: "what the AI2AI network may know of an agent",
        readers: "the platform, the person",
        kept: "until the account is deleted",
        columns: &[
            Column("agent_id", Pseudonym, At("agentId")),
            Column("traits", Personal, At("held.profiles")),
        ],
    },
    Table {
        name: "user_profiles",
        holds: "the person's own profile",
        readers: "the platform, the person",
        kept: "until the account is deleted",
        columns: &[
            Column("user_id", Pseudonym, At("userId")),
            Column("field", Technical, At("profile")),
            Column("sealed", Sealed, At("profile")),
        ],
    },
    Table {
        name: "user_credentials",
        holds: "what sign-in compares with",
        readers: "the platform",
        kept: "until the account is deleted",
        columns: &[
            Column("user_id", Pseudonym, At("userId")),
            Column("email_lookup", Hash, Not("a keyed hash; the address itself is in the profile")),
            Column("password_hash", Hash, Not("would help whoever guesses passwords")),
        ],
    },
    Table {
        name: "sessions",
        holds: "who is signed in",
        readers: "the platform, the person",
        kept: "30 days, or until signed out",
        columns: &[
            Column("user_id", Pseudonym, At("userId")),
            Column("token_hash", Hash, Not("the hash of a secret")),
            Column("expires_at", Technical, At("held.sessions")),
        ],
    },
    Table {
        name: "sharing_defaults",
        holds: "what the person shares by default",
        readers: "the platform, the person",
        kept: "until the account is deleted",
        columns: &[
            Column("user_id", Pseudonym, At("userId")),
            Column("scope", Personal, At("sharingDefaults")),
            Column("fields", Personal, At("sharingDefaults")),
        ],
    },
    Table {
        name: "hosts",
        holds: "who offers something",
        readers: "everyone",
        kept: "as long as the host",
        columns: &[
            Column("host_id", Public, At("hosts")),
            Column("kind", Public, At("hosts")),
            Column("name", Public, At("hosts")),
        ],
    },
    Table {
        name: "host_members",
        holds: "who acts for a host",
        readers: "the platform, the host",
        kept: "until the account is deleted",
        columns: &[
            Column("host_id", Public, At("hosts")),
            Column("user_id", Pseudonym, At("userId")),
        ],
    },
    Table {
        name: "requirements",
        holds: "what hosts ask",
        readers: "everyone",
        kept: "for ever: consents point at them",
        columns: &[
            Column("host_id", Public, Not("the host's words, public")),
            Column("event_type", Public, Not("the host's words, public")),
            Column("version", Public, Not("the host's words, public")),
            Column("hash", Public, Not("the host's words, public")),
            Column("body", Public, Not("the host's words, public")),
        ],
    },
    Table {
        name: "events",
        holds: "what is offered",
        readers: "everyone",
        kept: "as long as the event",
        columns: &[
            Column("host_id", Public, Not("the host's offer, public; its title stands beside each booking")),
            Column("event_id", Public, Not("the host's offer, public; its title stands beside each booking")),
            Column("event_type", Public, Not("the host's offer, public; its title stands beside each booking")),
            Column("title", Public, Not("the host's offer, public; its title stands beside each booking")),
            Column("description", Public, Not("the host's offer, public; its title stands beside each booking")),
            Column("place", Public, Not("the host's offer, public; its title stands beside each booking")),
            Column("time_zone", Public, Not("the host's offer, public; its title stands beside each booking")),
            Column("schedule", Public, Not("the host's offer, public; its title stands beside each booking")),
            Column("capacity", Public, Not("the host's offer, public; its title stands beside each booking")),
            Column("party_max", Public, Not("the host's offer, public; its title stands beside each booking")),
            Column("called_off", Public, Not("the host's offer, public; its title stands beside each booking")),
            Column("last_end", Public, Not("the host's offer, public; its title stands beside each booking")),
            Column("source_uid", Public, Not("the host's offer, public; its title stands beside each booking")),
        ],
    },
    Table {
        name: "event_slots",
        holds: "times of events",
        readers: "everyone",
        kept: "as long as the event",
        columns: &[
            Column("host_id", Public, Not("the host's offer, public")),
            Column("event_id", Public, Not("the host's offer, public")),
            Column("starts_at", Public, Not("the host's offer, public")),
            Column("ends_at", Public, Not("the host's offer, public")),
        ],
    },
    Table {
        name: "guests",
        holds: "how a host names a guest",
        readers: "the platform, the host (handle and code alone)",
        kept: "as long as the event, under the guest handle once the account is deleted",
        columns: &[
            Column("host_id", Public, At("held.guests")),
            Column("guest_id", Pseudonym, At("held.guests")),
            Column("agent_id", Pseudonym, At("agentId")),
            Column("code", Pseudonym, At("held.guests")),
        ],
    },
];
