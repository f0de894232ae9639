-- A guest is an agent as one host knows them: a random handle, another at every host.
CREATE TABLE guests (
    host_id TEXT NOT NULL,
    guest_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (host_id, guest_id)
);
CREATE UNIQUE INDEX guests_agent ON guests (host_id, agent_id);
CREATE UNIQUE INDEX guests_code ON guests (host_id, code);

-- The check is the last wall against selling a place twice.
CREATE TABLE capacity_pools (
    host_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    pool TEXT NOT NULL,
    capacity INTEGER,
    taken INTEGER NOT NULL,
    next_position BIGINT NOT NULL,
    PRIMARY KEY (host_id, event_id, starts_at, pool),
    CHECK (taken >= 0),
    CHECK (capacity IS NULL OR taken <= capacity)
);

-- Times of slots in seconds; moments (…_ns) in nanoseconds since the Unix epoch with their error
-- bound (null: unknown) and the stamp that orders them.
CREATE TABLE reservations (
    host_id TEXT NOT NULL,
    booking_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    agent_id TEXT NOT NULL,
    guest_id TEXT NOT NULL,
    party INTEGER NOT NULL,
    position BIGINT,
    booked_at_ns BIGINT NOT NULL,
    booked_bound_ns BIGINT,
    booked_stamp BYTEA NOT NULL,
    cancelled_at_ns BIGINT,
    PRIMARY KEY (host_id, booking_id)
);
CREATE INDEX reservations_event ON reservations (host_id, event_id, starts_at);

-- A person's own bookings, wherever they are; written in the same transaction.
CREATE TABLE agent_bookings (
    agent_id TEXT NOT NULL,
    booked_stamp BYTEA NOT NULL,
    host_id TEXT NOT NULL,
    booking_id TEXT NOT NULL,
    PRIMARY KEY (agent_id, booked_stamp)
);
CREATE INDEX agent_bookings_booking ON agent_bookings (agent_id, booking_id);
