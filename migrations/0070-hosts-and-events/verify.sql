SELECT host_id, kind, name FROM hosts WHERE 1 = 0;
SELECT host_id, event_type, version, hash, body FROM requirements WHERE 1 = 0;
SELECT host_id, event_id, schedule, capacity, last_end FROM events WHERE 1 = 0;
SELECT host_id, event_id, starts_at, ends_at FROM event_slots WHERE 1 = 0;
