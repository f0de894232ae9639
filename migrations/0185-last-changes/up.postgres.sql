-- The backfill moves again what is noted here.
SELECT seq, source, id FROM legacy_changes WHERE 1 = 0;
