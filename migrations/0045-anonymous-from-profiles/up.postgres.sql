-- The backfill takes numbers out of each profile, and no text: a number names nobody.
SELECT agent_id, profile FROM agent_profiles WHERE 1 = 0;
