-- The old tables as the baseline makes them, under the names that they have while set aside.
CREATE TABLE legacy_users (
    id TEXT NOT NULL,
    email TEXT,
    display_name TEXT,
    phone_number TEXT,
    birthday TEXT,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_email ON legacy_users (email);

CREATE TABLE legacy_personality_profiles (
    user_id TEXT NOT NULL,
    profile TEXT NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE legacy_expertise_events (
    id TEXT NOT NULL,
    host_user_id TEXT NOT NULL,
    title TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    attendee_ids TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

CREATE TABLE legacy_community_events (
    id TEXT NOT NULL,
    host_user_id TEXT NOT NULL,
    title TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    attendee_ids TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
