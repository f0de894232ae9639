//! The trait, operation by operation.

use async_trait::async_trait;
use spots_booking::{BookingId, EventId, EventType, FieldName, HostId, Requirements};
use spots_privacy::consent::{Session, StoredPerson};
use spots_privacy::{AgentId, SealedField, UserId};

use super::session::statements;
use super::{PostgresStore, accounts, bookings, cancel, events, guests, hosts, lanes, shares};
use crate::error::StoreError;
use crate::model::{
    Book, Booked, BookingRecord, Credentials, EventFilter, EventRecord, EventToAdd, GuestRecord,
    Host, Message, NewAccount, OpenGuests, Opening, Page, PageRequest, ProfileField, Removal,
    RequirementsRecord, Selection, ShareFilter, SharedField, SlotPool, Stamp,
};
use crate::store::Store;

const PING: &str = "reach the database";

statements! {
    ONE() = "SELECT 1";
}

#[async_trait]
impl Store for PostgresStore {
    async fn add_account(&self, account: NewAccount) -> Result<(), StoreError> {
        let work = accounts::Add(account);
        self.transact(&work)
            .await
            .map_err(|fault| fault.into_error("add an account"))
    }

    async fn find_credentials(
        &self,
        email_lookup: [u8; 32],
    ) -> Result<Option<Credentials>, StoreError> {
        accounts::find_credentials(self, email_lookup)
            .await
            .map_err(|fault| fault.into_error("find an account"))
    }

    async fn add_session(&self, session: Session) -> Result<(), StoreError> {
        let work = accounts::AddSession(session);
        self.transact(&work)
            .await
            .map_err(|fault| fault.into_error("add a session"))
    }

    async fn lookup_session(
        &self,
        token_hash: [u8; 32],
    ) -> Result<Option<(Session, StoredPerson)>, StoreError> {
        accounts::lookup_session(self, token_hash)
            .await
            .map_err(|fault| fault.into_error("look up a session"))
    }

    async fn remove_session(&self, token_hash: [u8; 32]) -> Result<(), StoreError> {
        accounts::remove_session(self, token_hash)
            .await
            .map_err(|fault| fault.into_error("end a session"))
    }

    async fn list_profile(&self, user: &UserId) -> Result<Vec<ProfileField>, StoreError> {
        accounts::list_profile(self, user)
            .await
            .map_err(|fault| fault.into_error("read a profile"))
    }

    async fn update_profile(
        &self,
        user: &UserId,
        fields: Vec<(String, Option<SealedField>)>,
        email_lookup: Option<[u8; 32]>,
    ) -> Result<(), StoreError> {
        let work = accounts::UpdateProfile {
            user: user.reveal(),
            fields: fields.into_iter().collect(),
            email_lookup,
        };
        self.transact(&work)
            .await
            .map_err(|fault| fault.into_error("update a profile"))
    }

    async fn list_sharing_defaults(
        &self,
        user: &UserId,
    ) -> Result<Vec<(String, Vec<FieldName>)>, StoreError> {
        accounts::list_defaults(self, user)
            .await
            .map_err(|fault| fault.into_error("read sharing defaults"))
    }

    async fn update_sharing_defaults(
        &self,
        user: &UserId,
        scope: String,
        fields: Option<Vec<FieldName>>,
    ) -> Result<(), StoreError> {
        accounts::set_defaults(self, user, &scope, fields.as_deref())
            .await
            .map_err(|fault| fault.into_error("update sharing defaults"))
    }

    async fn remove_account(
        &self,
        user: &UserId,
        agent: &AgentId,
        stamp: Stamp,
    ) -> Result<Removal, StoreError> {
        let work = accounts::Remove {
            user: user.reveal(),
            agent: agent.reveal(),
            stamp,
        };
        self.transact_in_order(work)
            .await
            .map_err(|fault| fault.into_error("delete an account"))
    }

    async fn add_host(&self, host: Host, member: &UserId) -> Result<(), StoreError> {
        let work = hosts::Add {
            host,
            member: member.reveal(),
        };
        self.transact(&work)
            .await
            .map_err(|fault| fault.into_error("add a host"))
    }

    async fn lookup_host(&self, host: HostId) -> Result<Option<Host>, StoreError> {
        hosts::lookup(self, host)
            .await
            .map_err(|fault| fault.into_error("look up a host"))
    }

    async fn list_hosts_of(&self, user: &UserId) -> Result<Vec<Host>, StoreError> {
        hosts::list_of(self, user)
            .await
            .map_err(|fault| fault.into_error("list hosts"))
    }

    async fn lookup_requirements(
        &self,
        host: HostId,
        event_type: EventType,
    ) -> Result<RequirementsRecord, StoreError> {
        hosts::current_requirements(self, host, event_type)
            .await
            .map_err(|fault| fault.into_error("read requirements"))
    }

    async fn lookup_requirements_at(
        &self,
        host: HostId,
        event_type: EventType,
        version: u32,
    ) -> Result<Option<RequirementsRecord>, StoreError> {
        hosts::lookup_requirements(self, host, event_type, Some(version))
            .await
            .map_err(|fault| fault.into_error("read requirements"))
    }

    async fn update_requirements(
        &self,
        host: HostId,
        requirements: Requirements,
    ) -> Result<RequirementsRecord, StoreError> {
        let work = hosts::UpdateRequirements {
            host,
            wanted: requirements,
        };
        self.transact(&work)
            .await
            .map_err(|fault| fault.into_error("update requirements"))
    }

    async fn add_events(
        &self,
        host: HostId,
        events: Vec<EventToAdd>,
    ) -> Result<Vec<(EventId, bool)>, StoreError> {
        let work = events::Add { host, events };
        self.transact(&work)
            .await
            .map_err(|fault| fault.into_error("add events"))
    }

    async fn lookup_event(&self, event: EventId) -> Result<Option<EventRecord>, StoreError> {
        events::lookup(self, event)
            .await
            .map_err(|fault| fault.into_error("look up an event"))
    }

    async fn list_events(
        &self,
        filter: EventFilter,
        now: Stamp,
        page: PageRequest,
    ) -> Result<Page<EventRecord>, StoreError> {
        events::list(self, &filter, now, page)
            .await
            .map_err(|fault| fault.into_error("list events"))
    }

    async fn list_pools(&self, host: HostId, event: EventId) -> Result<Vec<SlotPool>, StoreError> {
        events::list_pools(self, host, event)
            .await
            .map_err(|fault| fault.into_error("list places"))
    }

    async fn book(&self, book: Book) -> Result<Booked, StoreError> {
        lanes::book(self, book).await
    }

    async fn cancel(
        &self,
        agent: &AgentId,
        booking: BookingId,
        stamp: Stamp,
    ) -> Result<(), StoreError> {
        let work = cancel::Cancel {
            agent: agent.reveal(),
            booking,
            stamp,
        };
        self.transact_in_order(work)
            .await
            .map_err(|fault| fault.into_error("cancel a booking"))
    }

    async fn list_bookings(
        &self,
        agent: &AgentId,
        page: PageRequest,
    ) -> Result<Page<BookingRecord>, StoreError> {
        bookings::list(self, agent, page)
            .await
            .map_err(|fault| fault.into_error("list bookings"))
    }

    async fn lookup_booking(
        &self,
        agent: &AgentId,
        booking: BookingId,
    ) -> Result<Option<BookingRecord>, StoreError> {
        bookings::lookup(self, agent, booking)
            .await
            .map_err(|fault| fault.into_error("look up a booking"))
    }

    async fn list_shares(
        &self,
        agent: &AgentId,
        filter: ShareFilter,
        now: Stamp,
        page: PageRequest,
    ) -> Result<Page<SharedField>, StoreError> {
        shares::list(self, agent, filter, now, page)
            .await
            .map_err(|fault| fault.into_error("list shares"))
    }

    async fn list_openings(
        &self,
        agent: &AgentId,
        page: PageRequest,
    ) -> Result<Page<Opening>, StoreError> {
        shares::list_openings(self, agent, page)
            .await
            .map_err(|fault| fault.into_error("list openings"))
    }

    async fn revoke(
        &self,
        agent: &AgentId,
        selection: Selection,
        stamp: Stamp,
    ) -> Result<u64, StoreError> {
        let work = shares::Revoke {
            agent: agent.reveal(),
            selection,
            stamp,
        };
        self.transact(&work)
            .await
            .map_err(|fault| fault.into_error("revoke shares"))
    }

    async fn open_guests(
        &self,
        open: OpenGuests,
        page: PageRequest,
    ) -> Result<Page<GuestRecord>, StoreError> {
        guests::open(self, open, page)
            .await
            .map_err(|fault| fault.into_error("open the guests of an event"))
    }

    async fn expire(&self, stamp: Stamp, most: u32) -> Result<u64, StoreError> {
        let work = shares::Expire { stamp, most };
        self.transact(&work)
            .await
            .map_err(|fault| fault.into_error("end what expired"))
    }

    async fn list_messages(&self, now: Stamp, most: u32) -> Result<Vec<Message>, StoreError> {
        guests::list_messages(self, now, most)
            .await
            .map_err(|fault| fault.into_error("list messages"))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let session = self
            .session()
            .await
            .map_err(|fault| fault.into_error(PING))?;
        let answer = session.run(&ONE, []).await;
        answer.map_err(|cause| StoreError::failed(PING, cause))
    }
}
