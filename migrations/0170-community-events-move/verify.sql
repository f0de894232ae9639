SELECT o.id FROM community_events o
WHERE NOT EXISTS (SELECT 1 FROM legacy_events e WHERE e.source = 'community_events' AND e.old_id = o.id)
  AND NOT EXISTS (SELECT 1 FROM legacy_changes c WHERE c.source = 'community_events' AND c.id = o.id);
