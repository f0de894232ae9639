//! The trait, operation by operation.

use async_trait::async_trait;
use spots_booking::{BookingId, EventId, EventType, FieldName, HostId, Requirements};
use spots_privacy::consent::{Session, StoredPerson};
use spots_privacy::{AgentId, SealedField, UserId};

use super::{SqliteStore, accounts, bookings, events, guests, hosts, shares};
use crate::error::StoreError;
use crate::model::{
    Book, Booked, BookingRecord, Credentials, EventFilter, EventRecord, EventToAdd, GuestRecord,
    Host, Message, NewAccount, OpenGuests, Opening, Page, PageRequest, ProfileField, Removal,
    RequirementsRecord, Selection, ShareFilter, SharedField, SlotPool, Stamp,
};
use crate::store::Store;

#[async_trait]
impl Store for SqliteStore {
    async fn add_account(&self, account: NewAccount) -> Result<(), StoreError> {
        self.write("add an account", move |db| accounts::add(db, &account))
            .await
    }

    async fn find_credentials(
        &self,
        email_lookup: [u8; 32],
    ) -> Result<Option<Credentials>, StoreError> {
        self.read("find an account", move |db| {
            accounts::find_credentials(db, email_lookup)
        })
        .await
    }

    async fn add_session(&self, session: Session) -> Result<(), StoreError> {
        self.write("add a session", move |db| {
            accounts::add_session(db, &session)
        })
        .await
    }

    async fn lookup_session(
        &self,
        token_hash: [u8; 32],
    ) -> Result<Option<(Session, StoredPerson)>, StoreError> {
        self.read("look up a session", move |db| {
            accounts::lookup_session(db, token_hash)
        })
        .await
    }

    async fn remove_session(&self, token_hash: [u8; 32]) -> Result<(), StoreError> {
        self.write("end a session", move |db| {
            accounts::remove_session(db, token_hash)
        })
        .await
    }

    async fn list_profile(&self, user: &UserId) -> Result<Vec<ProfileField>, StoreError> {
        let user = user.reveal();
        self.read("read a profile", move |db| {
            accounts::list_profile(db, &user)
        })
        .await
    }

    async fn update_profile(
        &self,
        user: &UserId,
        fields: Vec<(String, Option<SealedField>)>,
        email_lookup: Option<[u8; 32]>,
    ) -> Result<(), StoreError> {
        let user = user.reveal();
        self.write("update a profile", move |db| {
            if let Some(email_lookup) = email_lookup {
                accounts::set_address(db, &user, email_lookup)?;
            }
            fields.iter().try_for_each(|(field, sealed)| {
                accounts::set_field(db, &user, field, sealed.as_ref())
            })
        })
        .await
    }

    async fn list_sharing_defaults(
        &self,
        user: &UserId,
    ) -> Result<Vec<(String, Vec<FieldName>)>, StoreError> {
        let user = user.reveal();
        self.read("read sharing defaults", move |db| {
            accounts::list_defaults(db, &user)
        })
        .await
    }

    async fn update_sharing_defaults(
        &self,
        user: &UserId,
        scope: String,
        fields: Option<Vec<FieldName>>,
    ) -> Result<(), StoreError> {
        let user = user.reveal();
        self.write("update sharing defaults", move |db| {
            accounts::set_defaults(db, &user, &scope, fields.as_deref())
        })
        .await
    }

    async fn remove_account(
        &self,
        user: &UserId,
        agent: &AgentId,
        stamp: Stamp,
    ) -> Result<Removal, StoreError> {
        let (user, agent) = (user.reveal(), agent.reveal());
        let clock = self.clock();
        self.write("delete an account", move |db| {
            accounts::remove(db, &clock, (&user, &agent), stamp)
        })
        .await
    }

    async fn add_host(&self, host: Host, member: &UserId) -> Result<(), StoreError> {
        let member = member.reveal();
        self.write("add a host", move |db| hosts::add(db, &host, &member))
            .await
    }

    async fn lookup_host(&self, host: HostId) -> Result<Option<Host>, StoreError> {
        self.read_public("look up a host", move |db| hosts::lookup(db, host))
            .await
    }

    async fn list_hosts_of(&self, user: &UserId) -> Result<Vec<Host>, StoreError> {
        let user = user.reveal();
        self.read("list hosts", move |db| hosts::list_of(db, &user))
            .await
    }

    async fn lookup_requirements(
        &self,
        host: HostId,
        event_type: EventType,
    ) -> Result<RequirementsRecord, StoreError> {
        self.read_public("read requirements", move |db| {
            hosts::current_requirements(db, host, event_type)
        })
        .await
    }

    async fn lookup_requirements_at(
        &self,
        host: HostId,
        event_type: EventType,
        version: u32,
    ) -> Result<Option<RequirementsRecord>, StoreError> {
        self.read_public("read requirements", move |db| {
            hosts::lookup_requirements(db, host, event_type, Some(version))
        })
        .await
    }

    async fn update_requirements(
        &self,
        host: HostId,
        requirements: Requirements,
    ) -> Result<RequirementsRecord, StoreError> {
        self.write("update requirements", move |db| {
            hosts::update_requirements(db, host, &requirements)
        })
        .await
    }

    async fn add_events(
        &self,
        host: HostId,
        events: Vec<EventToAdd>,
    ) -> Result<Vec<(EventId, bool)>, StoreError> {
        self.write("add events", move |db| events::add(db, host, &events))
            .await
    }

    async fn lookup_event(&self, event: EventId) -> Result<Option<EventRecord>, StoreError> {
        self.read_public("look up an event", move |db| events::lookup(db, event))
            .await
    }

    async fn list_events(
        &self,
        filter: EventFilter,
        now: Stamp,
        page: PageRequest,
    ) -> Result<Page<EventRecord>, StoreError> {
        self.read_public("list events", move |db| {
            events::list(db, &filter, now, page)
        })
        .await
    }

    async fn list_pools(&self, host: HostId, event: EventId) -> Result<Vec<SlotPool>, StoreError> {
        self.read_public("list places", move |db| events::list_pools(db, host, event))
            .await
    }

    async fn book(&self, book: Book) -> Result<Booked, StoreError> {
        let clock = self.clock();
        self.write("take a booking", move |db| {
            bookings::book(db, &clock, &book)
        })
        .await
    }

    async fn cancel(
        &self,
        agent: &AgentId,
        booking: BookingId,
        stamp: Stamp,
    ) -> Result<(), StoreError> {
        let agent = agent.reveal();
        let clock = self.clock();
        self.write("cancel a booking", move |db| {
            bookings::cancel_one(db, &clock, (&agent, booking), stamp)
        })
        .await
    }

    async fn list_bookings(
        &self,
        agent: &AgentId,
        page: PageRequest,
    ) -> Result<Page<BookingRecord>, StoreError> {
        let agent = agent.reveal();
        self.read("list bookings", move |db| bookings::list(db, &agent, page))
            .await
    }

    async fn lookup_booking(
        &self,
        agent: &AgentId,
        booking: BookingId,
    ) -> Result<Option<BookingRecord>, StoreError> {
        let agent = agent.reveal();
        self.read("look up a booking", move |db| {
            bookings::lookup(db, &agent, booking)
        })
        .await
    }

    async fn list_shares(
        &self,
        agent: &AgentId,
        filter: ShareFilter,
        now: Stamp,
        page: PageRequest,
    ) -> Result<Page<SharedField>, StoreError> {
        let agent = agent.reveal();
        self.read("list shares", move |db| {
            shares::list(db, &agent, filter, now, page)
        })
        .await
    }

    async fn list_openings(
        &self,
        agent: &AgentId,
        page: PageRequest,
    ) -> Result<Page<Opening>, StoreError> {
        let agent = agent.reveal();
        self.read("list openings", move |db| {
            shares::list_openings(db, &agent, page)
        })
        .await
    }

    async fn revoke(
        &self,
        agent: &AgentId,
        selection: Selection,
        stamp: Stamp,
    ) -> Result<u64, StoreError> {
        let agent = agent.reveal();
        self.write("revoke shares", move |db| {
            shares::revoke(db, &agent, &selection, stamp)
        })
        .await
    }

    async fn open_guests(
        &self,
        open: OpenGuests,
        page: PageRequest,
    ) -> Result<Page<GuestRecord>, StoreError> {
        const DOING: &str = "open the guests of an event";
        let listed = self
            .read_as_host(DOING, open.host, move |db| guests::list(db, open, page))
            .await?;
        if listed.items.is_empty() {
            return Ok(listed);
        }
        self.write(DOING, move |db| guests::open(db, &open, listed))
            .await
    }

    async fn expire(&self, stamp: Stamp, most: u32) -> Result<u64, StoreError> {
        self.write("end what expired", move |db| {
            shares::expire(db, stamp, most)
        })
        .await
    }

    async fn list_messages(&self, now: Stamp, most: u32) -> Result<Vec<Message>, StoreError> {
        self.read("list messages", move |db| {
            guests::list_messages(db, now, most)
        })
        .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.write("reach the database", |db| Ok(db.execute_batch("SELECT 1")?))
            .await
    }
}
