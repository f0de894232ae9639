//! The host part's trait over the service: who comes in as whom, and what they do there.

use async_trait::async_trait;
use axum::http::HeaderMap;
use jiff::Timestamp;
use spots_booking::{EventId, EventType, FieldRule, HostId, HostKind, NewEvent};
use spots_host::ServiceError;
use spots_host::desk::{
    Asked, CalledOffCard, EventCard, EventsWanted, FrontDoor, GuestCard, GuestsWanted, HostCard,
    HostDesk, OpenTime, Part, PartRequest, Through,
};
use spots_privacy::Personal;
use spots_store::model::{Channel, EventRecord, Host, RequirementsRecord};
use spots_store::{Page, PageRequest};

use crate::http::session_token;
use crate::platform::Platform;
use crate::service::{self, Ctx, EventQuery, Guest, GuestQuery, Member, NewHost, OpenSlot, Person};

/// The platform's front door for hosts.
#[derive(Debug)]
pub(crate) struct Door {
    platform: Platform,
}

impl Door {
    pub(crate) fn new(platform: Platform) -> Self {
        Self { platform }
    }

    async fn person(&self, ctx: &Ctx, headers: &HeaderMap) -> Result<Person, ServiceError> {
        let token =
            session_token(headers, self.platform.settings()).ok_or(ServiceError::NotSignedIn)?;
        service::person(ctx, token).await
    }
}

#[async_trait]
impl FrontDoor for Door {
    async fn host(&self, host: HostId) -> Result<HostCard, ServiceError> {
        let ctx = Ctx::begin(&self.platform)?;
        Ok(host_card(service::host(&ctx, host).await?))
    }

    async fn asked(&self, host: HostId, event_type: EventType) -> Result<Asked, ServiceError> {
        let ctx = Ctx::begin(&self.platform)?;
        Ok(asked(service::requirements(&ctx, host, event_type).await?))
    }

    async fn own_hosts(&self, headers: &HeaderMap) -> Result<Vec<HostCard>, ServiceError> {
        let ctx = Ctx::begin(&self.platform)?;
        let person = self.person(&ctx, headers).await?;
        let hosts = service::hosts_of(&ctx, &person).await?;
        Ok(hosts.into_iter().map(host_card).collect())
    }

    async fn add_host(
        &self,
        headers: &HeaderMap,
        name: String,
        kind: HostKind,
    ) -> Result<HostCard, ServiceError> {
        let ctx = Ctx::begin(&self.platform)?;
        let person = self.person(&ctx, headers).await?;
        let host = service::add_host(&ctx, &person, NewHost { name, kind }).await?;
        Ok(host_card(host))
    }

    async fn admit(
        &self,
        headers: &HeaderMap,
        host: HostId,
    ) -> Result<Box<dyn HostDesk>, ServiceError> {
        let ctx = Ctx::begin(&self.platform)?;
        let person = self.person(&ctx, headers).await?;
        let member = service::member(&ctx, &person, host).await?;
        let card = host_card(member.host().clone());
        Ok(Box::new(Desk { ctx, member, card }))
    }
}

/// One member at the desk of their host.
#[derive(Debug)]
struct Desk {
    ctx: Ctx,
    member: Member,
    card: HostCard,
}

#[async_trait]
impl HostDesk for Desk {
    fn host(&self) -> &HostCard {
        &self.card
    }

    fn now(&self) -> Timestamp {
        self.ctx.now()
    }

    async fn ask(
        &self,
        event_type: EventType,
        rules: Vec<FieldRule>,
    ) -> Result<Asked, ServiceError> {
        service::update_requirements(&self.ctx, &self.member, event_type, rules)
            .await
            .map(asked)
    }

    async fn members(&self) -> Result<u64, ServiceError> {
        service::count_member_list(&self.ctx, &self.member).await
    }

    async fn set_members(&self, entries: Vec<String>) -> Result<u64, ServiceError> {
        let entries: Vec<_> = entries.into_iter().map(Personal::new).collect();
        service::update_member_list(&self.ctx, &self.member, &entries).await
    }

    async fn add_events(
        &self,
        events: Vec<(NewEvent, Option<String>)>,
    ) -> Result<Vec<(EventId, bool)>, ServiceError> {
        service::add_events(&self.ctx, &self.member, events).await
    }

    async fn events(
        &self,
        wanted: EventsWanted,
        part_wanted: PartRequest,
    ) -> Result<Part<EventCard>, ServiceError> {
        let query = EventQuery {
            text: wanted.text,
            host: Some(self.card.id),
            over: wanted.over,
            ..EventQuery::default()
        };
        let found = service::search_events(&self.ctx, query, page(part_wanted)).await?;
        Ok(part(found, |summary| {
            let times = summary.next.into_iter().collect();
            event_card(summary.record, times, false)
        }))
    }

    async fn event(&self, event: EventId) -> Result<EventCard, ServiceError> {
        let details = service::event_of(&self.ctx, &self.member, event).await?;
        Ok(event_card(details.record, details.slots, details.more))
    }

    async fn call_off(&self, event: EventId) -> Result<CalledOffCard, ServiceError> {
        let done = service::call_off(&self.ctx, &self.member, event).await?;
        Ok(CalledOffCard {
            bookings: done.bookings,
            fields: done.fields,
        })
    }

    async fn guests(
        &self,
        event: EventId,
        wanted: GuestsWanted,
        part_wanted: PartRequest,
    ) -> Result<Part<GuestCard>, ServiceError> {
        let query = GuestQuery {
            event,
            starts_at: wanted.starts_at,
            code: wanted.code,
            channel: match wanted.through {
                Through::Page => Channel::Page,
                Through::Api => Channel::Api,
                Through::Download => Channel::Download,
            },
        };
        let guests = service::guests(&self.ctx, &self.member, query, page(part_wanted)).await?;
        Ok(part(guests, guest_card))
    }
}

pub(crate) fn page(wanted: PartRequest) -> PageRequest {
    PageRequest {
        offset: wanted.offset,
        limit: wanted.limit,
    }
}

pub(crate) fn part<T, U>(page: Page<T>, form: impl FnMut(T) -> U) -> Part<U> {
    Part {
        items: page.items.into_iter().map(form).collect(),
        more: page.more,
    }
}

pub(crate) fn host_card(host: Host) -> HostCard {
    HostCard {
        id: host.id,
        kind: host.kind,
        name: host.name,
    }
}

pub(crate) fn asked(record: RequirementsRecord) -> Asked {
    Asked {
        requirements: record.requirements,
        hash: record.hash,
    }
}

pub(crate) fn event_card(record: EventRecord, slots: Vec<OpenSlot>, more: bool) -> EventCard {
    let time = |open: OpenSlot| OpenTime {
        slot: open.slot,
        left: open.left,
    };
    EventCard {
        event: record.event,
        host: host_card(record.host),
        times: slots.into_iter().map(time).collect(),
        more,
    }
}

fn guest_card(guest: Guest) -> GuestCard {
    let fields = guest.fields.into_iter();
    GuestCard {
        guest: guest.guest,
        booking: guest.booking,
        code: guest.code,
        placed: guest.placed,
        cancelled: guest.cancelled,
        grant: guest.grant,
        fields: fields
            .map(|shared| (shared.field, shared.value.disclose().to_owned()))
            .collect(),
    }
}
