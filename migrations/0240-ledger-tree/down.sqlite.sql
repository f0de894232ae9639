DROP TRIGGER ledger_entries_once;
DROP TRIGGER ledger_entries_kept;
DROP TRIGGER ledger_entries_unchanged;
DROP TABLE ledger_checkpoints;
DROP TABLE ledger_nodes;
DROP INDEX ledger_entries_waiting;
DROP INDEX ledger_entries_position;
ALTER TABLE ledger_entries DROP COLUMN position;
