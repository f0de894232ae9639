SELECT id FROM users WHERE 1 = 0;
SELECT m.user_id FROM user_agent_mappings m WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = m.user_id)
    AND NOT EXISTS (SELECT 1 FROM legacy_changes c WHERE c.source = 'users');
