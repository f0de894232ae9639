DROP TABLE anonymous_users;
