DELETE FROM agent_bookings WHERE (agent_id, booking_id) IN (
    SELECT r.agent_id, r.booking_id FROM reservations r
    JOIN legacy_events e ON e.host_id = r.host_id AND e.event_id = r.event_id
    WHERE e.source = 'expertise_events');
DELETE FROM reservation_tickets WHERE (host_id, booking_id) IN (
    SELECT r.host_id, r.booking_id FROM reservations r
    JOIN legacy_events e ON e.host_id = r.host_id AND e.event_id = r.event_id
    WHERE e.source = 'expertise_events');
DELETE FROM reservations WHERE (host_id, event_id) IN (
    SELECT host_id, event_id FROM legacy_events WHERE source = 'expertise_events');
DELETE FROM capacity_pools WHERE (host_id, event_id) IN (
    SELECT host_id, event_id FROM legacy_events WHERE source = 'expertise_events');
DELETE FROM event_slots WHERE (host_id, event_id) IN (
    SELECT host_id, event_id FROM legacy_events WHERE source = 'expertise_events');
DELETE FROM events WHERE (host_id, event_id) IN (
    SELECT host_id, event_id FROM legacy_events WHERE source = 'expertise_events');
DELETE FROM guests WHERE host_id IN (SELECT host_id FROM legacy_events WHERE source = 'expertise_events');
DELETE FROM host_members WHERE host_id IN (SELECT host_id FROM legacy_events WHERE source = 'expertise_events');
DELETE FROM hosts WHERE host_id IN (SELECT host_id FROM legacy_events WHERE source = 'expertise_events');
DELETE FROM legacy_events WHERE source = 'expertise_events';
DELETE FROM legacy_ids WHERE source = 'expertise_events';
