DROP TABLE member_list_entries;
DROP TABLE email_confirmations;
