SELECT user_id, field, sealed FROM user_profiles WHERE 1 = 0;
SELECT user_id, email_lookup, password_hash FROM user_credentials WHERE 1 = 0;
SELECT user_id, token_hash, expires_at FROM sessions WHERE 1 = 0;
SELECT user_id, scope, fields FROM sharing_defaults WHERE 1 = 0;
