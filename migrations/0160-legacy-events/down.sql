DROP TABLE legacy_agents;
DROP TABLE legacy_events;
