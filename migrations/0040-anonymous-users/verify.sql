SELECT agent_id, traits FROM anonymous_users WHERE 1 = 0;
