DROP TABLE community_events;
DROP TABLE expertise_events;
DROP TABLE personality_profiles;
DROP TABLE users;
