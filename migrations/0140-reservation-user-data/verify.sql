SELECT host_id, share_id, booking_id, agent_id FROM reservation_user_data WHERE 1 = 0;
SELECT host_id, share_id, field, sealed, expires_at_ns FROM reservation_user_data_fields WHERE 1 = 0;
SELECT host_id, share_id, field, wrapped_key, master_version, salt FROM share_keys WHERE 1 = 0;
SELECT host_id, stamp, share_id, field, kind, commitment FROM ledger_entries WHERE 1 = 0;
SELECT host_id, share_id, stamp, opened_at_ns, channel, fields FROM access_log WHERE 1 = 0;
