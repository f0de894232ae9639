-- What the AI2AI network may know of a person: an agent and nothing that names anyone.
CREATE TABLE anonymous_users (
    agent_id TEXT NOT NULL,
    traits TEXT NOT NULL,
    PRIMARY KEY (agent_id)
) STRICT, WITHOUT ROWID;
