SELECT source, old_id, host_id, event_id, list_form, list_text FROM legacy_events WHERE 1 = 0;
SELECT agent_id, old_id FROM legacy_agents;
