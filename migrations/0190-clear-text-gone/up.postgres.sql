DROP TABLE legacy_community_events;
DROP TABLE legacy_expertise_events;
DROP TABLE legacy_personality_profiles;
DROP TABLE legacy_users;
DELETE FROM legacy_passwords;
