DROP TABLE agent_bookings;
DROP TABLE reservations;
DROP TABLE capacity_pools;
DROP TABLE guests;
