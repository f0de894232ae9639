-- outcome: the ids that the first request produced, never a body.
CREATE TABLE idempotency_keys (
    actor TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    digest BYTEA NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (actor, idempotency_key)
);

-- Messages to deliver: ids only, rendered when they go out. recipient: 'host', or 'attendee' with
-- the agent. due_at_ns keeps messages to several hosts apart in time.
CREATE TABLE outbox (
    host_id TEXT NOT NULL,
    stamp BYTEA NOT NULL,
    recipient TEXT NOT NULL,
    kind TEXT NOT NULL,
    booking_id TEXT NOT NULL,
    agent_id TEXT,
    due_at_ns BIGINT NOT NULL,
    delivered_at_ns BIGINT,
    PRIMARY KEY (host_id, stamp, booking_id, recipient)
);
CREATE INDEX outbox_due ON outbox (due_at_ns);
