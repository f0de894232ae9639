-- One row. Every id that the move gives is a keyed hash of this salt and the old id, so that a
-- repeated step gives the same; the key is outside the database.
CREATE TABLE legacy_upgrade (
    one INTEGER NOT NULL,
    salt TEXT NOT NULL,
    PRIMARY KEY (one),
    CHECK (one = 1)
);
INSERT INTO legacy_upgrade (one, salt)
VALUES (1, replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''));

-- The account that an old user id became; also of ids in lists that no user row holds. source: the
-- table that named it first.
CREATE TABLE legacy_ids (
    old_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (old_id)
);
CREATE UNIQUE INDEX legacy_ids_user ON legacy_ids (user_id);

-- bcrypt hashes of the old sign-in, where there are any.
CREATE TABLE legacy_passwords (
    old_id TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    PRIMARY KEY (old_id)
);

-- Append-only for the old application, so that no note is swallowed by one that is being read.
CREATE TABLE legacy_changes (
    seq BIGINT GENERATED ALWAYS AS IDENTITY,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (seq)
);

CREATE FUNCTION legacy_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO legacy_changes (source, id)
        VALUES (TG_ARGV[1], to_jsonb(NEW) ->> TG_ARGV[0]);
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO legacy_changes (source, id)
        VALUES (TG_ARGV[1], to_jsonb(OLD) ->> TG_ARGV[0]);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER legacy_users_note AFTER INSERT OR UPDATE OR DELETE ON users
FOR EACH ROW EXECUTE FUNCTION legacy_note('id', 'users');
CREATE TRIGGER legacy_profiles_note AFTER INSERT OR UPDATE OR DELETE ON personality_profiles
FOR EACH ROW EXECUTE FUNCTION legacy_note('user_id', 'personality_profiles');
CREATE TRIGGER legacy_expertise_note AFTER INSERT OR UPDATE OR DELETE ON expertise_events
FOR EACH ROW EXECUTE FUNCTION legacy_note('id', 'expertise_events');
CREATE TRIGGER legacy_community_note AFTER INSERT OR UPDATE OR DELETE ON community_events
FOR EACH ROW EXECUTE FUNCTION legacy_note('id', 'community_events');
