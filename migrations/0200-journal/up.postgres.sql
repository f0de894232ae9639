-- stamp: the server's, in which order a stream is read. actor: an agent, or `operator:` and a name.
-- claimed, correction: what the client said about its own time, as it came. earliest_ns, latest_ns:
-- when it can have happened, as far as that is known. body: ids, words and numbers only.
CREATE TABLE journal_entries (
    stream TEXT NOT NULL,
    stamp BYTEA NOT NULL,
    at_ns BIGINT NOT NULL,
    bound_ns BIGINT,
    actor TEXT NOT NULL,
    entry_key TEXT NOT NULL,
    digest BYTEA NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT,
    body TEXT NOT NULL,
    claimed TEXT,
    correction TEXT,
    receipt_stamp BYTEA,
    earliest_ns BIGINT,
    latest_ns BIGINT NOT NULL,
    PRIMARY KEY (stream, stamp)
);
CREATE UNIQUE INDEX journal_entries_key ON journal_entries (stream, actor, entry_key);

-- The entry that counts now, of each subject of a stream where the last writer does.
CREATE TABLE journal_heads (
    stream TEXT NOT NULL,
    actor TEXT NOT NULL,
    subject TEXT NOT NULL,
    stamp BYTEA NOT NULL,
    latest_ns BIGINT NOT NULL,
    PRIMARY KEY (stream, actor, subject)
);
