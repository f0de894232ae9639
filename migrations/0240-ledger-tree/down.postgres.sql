DROP TRIGGER ledger_entries_kept ON ledger_entries;
DROP TRIGGER ledger_entries_whole ON ledger_entries;
DROP TRIGGER ledger_entries_unchanged ON ledger_entries;
DROP TABLE ledger_checkpoints;
DROP TABLE ledger_nodes;
DROP FUNCTION refuse_ledger_change();
DROP INDEX ledger_entries_waiting;
DROP INDEX ledger_entries_position;
ALTER TABLE ledger_entries DROP COLUMN position;
