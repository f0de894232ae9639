-- A model that apps load: what it is, never its weights, which are found by their digest.
CREATE TABLE models (
    model_id TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    -- SHA-256 of the file.
    digest BYTEA NOT NULL,
    size_bytes BIGINT NOT NULL,
    PRIMARY KEY (model_id),
    CHECK (version > 0),
    CHECK (octet_length(digest) = 32),
    CHECK (size_bytes > 0)
);
CREATE UNIQUE INDEX models_version ON models (name, version);

-- To which share of agents a model goes, and until when. Who it went to stands nowhere.
CREATE TABLE model_deployments (
    model_id TEXT NOT NULL,
    deployed_at_ns BIGINT NOT NULL,
    -- NULL: unknown.
    error_bound_ns BIGINT,
    stamp_id TEXT NOT NULL,
    permille INTEGER NOT NULL,
    withdrawn_at_ns BIGINT,
    PRIMARY KEY (model_id, deployed_at_ns),
    FOREIGN KEY (model_id) REFERENCES models (model_id),
    CHECK (permille BETWEEN 0 AND 1000)
);

-- What a model is told of an agent.
CREATE TABLE ml_features (
    feature TEXT NOT NULL,
    describes TEXT NOT NULL,
    PRIMARY KEY (feature)
);

-- Numbers about an agent, by agent alone: no user, no text, and no time, which would join the two.
CREATE TABLE agent_features (
    agent_id TEXT NOT NULL,
    feature TEXT NOT NULL,
    value DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (agent_id, feature)
);
