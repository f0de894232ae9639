CREATE TABLE seating_charts (
    host_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (host_id, event_id, version)
) STRICT, WITHOUT ROWID;
