-- The place of an entry in the tree; null until the sequencer gives it one, and final then.
ALTER TABLE ledger_entries ADD COLUMN position INTEGER;
CREATE UNIQUE INDEX ledger_entries_position ON ledger_entries (position) WHERE position IS NOT NULL;
CREATE INDEX ledger_entries_waiting ON ledger_entries (stamp) WHERE position IS NULL;

-- Hashes of complete subtrees: level 0 holds the leaves. They never change.
CREATE TABLE ledger_nodes (
    level INTEGER NOT NULL,
    node_index INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (level, node_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_nodes_leaf ON ledger_nodes (hash) WHERE level = 0;

-- note: the signed checkpoint of the tree of this size.
CREATE TABLE ledger_checkpoints (
    size INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (size)
) STRICT, WITHOUT ROWID;

-- REPLACE would delete without asking the triggers that refuse it, so a second row is refused first.
CREATE TRIGGER ledger_entries_once BEFORE INSERT ON ledger_entries
WHEN EXISTS (SELECT 1 FROM ledger_entries e WHERE e.host_id = NEW.host_id
    AND e.share_id = NEW.share_id AND e.field = NEW.field AND e.stamp = NEW.stamp)
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_entries_kept BEFORE DELETE ON ledger_entries
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_entries_unchanged BEFORE UPDATE ON ledger_entries
WHEN OLD.position IS NOT NULL OR NEW.position IS NULL
    OR OLD.host_id <> NEW.host_id OR OLD.share_id <> NEW.share_id OR OLD.field <> NEW.field
    OR OLD.stamp <> NEW.stamp OR OLD.kind <> NEW.kind OR OLD.commitment <> NEW.commitment
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_nodes_once BEFORE INSERT ON ledger_nodes
WHEN EXISTS (SELECT 1 FROM ledger_nodes n
    WHERE n.level = NEW.level AND n.node_index = NEW.node_index)
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_nodes_kept BEFORE DELETE ON ledger_nodes
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_nodes_unchanged BEFORE UPDATE ON ledger_nodes
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_checkpoints_once BEFORE INSERT ON ledger_checkpoints
WHEN EXISTS (SELECT 1 FROM ledger_checkpoints c WHERE c.size >= NEW.size)
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_checkpoints_kept BEFORE DELETE ON ledger_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_checkpoints_unchanged BEFORE UPDATE ON ledger_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
