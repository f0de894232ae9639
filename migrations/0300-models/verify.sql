SELECT model_id, name, version, digest, size_bytes FROM models WHERE 1 = 0;
SELECT model_id, deployed_at_ns, error_bound_ns, stamp_id, permille, withdrawn_at_ns
FROM model_deployments WHERE 1 = 0;
SELECT feature, describes FROM ml_features WHERE 1 = 0;
SELECT agent_id, feature, value FROM agent_features WHERE 1 = 0;
