-- From here on the old application can neither read nor write; what it wrote until now is noted.
DROP TRIGGER legacy_users_note_insert;
DROP TRIGGER legacy_users_note_update;
DROP TRIGGER legacy_users_note_delete;
DROP TRIGGER legacy_profiles_note_insert;
DROP TRIGGER legacy_profiles_note_update;
DROP TRIGGER legacy_profiles_note_delete;
DROP TRIGGER legacy_expertise_note_insert;
DROP TRIGGER legacy_expertise_note_update;
DROP TRIGGER legacy_expertise_note_delete;
DROP TRIGGER legacy_community_note_insert;
DROP TRIGGER legacy_community_note_update;
DROP TRIGGER legacy_community_note_delete;
ALTER TABLE community_events RENAME TO legacy_community_events;
ALTER TABLE expertise_events RENAME TO legacy_expertise_events;
ALTER TABLE personality_profiles RENAME TO legacy_personality_profiles;
ALTER TABLE users RENAME TO legacy_users;

CREATE TABLE users (
    id TEXT NOT NULL,
    CONSTRAINT users_id PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
INSERT INTO users (id)
SELECT l.user_id FROM legacy_ids l JOIN legacy_users u ON u.id = l.old_id
UNION ALL
SELECT u.id FROM legacy_users u
WHERE EXISTS (SELECT 1 FROM user_agent_mappings m WHERE m.user_id = u.id);
