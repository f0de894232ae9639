-- One opening of an event's guests by its host.
CREATE TABLE openings (
    host_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    stamp BYTEA NOT NULL,
    opened_at_ns BIGINT NOT NULL,
    opened_bound_ns BIGINT,
    channel TEXT NOT NULL,
    PRIMARY KEY (host_id, event_id, stamp)
);

-- What of one share an opening showed. fields: a JSON list of names. The key has the moment before the
-- share: the rows of a page lie side by side.
CREATE TABLE opened_shares (
    host_id TEXT NOT NULL,
    stamp BYTEA NOT NULL,
    share_id TEXT NOT NULL,
    fields TEXT NOT NULL,
    PRIMARY KEY (host_id, stamp, share_id)
);

INSERT INTO openings (host_id, event_id, stamp, opened_at_ns, opened_bound_ns, channel)
SELECT DISTINCT l.host_id, r.event_id, l.stamp, l.opened_at_ns, l.opened_bound_ns, l.channel
FROM access_log l
JOIN reservation_user_data d ON d.host_id = l.host_id AND d.share_id = l.share_id
JOIN reservations r ON r.host_id = d.host_id AND r.booking_id = d.booking_id;
INSERT INTO opened_shares (host_id, stamp, share_id, fields)
SELECT host_id, stamp, share_id, fields FROM access_log;
DROP TABLE access_log;
