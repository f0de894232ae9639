//! Events: adding, finding, and their times with places left.

use jiff::Timestamp;
use spots_booking::{EventId, EventType, HostId, NewEvent, Pool, Slot};
use spots_host::ServiceError;
use spots_privacy::random;
use spots_store::model::{EventFilter, EventRecord, EventToAdd, SlotPool};
use spots_store::{Page, PageRequest};

use super::{Answer, Ctx, Member, stored};

/// The most times of one event in one answer.
pub const SLOTS_MAX: usize = 500;
/// The longest text to search for, in characters.
pub const SEARCH_CHARS_MAX: usize = 100;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// In the title, the place or the host's name.
    pub text: Option<String>,
    /// Of this type.
    pub event_type: Option<EventType>,
    /// Of this host; then also those called off or over.
    pub host: Option<HostId>,
    /// Only those over or called off, the latest first; or only the others.
    pub over: Option<bool>,
}

/// A time that can be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSlot {
    /// When.
    pub slot: Slot,
    /// Places left; `None` is unlimited.
    pub left: Option<u32>,
}

/// An event in a list.
#[derive(Clone, Debug)]
pub struct EventSummary {
    /// The event and its host.
    pub record: EventRecord,
    /// The next time, if one is to come.
    pub next: Option<OpenSlot>,
}

/// An event with its times.
#[derive(Clone, Debug)]
pub struct EventDetails {
    /// The event and its host.
    pub record: EventRecord,
    /// Times to come, in order.
    pub slots: Vec<OpenSlot>,
    /// Whether more times follow; ask from the last one on.
    pub more: bool,
}

/// Adds events of a host, all or none. Where the host has an event of the same source, that one is
/// updated. Returns the ids and whether each event is new.
pub async fn add_events(
    ctx: &Ctx,
    member: &Member,
    events: Vec<(NewEvent, Option<String>)>,
) -> Answer<Vec<(EventId, bool)>> {
    let events = events
        .into_iter()
        .map(|(offer, source_uid)| {
            Ok(EventToAdd {
                id: EventId::from_random(random::bytes(ctx.random())),
                offer: offer.check()?,
                source_uid,
            })
        })
        .collect::<Answer<_>>()?;
    ctx.store()
        .add_events(member.host().id, events)
        .await
        .map_err(stored)
}

/// Finds events, the soonest first.
pub async fn search_events(
    ctx: &Ctx,
    query: EventQuery,
    page: PageRequest,
) -> Answer<Page<EventSummary>> {
    let text = query.text.filter(|text| !text.trim().is_empty());
    if text
        .as_ref()
        .is_some_and(|text| text.chars().count() > SEARCH_CHARS_MAX)
    {
        let message = format!("Search for at most {SEARCH_CHARS_MAX} characters.");
        return Err(ServiceError::field("q", "too-long", message));
    }
    let filter = EventFilter {
        event_type: query.event_type,
        host: query.host,
        text: text.map(|text| text.trim().to_owned()),
        over: query.over,
    };
    let found = ctx
        .store()
        .list_events(filter, ctx.stamp(), page)
        .await
        .map_err(stored)?;
    let mut items = Vec::with_capacity(found.items.len());
    for record in found.items {
        let (slots, _) = open_slots(ctx, &record, ctx.now(), 1).await?;
        let next = slots.into_iter().next();
        items.push(EventSummary { record, next });
    }
    Ok(Page {
        items,
        more: found.more,
    })
}

/// Looks up an event with its times from a moment on, at the earliest now.
pub async fn event(ctx: &Ctx, id: EventId, from: Option<Timestamp>) -> Answer<EventDetails> {
    details(ctx, record(ctx, id).await?, from).await
}

/// Whether the host called an event off.
pub async fn is_called_off(ctx: &Ctx, id: EventId) -> Answer<bool> {
    Ok(record(ctx, id).await?.event.called_off)
}

/// Looks up an event of a host with its times. One of another host is not there, and is looked at no
/// further, so that it takes no longer to say so.
pub async fn event_of(ctx: &Ctx, member: &Member, id: EventId) -> Answer<EventDetails> {
    let record = record(ctx, id).await?;
    if record.host.id != member.host().id {
        return Err(ServiceError::not_found("event"));
    }
    details(ctx, record, None).await
}

async fn details(ctx: &Ctx, record: EventRecord, from: Option<Timestamp>) -> Answer<EventDetails> {
    let from = from.unwrap_or(Timestamp::MIN).max(ctx.now());
    let (slots, more) = open_slots(ctx, &record, from, SLOTS_MAX).await?;
    Ok(EventDetails {
        record,
        slots,
        more,
    })
}

pub(super) async fn record(ctx: &Ctx, id: EventId) -> Answer<EventRecord> {
    ctx.store()
        .lookup_event(id)
        .await
        .map_err(stored)?
        .ok_or(ServiceError::not_found("event"))
}

async fn open_slots(
    ctx: &Ctx,
    record: &EventRecord,
    from: Timestamp,
    most: usize,
) -> Answer<(Vec<OpenSlot>, bool)> {
    let now = ctx.now();
    let offer = &record.event.offer;
    // One that begins at this very moment cannot be booked any more.
    let mut slots: Vec<_> = offer
        .slots_from(from, now, most + 2)
        .into_iter()
        .filter(|slot| slot.starts_at > now)
        .collect();
    let more = slots.len() > most;
    slots.truncate(most);
    if record.event.called_off {
        return Ok((Vec::new(), false));
    }
    let pools = match offer.capacity {
        Some(_) if !slots.is_empty() => ctx
            .store()
            .list_pools(record.host.id, record.event.id)
            .await
            .map_err(stored)?,
        _ => Vec::new(),
    };
    let open = |slot: Slot| OpenSlot {
        slot,
        left: left(&pools, slot, offer.capacity),
    };
    Ok((slots.into_iter().map(open).collect(), more))
}

fn left(pools: &[SlotPool], slot: Slot, capacity: Option<u32>) -> Option<u32> {
    pools
        .iter()
        .find(|pool| pool.starts_at == slot.starts_at.as_second())
        .map_or(Pool::untouched(capacity), |pool| pool.pool)
        .left()
}
