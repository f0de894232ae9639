SELECT old_id FROM legacy_passwords;
SELECT agent_id FROM legacy_agents;
