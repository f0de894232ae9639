SELECT seq FROM legacy_changes;
SELECT u.id FROM legacy_users u
WHERE NOT EXISTS (SELECT 1 FROM legacy_ids l JOIN user_agent_mappings m ON m.user_id = l.user_id
                  JOIN users n ON n.id = l.user_id WHERE l.old_id = u.id)
  AND NOT EXISTS (SELECT 1 FROM user_agent_mappings m WHERE m.user_id = u.id);
SELECT 1 WHERE (SELECT count(*) FROM agent_profiles)
            <> (SELECT count(*) FROM legacy_personality_profiles);
SELECT o.id FROM legacy_expertise_events o
WHERE json_array_length(o.attendee_ids::json) <> COALESCE(
    (SELECT sum(r.party) FROM legacy_events e
     JOIN reservations r ON r.host_id = e.host_id AND r.event_id = e.event_id
     WHERE e.source = 'expertise_events' AND e.old_id = o.id), 0);
SELECT o.id FROM legacy_community_events o
WHERE json_array_length(o.attendee_ids::json) <> COALESCE(
    (SELECT sum(r.party) FROM legacy_events e
     JOIN reservations r ON r.host_id = e.host_id AND r.event_id = e.event_id
     WHERE e.source = 'community_events' AND e.old_id = o.id), 0);
