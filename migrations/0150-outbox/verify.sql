SELECT actor, idempotency_key, digest, outcome FROM idempotency_keys WHERE 1 = 0;
SELECT host_id, stamp, recipient, kind, booking_id, agent_id, due_at_ns FROM outbox WHERE 1 = 0;
