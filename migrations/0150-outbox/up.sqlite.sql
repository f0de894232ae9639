-- outcome: the ids that the first request produced, never a body.
CREATE TABLE idempotency_keys (
    actor TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    digest BLOB NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (actor, idempotency_key)
) STRICT, WITHOUT ROWID;

-- Messages to deliver: ids only, rendered when they go out. recipient: 'host', or 'attendee' with
-- the agent. due_at_ns keeps messages to several hosts apart in time.
CREATE TABLE outbox (
    host_id TEXT NOT NULL,
    stamp BLOB NOT NULL,
    recipient TEXT NOT NULL,
    kind TEXT NOT NULL,
    booking_id TEXT NOT NULL,
    agent_id TEXT,
    due_at_ns INTEGER NOT NULL,
    delivered_at_ns INTEGER,
    PRIMARY KEY (host_id, stamp, booking_id, recipient)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (due_at_ns);
