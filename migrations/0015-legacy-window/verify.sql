SELECT old_id, user_id FROM legacy_ids WHERE 1 = 0;
SELECT old_id, password_hash FROM legacy_passwords WHERE 1 = 0;
SELECT seq, source, id FROM legacy_changes WHERE 1 = 0;
SELECT 1 WHERE (SELECT count(*) FROM legacy_upgrade) <> 1;
