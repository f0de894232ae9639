DROP TRIGGER legacy_users_note ON users;
DROP TRIGGER legacy_profiles_note ON personality_profiles;
DROP TRIGGER legacy_expertise_note ON expertise_events;
DROP TRIGGER legacy_community_note ON community_events;
DROP FUNCTION legacy_note();
DROP TABLE legacy_changes;
DROP TABLE legacy_passwords;
DROP TABLE legacy_ids;
DROP TABLE legacy_upgrade;
