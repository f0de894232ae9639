SELECT host_id, event_type, version, body FROM cancellation_policies WHERE 1 = 0;
