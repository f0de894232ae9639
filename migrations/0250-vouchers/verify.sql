SELECT user_id, address_lookup, token_hash, sent_at_ns, confirmed_at_ns FROM email_confirmations WHERE 1 = 0;
SELECT host_id, entry_hash FROM member_list_entries WHERE 1 = 0;
