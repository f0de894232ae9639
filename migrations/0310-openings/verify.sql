SELECT host_id, event_id, stamp, opened_at_ns, opened_bound_ns, channel FROM openings WHERE 1 = 0;
SELECT host_id, stamp, share_id, fields FROM opened_shares WHERE 1 = 0;
