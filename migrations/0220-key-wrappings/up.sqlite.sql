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
    prefix BLOB NOT NULL,
    proved_at_ns INTEGER NOT NULL,
    PRIMARY KEY (only_row),
    CHECK (only_row = 1)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER share_keys_floor_insert BEFORE INSERT ON share_keys
WHEN EXISTS (SELECT 1 FROM wrapping_floor f
             WHERE NEW.master_version < f.master_version
                OR substr(NEW.wrapped_key, 1, 5) < f.prefix)
BEGIN
    SELECT RAISE(ABORT, 'the key is wrapped by a key that is retired');
END;
CREATE TRIGGER share_keys_floor_update BEFORE UPDATE ON share_keys
WHEN EXISTS (SELECT 1 FROM wrapping_floor f
             WHERE NEW.master_version < f.master_version
                OR substr(NEW.wrapped_key, 1, 5) < f.prefix)
BEGIN
    SELECT RAISE(ABORT, 'the key is wrapped by a key that is retired');
END;
CREATE TRIGGER user_keys_floor_insert BEFORE INSERT ON user_keys
WHEN EXISTS (SELECT 1 FROM wrapping_floor f
             WHERE NEW.master_version < f.master_version
                OR substr(NEW.wrapped_key, 1, 5) < f.prefix)
BEGIN
    SELECT RAISE(ABORT, 'the key is wrapped by a key that is retired');
END;
CREATE TRIGGER user_keys_floor_update BEFORE UPDATE ON user_keys
WHEN EXISTS (SELECT 1 FROM wrapping_floor f
             WHERE NEW.master_version < f.master_version
                OR substr(NEW.wrapped_key, 1, 5) < f.prefix)
BEGIN
    SELECT RAISE(ABORT, 'the key is wrapped by a key that is retired');
END;

-- What wrapped a key that was destroyed, and when the last copy of it became unreadable: purged_at_ns.
-- swept: the deletion was committed before the purge that is under way began.
CREATE TABLE destroyed_keys (
    host_id TEXT NOT NULL,
    share_id TEXT NOT NULL,
    field TEXT NOT NULL,
    master_version INTEGER NOT NULL,
    prefix BLOB NOT NULL,
    swept INTEGER NOT NULL,
    purged_at_ns INTEGER,
    PRIMARY KEY (host_id, share_id, field)
) STRICT, WITHOUT ROWID;
CREATE INDEX destroyed_keys_waiting ON destroyed_keys (prefix) WHERE purged_at_ns IS NULL;

CREATE TRIGGER share_keys_destroyed AFTER DELETE ON share_keys
BEGIN
    INSERT INTO destroyed_keys (host_id, share_id, field, master_version, prefix, swept)
    VALUES (OLD.host_id, OLD.share_id, OLD.field, OLD.master_version,
            substr(OLD.wrapped_key, 1, 5), 0);
END;
