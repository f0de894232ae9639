SELECT u.id FROM users u JOIN legacy_ids l ON l.old_id = u.id
WHERE u.email IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM user_credentials c WHERE c.user_id = l.user_id)
  AND NOT EXISTS (SELECT 1 FROM legacy_changes c WHERE c.source = 'users' AND c.id = u.id);
