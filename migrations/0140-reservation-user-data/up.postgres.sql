-- A share: one EventUserData given to one host for one booking, with what the person saw.
CREATE TABLE reservation_user_data (
    host_id TEXT NOT NULL,
    share_id TEXT NOT NULL,
    booking_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    requirements_version INTEGER NOT NULL,
    requirements_hash BYTEA NOT NULL,
    shared_at_ns BIGINT NOT NULL,
    shared_bound_ns BIGINT,
    shared_stamp BYTEA NOT NULL,
    PRIMARY KEY (host_id, share_id)
);
CREATE UNIQUE INDEX reservation_user_data_booking ON reservation_user_data (host_id, booking_id);

-- One sealed field of a share. It ends at expires_at_ns or when it is revoked.
CREATE TABLE reservation_user_data_fields (
    host_id TEXT NOT NULL,
    share_id TEXT NOT NULL,
    field TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    expires_at_ns BIGINT NOT NULL,
    revoked_at_ns BIGINT,
    revoked_stamp BYTEA,
    PRIMARY KEY (host_id, share_id, field)
);
CREATE INDEX reservation_user_data_fields_expiry ON reservation_user_data_fields (expires_at_ns);

-- The wrapped key of one field, apart, so that revoking destroys it alone. The salt of the
-- ledger's commitments goes with it.
CREATE TABLE share_keys (
    host_id TEXT NOT NULL,
    share_id TEXT NOT NULL,
    field TEXT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    master_version INTEGER NOT NULL,
    salt BYTEA NOT NULL,
    PRIMARY KEY (host_id, share_id, field)
);
CREATE INDEX share_keys_version ON share_keys (master_version);

-- Append-only: what was granted and revoked, as salted commitments.
CREATE TABLE ledger_entries (
    host_id TEXT NOT NULL,
    stamp BYTEA NOT NULL,
    share_id TEXT NOT NULL,
    field TEXT NOT NULL,
    kind TEXT NOT NULL,
    commitment BYTEA NOT NULL,
    PRIMARY KEY (host_id, share_id, field, stamp)
);

-- Every opening by a host. fields: a JSON list of names.
CREATE TABLE access_log (
    host_id TEXT NOT NULL,
    share_id TEXT NOT NULL,
    stamp BYTEA NOT NULL,
    opened_at_ns BIGINT NOT NULL,
    opened_bound_ns BIGINT,
    channel TEXT NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (host_id, share_id, stamp)
);
