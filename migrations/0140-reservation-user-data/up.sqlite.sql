-- A share: one EventUserData given to one host for one booking, with what the person saw.
CREATE TABLE reservation_user_data (
    host_id TEXT NOT NULL,
    share_id TEXT NOT NULL,
    booking_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    requirements_version INTEGER NOT NULL,
    requirements_hash BLOB NOT NULL,
    shared_at_ns INTEGER NOT NULL,
    shared_bound_ns INTEGER,
    shared_stamp BLOB NOT NULL,
    PRIMARY KEY (host_id, share_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX reservation_user_data_booking ON reservation_user_data (host_id, booking_id);

-- One sealed field of a share. It ends at expires_at_ns or when it is revoked.
CREATE TABLE reservation_user_data_fields (
    host_id TEXT NOT NULL,
    share_id TEXT NOT NULL,
    field TEXT NOT NULL,
    sealed BLOB NOT NULL,
    expires_at_ns INTEGER NOT NULL,
    revoked_at_ns INTEGER,
    revoked_stamp BLOB,
    PRIMARY KEY (host_id, share_id, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX reservation_user_data_fields_expiry ON reservation_user_data_fields (expires_at_ns);

-- The wrapped key of one field, apart, so that revoking destroys it alone. The salt of the
-- ledger's commitments goes with it.
CREATE TABLE share_keys (
    host_id TEXT NOT NULL,
    share_id TEXT NOT NULL,
    field TEXT NOT NULL,
    wrapped_key BLOB NOT NULL,
    master_version INTEGER NOT NULL,
    salt BLOB NOT NULL,
    PRIMARY KEY (host_id, share_id, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX share_keys_version ON share_keys (master_version);

-- Append-only: what was granted and revoked, as salted commitments.
CREATE TABLE ledger_entries (
    host_id TEXT NOT NULL,
    stamp BLOB NOT NULL,
    share_id TEXT NOT NULL,
    field TEXT NOT NULL,
    kind TEXT NOT NULL,
    commitment BLOB NOT NULL,
    PRIMARY KEY (host_id, share_id, field, stamp)
) STRICT, WITHOUT ROWID;

-- Every opening by a host. fields: a JSON list of names.
CREATE TABLE access_log (
    host_id TEXT NOT NULL,
    share_id TEXT NOT NULL,
    stamp BLOB NOT NULL,
    opened_at_ns INTEGER NOT NULL,
    opened_bound_ns INTEGER,
    channel TEXT NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (host_id, share_id, stamp)
) STRICT, WITHOUT ROWID;
