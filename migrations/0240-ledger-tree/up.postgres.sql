-- The place of an entry in the tree; null until the sequencer gives it one, and final then.
ALTER TABLE ledger_entries ADD COLUMN position BIGINT;
CREATE UNIQUE INDEX ledger_entries_position ON ledger_entries (position) WHERE position IS NOT NULL;
CREATE INDEX ledger_entries_waiting ON ledger_entries (stamp) WHERE position IS NULL;

-- Hashes of complete subtrees: level 0 holds the leaves. They never change.
CREATE TABLE ledger_nodes (
    level INTEGER NOT NULL,
    node_index BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (level, node_index)
);
CREATE INDEX ledger_nodes_leaf ON ledger_nodes (hash) WHERE level = 0;

-- note: the signed checkpoint of the tree of this size.
CREATE TABLE ledger_checkpoints (
    size BIGINT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (size)
);

CREATE FUNCTION refuse_ledger_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only';
END
$$;

CREATE TRIGGER ledger_entries_kept BEFORE DELETE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change();
CREATE TRIGGER ledger_entries_whole BEFORE TRUNCATE ON ledger_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();
CREATE TRIGGER ledger_entries_unchanged BEFORE UPDATE ON ledger_entries
    FOR EACH ROW WHEN (OLD.position IS NOT NULL OR NEW.position IS NULL
        OR OLD.host_id <> NEW.host_id OR OLD.share_id <> NEW.share_id OR OLD.field <> NEW.field
        OR OLD.stamp <> NEW.stamp OR OLD.kind <> NEW.kind OR OLD.commitment <> NEW.commitment)
    EXECUTE FUNCTION refuse_ledger_change();
CREATE TRIGGER ledger_nodes_unchanged BEFORE UPDATE OR DELETE ON ledger_nodes
    FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change();
CREATE TRIGGER ledger_nodes_whole BEFORE TRUNCATE ON ledger_nodes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();
CREATE TRIGGER ledger_checkpoints_unchanged BEFORE UPDATE OR DELETE ON ledger_checkpoints
    FOR EACH ROW EXECUTE FUNCTION refuse_ledger_change();
CREATE TRIGGER ledger_checkpoints_whole BEFORE TRUNCATE ON ledger_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_ledger_change();
