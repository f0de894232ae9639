SELECT node_id, incarnation, live FROM clock_leases WHERE 1 = 0;
SELECT node_id, incarnation, expires_ns, closed_ns, high_ns FROM clock_heartbeats WHERE 1 = 0;
SELECT single, final_ns FROM clock_final WHERE 1 = 0;
