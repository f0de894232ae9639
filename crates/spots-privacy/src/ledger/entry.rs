//! One entry: what happened to one field of one share.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::merkle::{Hash, leaf_hash};
use crate::consent::{commitment, sha256};
use crate::seal::associated;

/// What an entry's bytes start with.
const ENTRY_LABEL: &[u8] = b"spots.ledger.entry.1";
/// The kind of an entry that begins a consent. All other kinds end one.
pub const GRANTED: &str = "granted";
/// The kind of an entry that says that an account is gone. Its host is `-`, its share names the
/// account by a hash, its field is `account`.
pub const ERASED: &str = "erased";
/// The longest line of a mirrored entry, in bytes.
pub const LINE_BYTES_MAX: usize = 1_024;

/// One entry, as every row of the ledger holds it. It names ids that are random and a field's
/// name; never a value, never a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The host.
    pub host: String,
    /// The share.
    pub share: String,
    /// The field.
    pub field: String,
    /// What happened: `granted`, `revoked`, `cancelled`, `removed`, `expired`, ….
    pub kind: String,
    /// The id of the moment's timestamp.
    pub stamp: [u8; 16],
    /// SHA-256 over a salt and the facts.
    pub commitment: [u8; 32],
}

impl Entry {
    /// The leaf of this entry in the tree.
    pub fn leaf(&self) -> Hash {
        leaf_hash(&associated(&[
            ENTRY_LABEL,
            self.host.as_bytes(),
            self.share.as_bytes(),
            self.field.as_bytes(),
            self.kind.as_bytes(),
            &self.stamp,
            &self.commitment,
        ]))
    }

    /// Whether it ends a consent.
    pub fn ends(&self) -> bool {
        self.kind != GRANTED && self.kind != ERASED
    }

    /// One line for a mirror outside the database, without its line break.
    pub fn to_line(&self, position: u64) -> String {
        format!(
            "{position} {} {} {} {} {} {}",
            self.kind,
            self.host,
            self.share,
            self.field,
            STANDARD.encode(self.stamp),
            STANDARD.encode(self.commitment)
        )
    }

    /// Reads a line of [`Self::to_line`] back.
    pub fn from_line(line: &str) -> Option<(u64, Self)> {
        if line.len() > LINE_BYTES_MAX {
            return None;
        }
        let mut words = line.split(' ');
        let position = words.next()?.parse().ok()?;
        let [kind, host, share, field, stamp, commitment] = std::array::from_fn(|_| words.next());
        let bytes = |word: Option<&str>| STANDARD.decode(word?).ok();
        let entry = Self {
            host: host?.to_owned(),
            share: share?.to_owned(),
            field: field?.to_owned(),
            kind: kind?.to_owned(),
            stamp: bytes(stamp)?.try_into().ok()?,
            commitment: bytes(commitment)?.try_into().ok()?,
        };
        words.next().is_none().then_some((position, entry))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host, share, field, ..
        } = self;
        write!(f, "{} {field} of {share} at {host}", self.kind)
    }
}

/// The facts of a consent, to which a `granted` entry commits.
#[derive(Clone, Copy, Debug)]
pub struct Granted<'a> {
    /// The host.
    pub host: &'a str,
    /// The share.
    pub share: &'a str,
    /// The field.
    pub field: &'a str,
    /// When, in nanoseconds since the Unix epoch.
    pub at_ns: i64,
    /// SHA-256 of the requirements that the person saw; their version stands in their text.
    pub requirements_hash: &'a [u8; 32],
    /// When it ends by itself, in nanoseconds since the Unix epoch.
    pub expires_at_ns: i64,
}

impl Granted<'_> {
    /// What the entry keeps of it.
    pub fn commitment(&self, salt: &[u8; 32]) -> [u8; 32] {
        commitment(
            salt,
            &[
                GRANTED,
                self.host,
                self.share,
                self.field,
                &self.at_ns.to_string(),
                &STANDARD.encode(self.requirements_hash),
                &self.expires_at_ns.to_string(),
            ],
        )
    }
}

/// How the ledger names an account that is gone: by a hash of its id, which had 128 random bits.
pub fn erased_name(user: &str) -> String {
    let hash = sha256(&associated(&[b"spots.ledger.erased.1", user.as_bytes()]));
    format!("erased_{}", URL_SAFE_NO_PAD.encode(hash))
}

/// What the entry of an erasure commits to: the account and the moment in nanoseconds. Whoever
/// knows the id, as the person does from their certificate, can check it.
pub fn commitment_of_erasure(user: &str, at_ns: i64) -> [u8; 32] {
    let moment = at_ns.to_string();
    sha256(&associated(&[
        b"spots.ledger.erasure.1",
        user.as_bytes(),
        moment.as_bytes(),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn entry() -> Entry {
        Entry {
            host: "host_1".to_owned(),
            share: "share_1".to_owned(),
            field: "name".to_owned(),
            kind: GRANTED.to_owned(),
            stamp: [1; 16],
            commitment: [2; 32],
        }
    }

    #[test]
    fn every_column_changes_the_leaf() {
        let first = entry();
        let other = "other".to_owned();
        let changed = [
            Entry {
                host: other.clone(),
                ..entry()
            },
            Entry {
                share: other.clone(),
                ..entry()
            },
            Entry {
                field: other.clone(),
                ..entry()
            },
            Entry {
                kind: other,
                ..entry()
            },
            Entry {
                stamp: [3; 16],
                ..entry()
            },
            Entry {
                commitment: [3; 32],
                ..entry()
            },
        ];
        for entry in changed {
            assert_ne!(entry.leaf(), first.leaf(), "{entry}");
        }
    }

    #[test]
    fn a_line_reads_back_and_nothing_else_does() {
        let line = entry().to_line(7);
        assert_eq!(Entry::from_line(&line), Some((7, entry())));
        for bad in ["", "7", "x granted a b c d e", &format!("{line} more")] {
            assert_eq!(Entry::from_line(bad), None, "{bad}");
        }
    }
}
