//! Who vouches for people: the e-mail addresses that they confirmed, and hosts' own lists.

use async_trait::async_trait;
use spots_booking::HostId;
use spots_privacy::UserId;

use crate::error::StoreError;
use crate::model::Stamp;

/// Entries of one host's list of members.
pub const MEMBER_LIST_MAX: usize = 5_000;

/// What became of an address that a person asked to confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// When the last letter went out, in nanoseconds.
    pub sent_at_ns: i64,
    /// When the person proved that they read it; `None` if they have not.
    pub confirmed_at_ns: Option<i64>,
}

/// A letter that goes out to confirm an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewConfirmation {
    /// Keyed hash of the address.
    pub address_lookup: [u8; 32],
    /// SHA-256 of the letter's token; it replaces that of a letter before.
    pub token_hash: [u8; 32],
    /// Refused if the last letter went out after this moment, in nanoseconds.
    pub last_before_ns: i64,
    /// The moment.
    pub stamp: Stamp,
}

/// A token that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Keyed hash of the person's address as it is now.
    pub address_lookup: [u8; 32],
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// Nothing that was sent before this moment counts, in nanoseconds.
    pub sent_since_ns: i64,
    /// The moment.
    pub stamp: Stamp,
}

/// What the platform does with those who vouch.
#[async_trait]
pub trait VoucherStore: Send + Sync {
    /// Looks up what became of this address of this person.
    async fn lookup_confirmation(
        &self,
        user: &UserId,
        address_lookup: [u8; 32],
    ) -> Result<Option<Confirmation>, StoreError>;

    /// Notes a letter that goes out; says whether it may: not so soon after the last one, and not
    /// for an address that is confirmed.
    async fn add_confirmation(
        &self,
        user: &UserId,
        new: NewConfirmation,
    ) -> Result<bool, StoreError>;

    /// Confirms an address by the token of its letter, once; says whether it was that token.
    async fn confirm_address(
        &self,
        user: &UserId,
        presented: Presented,
    ) -> Result<bool, StoreError>;

    /// Replaces a host's list of members by these keyed hashes. Returns how many there are.
    async fn update_member_list(
        &self,
        host: HostId,
        entries: Vec<[u8; 32]>,
    ) -> Result<u64, StoreError>;

    /// Counts the entries of a host's list.
    async fn count_member_list(&self, host: HostId) -> Result<u64, StoreError>;

    /// Answers whether a host's list holds this keyed hash.
    async fn is_on_member_list(&self, host: HostId, entry: [u8; 32]) -> Result<bool, StoreError>;
}
