SELECT agent_id FROM agents WHERE 1 = 0;
SELECT user_id, wrapped_key, master_version FROM user_keys WHERE 1 = 0;
SELECT user_id, sealed_agent_id, agent_lookup FROM user_agent_mappings WHERE 1 = 0;
