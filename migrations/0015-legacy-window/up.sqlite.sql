-- One row. Every id that the move gives is a keyed hash of this salt and the old id, so that a
-- repeated step gives the same; the key is outside the database.
CREATE TABLE legacy_upgrade (
    one INTEGER NOT NULL,
    salt TEXT NOT NULL,
    PRIMARY KEY (one),
    CHECK (one = 1)
) STRICT, WITHOUT ROWID;
INSERT INTO legacy_upgrade (one, salt) VALUES (1, lower(hex(randomblob(32))));

-- The account that an old user id became; also of ids in lists that no user row holds. source: the
-- table that named it first.
CREATE TABLE legacy_ids (
    old_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (old_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX legacy_ids_user ON legacy_ids (user_id);

-- bcrypt hashes of the old sign-in, where there are any.
CREATE TABLE legacy_passwords (
    old_id TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    PRIMARY KEY (old_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE legacy_changes (
    seq INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT NOT NULL
) STRICT;

CREATE TRIGGER legacy_users_note_insert AFTER INSERT ON users BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('users', NEW.id);
END;
CREATE TRIGGER legacy_users_note_update AFTER UPDATE ON users BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('users', NEW.id), ('users', OLD.id);
END;
CREATE TRIGGER legacy_users_note_delete AFTER DELETE ON users BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('users', OLD.id);
END;
CREATE TRIGGER legacy_profiles_note_insert AFTER INSERT ON personality_profiles BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('personality_profiles', NEW.user_id);
END;
CREATE TRIGGER legacy_profiles_note_update AFTER UPDATE ON personality_profiles BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('personality_profiles', NEW.user_id), ('personality_profiles', OLD.user_id);
END;
CREATE TRIGGER legacy_profiles_note_delete AFTER DELETE ON personality_profiles BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('personality_profiles', OLD.user_id);
END;
CREATE TRIGGER legacy_expertise_note_insert AFTER INSERT ON expertise_events BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('expertise_events', NEW.id);
END;
CREATE TRIGGER legacy_expertise_note_update AFTER UPDATE ON expertise_events BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('expertise_events', NEW.id), ('expertise_events', OLD.id);
END;
CREATE TRIGGER legacy_expertise_note_delete AFTER DELETE ON expertise_events BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('expertise_events', OLD.id);
END;
CREATE TRIGGER legacy_community_note_insert AFTER INSERT ON community_events BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('community_events', NEW.id);
END;
CREATE TRIGGER legacy_community_note_update AFTER UPDATE ON community_events BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('community_events', NEW.id), ('community_events', OLD.id);
END;
CREATE TRIGGER legacy_community_note_delete AFTER DELETE ON community_events BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('community_events', OLD.id);
END;
