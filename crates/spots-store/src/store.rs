//! The operations.

pub mod agents;
pub mod call_off;
pub(crate) mod credentials;
pub mod journal;
pub mod keys;
pub mod ledger;
pub(crate) mod order;
pub mod rights;
pub mod vouchers;

use async_trait::async_trait;
use spots_booking::{BookingId, EventId, EventType, FieldName, HostId, Requirements};
use spots_privacy::UserId;
use spots_privacy::consent::{Session, StoredPerson};
use spots_privacy::{AgentId, SealedField};

use self::agents::AgentStore;
use self::call_off::CallOffStore;
use self::credentials::CredentialStore;
use self::journal::JournalStore;
use self::keys::KeyStore;
use self::ledger::LedgerStore;
use self::order::OrderStore;
use self::rights::RightsStore;
use self::vouchers::VoucherStore;
use crate::error::StoreError;
use crate::model::{
    Book, Booked, BookingRecord, Credentials, EventFilter, EventRecord, EventToAdd, GuestRecord,
    Host, Message, NewAccount, OpenGuests, Opening, Page, PageRequest, ProfileField, Removal,
    RequirementsRecord, Selection, ShareFilter, SharedField, SlotPool, Stamp,
};

/// What the platform does with its database. Every operation is all or nothing, and durable when
/// it is answered.
#[async_trait]
pub trait Store:
    AgentStore
    + CallOffStore
    + CredentialStore
    + JournalStore
    + KeyStore
    + LedgerStore
    + OrderStore
    + RightsStore
    + VoucherStore
    + Send
    + Sync
{
    /// Adds an account; refused when the e-mail address has one.
    async fn add_account(&self, account: NewAccount) -> Result<(), StoreError>;

    /// Finds what sign-in compares with, by the keyed hash of the e-mail address.
    async fn find_credentials(
        &self,
        email_lookup: [u8; 32],
    ) -> Result<Option<Credentials>, StoreError>;

    /// Adds a session.
    async fn add_session(&self, session: Session) -> Result<(), StoreError>;

    /// Looks up a session by the hash of its token, with what it takes to unlock its person.
    async fn lookup_session(
        &self,
        token_hash: [u8; 32],
    ) -> Result<Option<(Session, StoredPerson)>, StoreError>;

    /// Ends a session.
    async fn remove_session(&self, token_hash: [u8; 32]) -> Result<(), StoreError>;

    /// Lists the sealed fields of a profile.
    async fn list_profile(&self, user: &UserId) -> Result<Vec<ProfileField>, StoreError>;

    /// Sets fields of a profile; `None` removes one. With the keyed hash of an e-mail address it is
    /// that address that signs in from now on; refused when another account has it.
    async fn update_profile(
        &self,
        user: &UserId,
        fields: Vec<(String, Option<SealedField>)>,
        email_lookup: Option<[u8; 32]>,
    ) -> Result<(), StoreError>;

    /// Lists which fields a person shares by default, by scope: an event type or a host id.
    async fn list_sharing_defaults(
        &self,
        user: &UserId,
    ) -> Result<Vec<(String, Vec<FieldName>)>, StoreError>;

    /// Sets what a person shares by default in one scope; `None` removes the scope.
    async fn update_sharing_defaults(
        &self,
        user: &UserId,
        scope: String,
        fields: Option<Vec<FieldName>>,
    ) -> Result<(), StoreError>;

    /// Deletes an account: destroys its keys and the keys of all it shared, cancels what is to
    /// come, ends its sessions. What is over stays in the hosts' books under the guest's handle.
    /// An account that is gone already is not refused; there was nothing to do.
    async fn remove_account(
        &self,
        user: &UserId,
        agent: &AgentId,
        stamp: Stamp,
    ) -> Result<Removal, StoreError>;

    /// Adds a host with its first member.
    async fn add_host(&self, host: Host, member: &UserId) -> Result<(), StoreError>;

    /// Looks up a host.
    async fn lookup_host(&self, host: HostId) -> Result<Option<Host>, StoreError>;

    /// Lists the hosts that a person acts for.
    async fn list_hosts_of(&self, user: &UserId) -> Result<Vec<Host>, StoreError>;

    /// Looks up what a host asks now; version 0 where it never asked for anything.
    async fn lookup_requirements(
        &self,
        host: HostId,
        event_type: EventType,
    ) -> Result<RequirementsRecord, StoreError>;

    /// Looks up what a host asked at a version.
    async fn lookup_requirements_at(
        &self,
        host: HostId,
        event_type: EventType,
        version: u32,
    ) -> Result<Option<RequirementsRecord>, StoreError>;

    /// Stores what a host asks as the next version; the same as now changes nothing.
    async fn update_requirements(
        &self,
        host: HostId,
        requirements: Requirements,
    ) -> Result<RequirementsRecord, StoreError>;

    /// Adds events of a host, all or none. Returns their ids and whether each is new.
    async fn add_events(
        &self,
        host: HostId,
        events: Vec<EventToAdd>,
    ) -> Result<Vec<(EventId, bool)>, StoreError>;

    /// Looks up an event with its host.
    async fn lookup_event(&self, event: EventId) -> Result<Option<EventRecord>, StoreError>;

    /// Lists events by their next time, then id.
    async fn list_events(
        &self,
        filter: EventFilter,
        now: Stamp,
        page: PageRequest,
    ) -> Result<Page<EventRecord>, StoreError>;

    /// Lists the places of slots that were booked at least once.
    async fn list_pools(&self, host: HostId, event: EventId) -> Result<Vec<SlotPool>, StoreError>;

    /// Takes a booking, with its share. What refuses it, in this order: another request under the
    /// same key; no account (any more); no such event at this host; the event, the party or the
    /// time (see [`check`](spots_booking::decision::check)); requirements that changed since; too
    /// few places. A repeated request is answered before anything else is looked at, also after the
    /// booking was cancelled or its share revoked.
    async fn book(&self, book: Book) -> Result<Booked, StoreError>;

    /// Cancels a booking of this person: gives its places back and ends its share. One that is
    /// cancelled already or has begun is refused.
    async fn cancel(
        &self,
        agent: &AgentId,
        booking: BookingId,
        stamp: Stamp,
    ) -> Result<(), StoreError>;

    /// Lists a person's bookings, the newest first.
    async fn list_bookings(
        &self,
        agent: &AgentId,
        page: PageRequest,
    ) -> Result<Page<BookingRecord>, StoreError>;

    /// Looks up a booking of this person.
    async fn lookup_booking(
        &self,
        agent: &AgentId,
        booking: BookingId,
    ) -> Result<Option<BookingRecord>, StoreError>;

    /// Lists what a person shares, by host, booking and field.
    async fn list_shares(
        &self,
        agent: &AgentId,
        filter: ShareFilter,
        now: Stamp,
        page: PageRequest,
    ) -> Result<Page<SharedField>, StoreError>;

    /// Lists when hosts opened what a person shared, the newest first.
    async fn list_openings(
        &self,
        agent: &AgentId,
        page: PageRequest,
    ) -> Result<Page<Opening>, StoreError>;

    /// Takes back what is selected and destroys its keys. Returns how many fields ended. A share
    /// that is named and not this person's is refused; one that ended already gives 0, so that a
    /// request may be repeated.
    async fn revoke(
        &self,
        agent: &AgentId,
        selection: Selection,
        stamp: Stamp,
    ) -> Result<u64, StoreError>;

    /// Lists the guests of a host's event with proofs for what may be read now, and records the
    /// opening in the same transaction.
    async fn open_guests(
        &self,
        open: OpenGuests,
        page: PageRequest,
    ) -> Result<Page<GuestRecord>, StoreError>;

    /// Destroys the keys of fields whose time is over, at most `most` of them; returns how many.
    /// They do not count as revoked, and nobody is told.
    async fn expire(&self, stamp: Stamp, most: u32) -> Result<u64, StoreError>;

    /// Lists messages that wait and are due.
    async fn list_messages(&self, now: Stamp, most: u32) -> Result<Vec<Message>, StoreError>;

    /// Answers whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;
}
