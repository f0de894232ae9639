DELETE FROM anonymous_users WHERE agent_id IN (SELECT agent_id FROM agent_profiles);
