SELECT host_id, booking_id, line, pool, quantity FROM reservation_tickets WHERE 1 = 0;
