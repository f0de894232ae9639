DROP TABLE sharing_defaults;
DROP TABLE sessions;
DROP TABLE user_credentials;
DROP TABLE user_profiles;
