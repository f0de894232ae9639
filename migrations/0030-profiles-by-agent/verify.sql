SELECT agent_id, profile FROM agent_profiles WHERE 1 = 0;
