-- A node and its incarnation, leased to one process. The row changes only when a lease begins or
-- ends: every transaction that writes into the order holds a share of it until it commits.
CREATE TABLE clock_leases (
    node_id INTEGER PRIMARY KEY,
    incarnation INTEGER NOT NULL,
    live SMALLINT NOT NULL
);

-- What each lease says now and then. closed_ns: it will never commit anything at or below.
-- high_ns: its last stamp. Apart from the lease, so that a heartbeat waits for no transaction.
CREATE TABLE clock_heartbeats (
    node_id INTEGER PRIMARY KEY,
    incarnation INTEGER NOT NULL,
    expires_ns BIGINT NOT NULL,
    closed_ns BIGINT NOT NULL,
    high_ns BIGINT NOT NULL
);

-- Everything at or below is final; one row.
CREATE TABLE clock_final (
    single SMALLINT PRIMARY KEY CHECK (single = 1),
    final_ns BIGINT NOT NULL
);
INSERT INTO clock_final (single, final_ns) VALUES (1, 0);
