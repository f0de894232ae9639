-- The old tables as the baseline makes them, under the names that they have while set aside.
CREATE TABLE legacy_users (
    id TEXT NOT NULL,
    email TEXT,
    display_name TEXT,
    phone_number TEXT,
    birthday TEXT,
    CONSTRAINT users_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX users_email ON legacy_users (email);

CREATE TABLE legacy_personality_profiles (
    user_id TEXT NOT NULL,
    profile TEXT NOT NULL,
    CONSTRAINT personality_profiles_pkey PRIMARY KEY (user_id)
);

CREATE TABLE legacy_expertise_events (
    id TEXT NOT NULL,
    host_user_id TEXT NOT NULL,
    title TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    attendee_ids TEXT NOT NULL,
    CONSTRAINT expertise_events_pkey PRIMARY KEY (id)
);

CREATE TABLE legacy_community_events (
    id TEXT NOT NULL,
    host_user_id TEXT NOT NULL,
    title TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    attendee_ids TEXT NOT NULL,
    CONSTRAINT community_events_pkey PRIMARY KEY (id)
);
