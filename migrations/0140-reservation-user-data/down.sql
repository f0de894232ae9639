DROP TABLE access_log;
DROP TABLE ledger_entries;
DROP TABLE share_keys;
DROP TABLE reservation_user_data_fields;
DROP TABLE reservation_user_data;
