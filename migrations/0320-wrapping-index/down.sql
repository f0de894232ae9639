CREATE INDEX share_keys_version ON share_keys (master_version);
CREATE INDEX share_keys_epoch ON share_keys (substr(wrapped_key, 1, 5));
DROP INDEX share_keys_wrapping;
