SELECT p.agent_id FROM agent_profiles p
WHERE NOT EXISTS (SELECT 1 FROM anonymous_users a WHERE a.agent_id = p.agent_id);
