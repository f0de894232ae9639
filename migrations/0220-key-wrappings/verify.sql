SELECT only_row, master_version, prefix, proved_at_ns FROM wrapping_floor WHERE 1 = 0;
SELECT host_id, share_id, field, master_version, prefix, swept, purged_at_ns FROM destroyed_keys WHERE 1 = 0;
