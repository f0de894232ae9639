SELECT position FROM ledger_entries WHERE 1 = 0;
SELECT level, node_index, hash FROM ledger_nodes WHERE 1 = 0;
SELECT size, note FROM ledger_checkpoints WHERE 1 = 0;
