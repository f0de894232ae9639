DELETE FROM sessions WHERE user_id IN (SELECT user_id FROM legacy_ids);
DELETE FROM sharing_defaults WHERE user_id IN (SELECT user_id FROM legacy_ids);
DELETE FROM user_credentials WHERE user_id IN (SELECT user_id FROM legacy_ids);
DELETE FROM user_profiles WHERE user_id IN (SELECT user_id FROM legacy_ids);
