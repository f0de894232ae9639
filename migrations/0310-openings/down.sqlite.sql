-- Every opening by a host. fields: a JSON list of names.
CREATE TABLE access_log (
    host_id TEXT NOT NULL,
    share_id TEXT NOT NULL,
    stamp BLOB NOT NULL,
    opened_at_ns INTEGER NOT NULL,
    opened_bound_ns INTEGER,
    channel TEXT NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (host_id, share_id, stamp)
) STRICT, WITHOUT ROWID;
INSERT INTO access_log (host_id, share_id, stamp, opened_at_ns, opened_bound_ns, channel, fields)
SELECT s.host_id, s.share_id, s.stamp, o.opened_at_ns, o.opened_bound_ns, o.channel, s.fields
FROM opened_shares s
JOIN reservation_user_data d ON d.host_id = s.host_id AND d.share_id = s.share_id
JOIN reservations r ON r.host_id = d.host_id AND r.booking_id = d.booking_id
JOIN openings o ON o.host_id = r.host_id AND o.event_id = r.event_id AND o.stamp = s.stamp;
DROP TABLE opened_shares;
DROP TABLE openings;
