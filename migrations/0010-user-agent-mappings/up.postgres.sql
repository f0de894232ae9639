-- An agent is a person as SPOTS tracks them. No time stands here or in the mapping: a moment of
-- creation would join the two.
CREATE TABLE agents (
    agent_id TEXT NOT NULL,
    PRIMARY KEY (agent_id)
);

-- One data key a user, wrapped by the master key that is outside the database.
CREATE TABLE user_keys (
    user_id TEXT NOT NULL,
    wrapped_key BYTEA NOT NULL,
    master_version INTEGER NOT NULL,
    PRIMARY KEY (user_id)
);

CREATE TABLE user_agent_mappings (
    user_id TEXT NOT NULL,
    sealed_agent_id BYTEA NOT NULL,
    -- Keyed hash of the agent id: finds the row from the agent's side without storing the id.
    agent_lookup BYTEA NOT NULL,
    PRIMARY KEY (user_id)
);
CREATE UNIQUE INDEX user_agent_mappings_agent ON user_agent_mappings (agent_lookup);
