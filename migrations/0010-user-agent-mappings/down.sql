DROP TABLE user_agent_mappings;
DROP TABLE user_keys;
DROP TABLE agents;
