CREATE TABLE reservation_tickets (
    host_id TEXT NOT NULL,
    booking_id TEXT NOT NULL,
    line INTEGER NOT NULL,
    pool TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (host_id, booking_id, line)
);
