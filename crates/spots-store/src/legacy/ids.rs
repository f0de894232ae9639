//! The ids that old ids become.

use spots_booking::{BookingId, EventId, GuestCode, GuestId, HostId};
use spots_clock::{NodeIdentity, TimestampId};
use spots_privacy::{AgentId, LookupKey, UserId};

/// Codes that a guest may get, the first one that is free at the host.
const CODES: usize = 8;
const SECOND_NS: i64 = 1_000_000_000;

/// Gives ids: keyed hashes of the salt of this upgrade and the old id.
#[derive(Clone, Copy)]
pub(super) struct Ids<'a> {
    pub(super) key: &'a LookupKey,
    pub(super) salt: &'a str,
}

impl Ids<'_> {
    // The salt has one length, so no two lists of parts give the same text.
    fn hash(self, context: &str, parts: &[&str]) -> [u8; 32] {
        let lengths: Vec<_> = parts.iter().map(|part| part.len().to_string()).collect();
        let text = format!("{}{}:{}", self.salt, lengths.join(","), parts.concat());
        self.key.hash(context, &text)
    }

    fn short(self, context: &str, parts: &[&str]) -> [u8; 16] {
        first(&self.hash(context, parts))
    }

    pub(super) fn user(self, old: &str) -> UserId {
        UserId::from_random(self.short("legacy-user", &[old]))
    }

    pub(super) fn agent(self, old: &str) -> AgentId {
        AgentId::from_random(self.hash("legacy-agent", &[old]))
    }

    pub(super) fn host(self, source: &str, old: &str) -> HostId {
        HostId::from_random(self.short("legacy-host", &[source, old]))
    }

    pub(super) fn event(self, source: &str, old: &str) -> EventId {
        EventId::from_random(self.short("legacy-event", &[source, old]))
    }

    pub(super) fn booking(self, source: &str, event: &str, old: &str) -> BookingId {
        BookingId::from_random(self.short("legacy-booking", &[source, event, old]))
    }

    pub(super) fn guest(self, host: &str, old: &str) -> GuestId {
        GuestId::from_random(self.short("legacy-guest", &[host, old]))
    }

    pub(super) fn codes(self, host: &str, old: &str) -> Vec<String> {
        let hash = self.hash("legacy-code", &[host, old]);
        hash.chunks_exact(4)
            .take(CODES)
            .map(|bytes| GuestCode::from_random(first(bytes)).to_string())
            .collect()
    }

    /// A moment within this second that no other booking of the person has, and its id.
    pub(super) fn stamp(self, second: i64, booking: &str) -> Option<(i64, [u8; 16])> {
        let hash = self.hash("legacy-stamp", &[booking]);
        let fraction = u64::from_be_bytes(first(&hash)) % SECOND_NS.unsigned_abs();
        let (_, rest) = hash.split_first_chunk::<8>()?;
        let node = u16::from_be_bytes(first(rest));
        let (_, rest) = rest.split_first_chunk::<2>()?;
        let life = u32::from_be_bytes(first(rest)) & NodeIdentity::INCARNATION_MAX;
        let at = second
            .checked_mul(SECOND_NS)?
            .checked_add(i64::try_from(fraction).ok()?)?;
        let id = TimestampId::new(u64::try_from(at).ok()?, NodeIdentity::new(node, life)?)?;
        Some((at, id.to_bytes()))
    }
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes
        .first_chunk()
        .expect("a hash of 32 bytes is longer than any id")
}
