CREATE TABLE cancellation_policies (
    host_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (host_id, event_type, version)
) STRICT, WITHOUT ROWID;
