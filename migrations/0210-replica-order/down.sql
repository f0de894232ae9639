DROP TABLE clock_final;
DROP TABLE clock_heartbeats;
DROP TABLE clock_leases;
