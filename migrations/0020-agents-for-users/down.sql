-- The backfill takes the agents first: only the program can tell which are theirs.
DELETE FROM user_agent_mappings WHERE user_id IN (SELECT user_id FROM legacy_ids);
DELETE FROM user_keys WHERE user_id IN (SELECT user_id FROM legacy_ids);
DELETE FROM legacy_ids;
