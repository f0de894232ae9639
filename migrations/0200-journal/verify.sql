SELECT stream, stamp, at_ns, bound_ns, actor, entry_key, digest, kind, subject, body, claimed, correction, receipt_stamp, earliest_ns, latest_ns FROM journal_entries WHERE 1 = 0;
SELECT stream, actor, subject, stamp, latest_ns FROM journal_heads WHERE 1 = 0;
