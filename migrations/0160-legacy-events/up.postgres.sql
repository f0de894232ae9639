-- list_form: how the old list was written ('compact', 'spaced', or 'kept' with its text, in which
-- agent ids stand for user ids).
CREATE TABLE legacy_events (
    source TEXT NOT NULL,
    old_id TEXT NOT NULL,
    host_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    list_form TEXT NOT NULL,
    list_text TEXT,
    PRIMARY KEY (source, old_id)
);
CREATE INDEX legacy_events_event ON legacy_events (host_id, event_id);

-- Empty but while the old tables are written again on the way back.
CREATE TABLE legacy_agents (
    agent_id TEXT NOT NULL,
    old_id TEXT NOT NULL,
    PRIMARY KEY (agent_id)
);
CREATE UNIQUE INDEX legacy_agents_old ON legacy_agents (old_id);
