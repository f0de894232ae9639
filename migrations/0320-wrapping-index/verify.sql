SELECT master_version, wrapped_key FROM share_keys WHERE 1 = 0;
