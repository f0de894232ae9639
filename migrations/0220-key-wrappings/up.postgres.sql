-- What wraps a key stands in master_version and, for an epoch, in the first five bytes of
-- wrapped_key: 02 and the epoch, big-endian. Lesser bytes are an earlier epoch or none.
CREATE INDEX share_keys_epoch ON share_keys (substr(wrapped_key, 1, 5));
CREATE INDEX user_keys_version ON user_keys (master_version);
CREATE INDEX user_keys_epoch ON user_keys (substr(wrapped_key, 1, 5));

-- At most one row: nothing is wrapped below it, and from its commit on nothing can be. It is the
-- proof with which a rotation ends; keys below it may be destroyed.
CREATE TABLE wrapping_floor (
    only_row INTEGER NOT NULL,
    master_version INTEGER NOT NULL,
    prefix BYTEA NOT NULL,
    proved_at_ns BIGINT NOT NULL,
    PRIMARY KEY (only_row),
    CHECK (only_row = 1)
);

CREATE FUNCTION refuse_retired_wrapping() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM wrapping_floor f
               WHERE NEW.master_version < f.master_version
                  OR substr(NEW.wrapped_key, 1, 5) < f.prefix) THEN
        RAISE EXCEPTION 'the key is wrapped by a key that is retired';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER share_keys_floor BEFORE INSERT OR UPDATE ON share_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_retired_wrapping();
CREATE TRIGGER user_keys_floor BEFORE INSERT OR UPDATE ON user_keys
    FOR EACH ROW EXECUTE FUNCTION refuse_retired_wrapping();

-- What wrapped a key that was destroyed, and when the last copy of it became unreadable: purged_at_ns.
-- swept: the deletion was committed before the purge that is under way began.
CREATE TABLE destroyed_keys (
    host_id TEXT NOT NULL,
    share_id TEXT NOT NULL,
    field TEXT NOT NULL,
    master_version INTEGER NOT NULL,
    prefix BYTEA NOT NULL,
    swept INTEGER NOT NULL,
    purged_at_ns BIGINT,
    PRIMARY KEY (host_id, share_id, field)
);
CREATE INDEX destroyed_keys_waiting ON destroyed_keys (prefix) WHERE purged_at_ns IS NULL;

CREATE FUNCTION note_destroyed_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO destroyed_keys (host_id, share_id, field, master_version, prefix, swept)
    VALUES (OLD.host_id, OLD.share_id, OLD.field, OLD.master_version,
            substr(OLD.wrapped_key, 1, 5), 0);
    RETURN NULL;
END
$$;
CREATE TRIGGER share_keys_destroyed AFTER DELETE ON share_keys
    FOR EACH ROW EXECUTE FUNCTION note_destroyed_key();
