SELECT 1 WHERE (SELECT count(*) FROM agent_profiles) <> (SELECT count(*) FROM personality_profiles)
           AND NOT EXISTS (SELECT 1 FROM legacy_changes WHERE source = 'personality_profiles');
