DROP TABLE agent_features;
DROP TABLE ml_features;
DROP TABLE model_deployments;
DROP TABLE models;
