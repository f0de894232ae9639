DROP TABLE reservation_tickets;
