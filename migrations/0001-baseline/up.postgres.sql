-- What an old SPOTS database holds: people by user id, and events that list their attendees' user ids.
-- A fresh installation starts here too, so that both walk the same path.
CREATE TABLE users (
    id TEXT NOT NULL,
    email TEXT,
    display_name TEXT,
    phone_number TEXT,
    birthday TEXT,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE personality_profiles (
    user_id TEXT NOT NULL,
    profile TEXT NOT NULL,
    PRIMARY KEY (user_id)
);

-- attendee_ids: a JSON list of user ids.
CREATE TABLE expertise_events (
    id TEXT NOT NULL,
    host_user_id TEXT NOT NULL,
    title TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    attendee_ids TEXT NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE community_events (
    id TEXT NOT NULL,
    host_user_id TEXT NOT NULL,
    title TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    attendee_ids TEXT NOT NULL,
    PRIMARY KEY (id)
);
