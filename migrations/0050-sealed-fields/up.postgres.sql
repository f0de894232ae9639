-- A field of a person's own profile, sealed under the user's key.
CREATE TABLE user_profiles (
    user_id TEXT NOT NULL,
    field TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (user_id, field)
);

-- The e-mail address is found by a keyed hash; the address itself is a sealed field.
CREATE TABLE user_credentials (
    user_id TEXT NOT NULL,
    email_lookup BYTEA NOT NULL,
    password_hash TEXT NOT NULL,
    PRIMARY KEY (user_id)
);
CREATE UNIQUE INDEX user_credentials_email ON user_credentials (email_lookup);

-- token_hash: SHA-256 of a token of 256 random bits.
CREATE TABLE sessions (
    user_id TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, token_hash)
);
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash);

-- scope: an event type, or a host id for what overrides it there. fields: a JSON list of names.
CREATE TABLE sharing_defaults (
    user_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (user_id, scope)
);
