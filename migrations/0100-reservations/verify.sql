SELECT host_id, booking_id, agent_id, guest_id, position FROM reservations WHERE 1 = 0;
SELECT host_id, event_id, starts_at, pool, capacity, taken FROM capacity_pools WHERE 1 = 0;
SELECT host_id, guest_id, agent_id, code FROM guests WHERE 1 = 0;
SELECT agent_id, booked_stamp, host_id, booking_id FROM agent_bookings WHERE 1 = 0;
