-- Expand: the new table stands beside personality_profiles until every row has moved.
CREATE TABLE agent_profiles (
    agent_id TEXT NOT NULL,
    profile TEXT NOT NULL,
    PRIMARY KEY (agent_id)
);
