SELECT o.id FROM expertise_events o
WHERE NOT EXISTS (SELECT 1 FROM legacy_events e WHERE e.source = 'expertise_events' AND e.old_id = o.id)
  AND NOT EXISTS (SELECT 1 FROM legacy_changes c WHERE c.source = 'expertise_events' AND c.id = o.id);
