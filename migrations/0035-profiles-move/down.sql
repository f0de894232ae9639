-- Nothing else writes profiles by agent; the old ones stand where they stood.
DELETE FROM agent_profiles;
