//! What both backends ask when they compare the ledger with the data.

use spots_privacy::ledger::Granted;
use spots_privacy::ledger::entry::GRANTED;

use crate::store::ledger::{Gap, LedgerRow};

/// A statement that gives host, share and field of what is missing, and what that is.
pub(crate) type Comparison = (&'static str, &'static str);

pub(crate) const NOT_GRANTED: Comparison = (
    "SELECT f.host_id, f.share_id, f.field FROM reservation_user_data_fields f
     WHERE NOT EXISTS (SELECT 1 FROM ledger_entries l WHERE l.host_id = f.host_id
         AND l.share_id = f.share_id AND l.field = f.field AND l.kind = 'granted')",
    "is shared, and the entry of its consent is missing",
);
pub(crate) const NOT_ENDED: Comparison = (
    "SELECT f.host_id, f.share_id, f.field FROM reservation_user_data_fields f
     WHERE NOT EXISTS (SELECT 1 FROM share_keys k WHERE k.host_id = f.host_id
         AND k.share_id = f.share_id AND k.field = f.field)
       AND NOT EXISTS (SELECT 1 FROM ledger_entries l WHERE l.host_id = f.host_id
         AND l.share_id = f.share_id AND l.field = f.field AND l.kind <> 'granted')",
    "has ended, and the entry of its end is missing",
);
pub(crate) const NOT_GONE: Comparison = (
    "SELECT k.host_id, k.share_id, k.field FROM share_keys k
     WHERE EXISTS (SELECT 1 FROM ledger_entries l WHERE l.host_id = k.host_id
         AND l.share_id = k.share_id AND l.field = k.field AND l.kind <> 'granted')",
    "has its key, although an entry says that it ended",
);
pub(crate) const NEVER_SHARED: Comparison = (
    "SELECT l.host_id, l.share_id, l.field FROM ledger_entries l
     WHERE l.position IS NULL AND l.kind <> 'erased'
       AND NOT EXISTS (SELECT 1 FROM reservation_user_data_fields f
         WHERE f.host_id = l.host_id AND f.share_id = l.share_id AND f.field = l.field)",
    "is in an entry that waits, and was never shared",
);

/// Entries of fields that still have their salt, with the facts that they commit to.
pub(crate) const SALTED: &str = "SELECT l.host_id, l.share_id, l.field, l.kind, l.stamp,
            l.commitment, l.position, k.salt, d.shared_at_ns, d.requirements_hash, f.expires_at_ns
     FROM share_keys k
     JOIN reservation_user_data d ON d.host_id = k.host_id AND d.share_id = k.share_id
     JOIN reservation_user_data_fields f
       ON f.host_id = k.host_id AND f.share_id = k.share_id AND f.field = k.field
     JOIN ledger_entries l
       ON l.host_id = k.host_id AND l.share_id = k.share_id AND l.field = k.field
     WHERE l.kind = 'granted'
     ORDER BY k.host_id, k.share_id, k.field";

/// An entry of a consent with the facts beside it.
pub(crate) struct Facts {
    pub(crate) row: LedgerRow,
    pub(crate) salt: [u8; 32],
    pub(crate) shared_at_ns: i64,
    pub(crate) requirements_hash: [u8; 32],
    pub(crate) expires_at_ns: i64,
}

impl Facts {
    /// What is wrong if the entry commits to other facts.
    pub(crate) fn gap(&self) -> Option<Gap> {
        let entry = &self.row.entry;
        debug_assert_eq!(entry.kind, GRANTED);
        let granted = Granted {
            host: &entry.host,
            share: &entry.share,
            field: &entry.field,
            at_ns: self.shared_at_ns,
            requirements_hash: &self.requirements_hash,
            expires_at_ns: self.expires_at_ns,
        };
        (granted.commitment(&self.salt) != entry.commitment).then(|| {
            gap_of(
                &entry.host,
                &entry.share,
                &entry.field,
                "was entered with another moment, end or requirements than the data says",
            )
        })
    }
}

pub(crate) fn gap_of(host: &str, share: &str, field: &str, what: &str) -> Gap {
    Gap {
        field: format!("{field} of {share} at {host}"),
        what: what.to_owned(),
    }
}
