-- One index instead of two. A key without an epoch begins with random bytes, and each of them went to
-- a page of its own; here they stand as 0.
CREATE INDEX share_keys_wrapping ON share_keys (
    master_version,
    (CASE WHEN substr(wrapped_key, 1, 1) = x'02' THEN substr(wrapped_key, 1, 5)
          ELSE x'0000000000' END)
);
DROP INDEX share_keys_epoch;
DROP INDEX share_keys_version;
