//! The host part's trait over the service: who comes in as whom, and what they do there.

use async_trait::async_trait;
use axum::http::HeaderMap;
use spots_booking::{EventId, EventType, FieldRule, HostId, NewEvent};
use spots_host::ServiceError;
use spots_host::desk::{
    Asked, EventCard, FrontDoor, GuestCard, HostCard, HostDesk, OpenTime, Part, PartRequest,
    Through,
};
use spots_store::model::{Channel, EventRecord, Host, RequirementsRecord};
use spots_store::{Page, PageRequest};

use crate::http::session_token;
use crate::platform::Platform;
use crate::service::{self, Ctx, EventQuery, Guest, Member, OpenSlot};

/// The platform's front door for hosts.
#[derive(Debug)]
pub(crate) struct Door {
    platform: Platform,
}

impl Door {
    pub(crate) fn new(platform: Platform) -> Self {
        Self { platform }
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

    async fn admit(
        &self,
        headers: &HeaderMap,
        host: HostId,
    ) -> Result<Box<dyn HostDesk>, ServiceError> {
        let ctx = Ctx::begin(&self.platform)?;
        let token =
            session_token(headers, self.platform.settings()).ok_or(ServiceError::NotSignedIn)?;
        let person = service::person(&ctx, token).await?;
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

    async fn ask(
        &self,
        event_type: EventType,
        rules: Vec<FieldRule>,
    ) -> Result<Asked, ServiceError> {
        service::update_requirements(&self.ctx, &self.member, event_type, rules)
            .await
            .map(asked)
    }

    async fn add_events(
        &self,
        events: Vec<(NewEvent, Option<String>)>,
    ) -> Result<Vec<(EventId, bool)>, ServiceError> {
        service::add_events(&self.ctx, &self.member, events).await
    }

    async fn events(&self, wanted: PartRequest) -> Result<Part<EventCard>, ServiceError> {
        let query = EventQuery {
            host: Some(self.card.id),
            ..EventQuery::default()
        };
        let found = service::search_events(&self.ctx, query, page(wanted)).await?;
        Ok(part(found, |summary| {
            let times = summary.next.into_iter().collect();
            event_card(summary.record, times, false)
        }))
    }

    async fn event(&self, event: EventId) -> Result<EventCard, ServiceError> {
        let details = service::event(&self.ctx, event, None).await?;
        if details.record.host.id != self.card.id {
            return Err(ServiceError::not_found("event"));
        }
        Ok(event_card(details.record, details.slots, details.more))
    }

    async fn guests(
        &self,
        event: EventId,
        through: Through,
        wanted: PartRequest,
    ) -> Result<Part<GuestCard>, ServiceError> {
        let channel = match through {
            Through::Page => Channel::Page,
            Through::Api => Channel::Api,
        };
        let guests = service::guests(&self.ctx, &self.member, event, channel, page(wanted)).await?;
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
        fields: fields
            .map(|shared| (shared.field, shared.value.disclose().to_owned()))
            .collect(),
    }
}
