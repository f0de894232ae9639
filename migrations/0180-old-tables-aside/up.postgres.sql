-- From here on the old application can neither read nor write; what it wrote until now is noted.
DROP TRIGGER legacy_users_note ON users;
DROP TRIGGER legacy_profiles_note ON personality_profiles;
DROP TRIGGER legacy_expertise_note ON expertise_events;
DROP TRIGGER legacy_community_note ON community_events;
ALTER TABLE community_events RENAME TO legacy_community_events;
ALTER TABLE expertise_events RENAME TO legacy_expertise_events;
ALTER TABLE personality_profiles RENAME TO legacy_personality_profiles;
ALTER TABLE users RENAME TO legacy_users;

CREATE TABLE users (
    id TEXT NOT NULL,
    CONSTRAINT users_id PRIMARY KEY (id)
);
INSERT INTO users (id)
SELECT l.user_id FROM legacy_ids l JOIN legacy_users u ON u.id = l.old_id
UNION ALL
SELECT u.id FROM legacy_users u
WHERE EXISTS (SELECT 1 FROM user_agent_mappings m WHERE m.user_id = u.id);
