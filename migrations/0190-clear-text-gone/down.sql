-- The backfill has written the old tables again, from what is sealed and booked now.
DELETE FROM legacy_agents;
