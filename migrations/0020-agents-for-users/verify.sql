SELECT l.old_id FROM legacy_ids l
WHERE NOT EXISTS (SELECT 1 FROM user_agent_mappings m WHERE m.user_id = l.user_id)
   OR NOT EXISTS (SELECT 1 FROM user_keys k WHERE k.user_id = l.user_id);
SELECT u.id FROM users u
WHERE NOT EXISTS (SELECT 1 FROM legacy_ids l WHERE l.old_id = u.id)
  AND NOT EXISTS (SELECT 1 FROM user_agent_mappings m WHERE m.user_id = u.id)
  AND NOT EXISTS (SELECT 1 FROM legacy_changes c WHERE c.source = 'users' AND c.id = u.id);
