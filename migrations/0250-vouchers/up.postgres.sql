-- The address that a person asked to confirm, as its keyed hash. token_hash: of the link that was sent;
-- null once it was used.
CREATE TABLE email_confirmations (
    user_id TEXT NOT NULL,
    address_lookup BYTEA NOT NULL,
    token_hash BYTEA,
    sent_at_ns BIGINT NOT NULL,
    confirmed_at_ns BIGINT,
    PRIMARY KEY (user_id)
);

-- A host's own list of members: keyed hashes of what the host entered, apart for each host.
CREATE TABLE member_list_entries (
    host_id TEXT NOT NULL,
    entry_hash BYTEA NOT NULL,
    PRIMARY KEY (host_id, entry_hash)
);
