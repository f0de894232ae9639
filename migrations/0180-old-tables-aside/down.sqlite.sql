DROP TABLE users;
ALTER TABLE legacy_users RENAME TO users;
ALTER TABLE legacy_personality_profiles RENAME TO personality_profiles;
ALTER TABLE legacy_expertise_events RENAME TO expertise_events;
ALTER TABLE legacy_community_events RENAME TO community_events;
CREATE TRIGGER legacy_users_note_insert AFTER INSERT ON users BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('users', NEW.id);
END;
CREATE TRIGGER legacy_users_note_update AFTER UPDATE ON users BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('users', NEW.id), ('users', OLD.id);
END;
CREATE TRIGGER legacy_users_note_delete AFTER DELETE ON users BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('users', OLD.id);
END;
CREATE TRIGGER legacy_profiles_note_insert AFTER INSERT ON personality_profiles BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('personality_profiles', NEW.user_id);
END;
CREATE TRIGGER legacy_profiles_note_update AFTER UPDATE ON personality_profiles BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('personality_profiles', NEW.user_id), ('personality_profiles', OLD.user_id);
END;
CREATE TRIGGER legacy_profiles_note_delete AFTER DELETE ON personality_profiles BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('personality_profiles', OLD.user_id);
END;
CREATE TRIGGER legacy_expertise_note_insert AFTER INSERT ON expertise_events BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('expertise_events', NEW.id);
END;
CREATE TRIGGER legacy_expertise_note_update AFTER UPDATE ON expertise_events BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('expertise_events', NEW.id), ('expertise_events', OLD.id);
END;
CREATE TRIGGER legacy_expertise_note_delete AFTER DELETE ON expertise_events BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('expertise_events', OLD.id);
END;
CREATE TRIGGER legacy_community_note_insert AFTER INSERT ON community_events BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('community_events', NEW.id);
END;
CREATE TRIGGER legacy_community_note_update AFTER UPDATE ON community_events BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('community_events', NEW.id), ('community_events', OLD.id);
END;
CREATE TRIGGER legacy_community_note_delete AFTER DELETE ON community_events BEGIN
    INSERT INTO legacy_changes (source, id) VALUES ('community_events', OLD.id);
END;
