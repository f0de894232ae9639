DROP TABLE users;
ALTER TABLE legacy_users RENAME TO users;
ALTER TABLE legacy_personality_profiles RENAME TO personality_profiles;
ALTER TABLE legacy_expertise_events RENAME TO expertise_events;
ALTER TABLE legacy_community_events RENAME TO community_events;
CREATE TRIGGER legacy_users_note AFTER INSERT OR UPDATE OR DELETE ON users
FOR EACH ROW EXECUTE FUNCTION legacy_note('id', 'users');
CREATE TRIGGER legacy_profiles_note AFTER INSERT OR UPDATE OR DELETE ON personality_profiles
FOR EACH ROW EXECUTE FUNCTION legacy_note('user_id', 'personality_profiles');
CREATE TRIGGER legacy_expertise_note AFTER INSERT OR UPDATE OR DELETE ON expertise_events
FOR EACH ROW EXECUTE FUNCTION legacy_note('id', 'expertise_events');
CREATE TRIGGER legacy_community_note AFTER INSERT OR UPDATE OR DELETE ON community_events
FOR EACH ROW EXECUTE FUNCTION legacy_note('id', 'community_events');
