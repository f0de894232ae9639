SELECT host_id, event_id, version, body FROM seating_charts WHERE 1 = 0;
