-- The host leads every key: it is what a large installation is spread by.
CREATE TABLE hosts (
    host_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (host_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE host_members (
    host_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    PRIMARY KEY (host_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX host_members_user ON host_members (user_id);

-- Immutable: a change is a new version. body: JSON; hash: SHA-256 of the canonical text.
CREATE TABLE requirements (
    host_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    version INTEGER NOT NULL,
    hash BLOB NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (host_id, event_type, version)
) STRICT, WITHOUT ROWID;

-- schedule: JSON. capacity: places per slot, null for no limit. last_end: seconds since the Unix
-- epoch, null for an event without end. source_uid: the UID of an imported calendar entry.
CREATE TABLE events (
    host_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    place TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    schedule TEXT NOT NULL,
    capacity INTEGER,
    party_max INTEGER NOT NULL,
    called_off INTEGER NOT NULL,
    last_end INTEGER,
    source_uid TEXT,
    PRIMARY KEY (host_id, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_event ON events (event_id);
CREATE UNIQUE INDEX events_source ON events (host_id, source_uid);

-- The times of an event that has a list of them, in seconds since the Unix epoch.
CREATE TABLE event_slots (
    host_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (host_id, event_id, starts_at)
) STRICT, WITHOUT ROWID;
