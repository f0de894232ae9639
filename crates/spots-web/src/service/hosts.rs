//! Hosts, what they ask for, and their guests.

use jiff::Timestamp;
use spots_booking::{
    BookingId, CodePart, EventId, EventType, FieldName, FieldRule, GuestId, HostId, HostKind,
    Placed, Requirements, value,
};
use spots_host::ServiceError;
use spots_privacy::Personal;
use spots_privacy::consent::Person;
use spots_store::call_off::CalledOff;
use spots_store::model::{Channel, GuestRecord, Host, OpenGuests, RequirementsRecord};
use spots_store::{Page, PageRequest};

use super::{Answer, Ctx, stored, unopened};

/// A host to add.
#[derive(Clone, Debug)]
pub struct NewHost {
    /// What it is called.
    pub name: String,
    /// What it is.
    pub kind: HostKind,
}

/// Proof that a person acts for a host.
#[derive(Clone, Debug)]
pub struct Member {
    host: Host,
}

impl Member {
    /// The host.
    pub fn host(&self) -> &Host {
        &self.host
    }
}

/// A guest as the host sees them.
#[derive(Debug)]
pub struct Guest {
    /// The guest's handle at this host.
    pub guest: GuestId,
    /// The booking.
    pub booking: BookingId,
    /// The code for the door.
    pub code: String,
    /// When and how many.
    pub placed: Placed,
    /// Whether the booking was cancelled.
    pub cancelled: bool,
    /// The grant under which it is read: the share.
    pub grant: Option<String>,
    /// What is shared now.
    pub fields: Vec<GuestField>,
}

/// Which guests a host reads.
#[derive(Clone, Copy, Debug)]
pub struct GuestQuery {
    /// Of this event.
    pub event: EventId,
    /// Of the time that begins then.
    pub starts_at: Option<Timestamp>,
    /// Whose code contains this.
    pub code: Option<CodePart>,
    /// Through what.
    pub channel: Channel,
}

/// One field that a guest shares now.
#[derive(Debug)]
pub struct GuestField {
    /// Which.
    pub field: FieldName,
    /// Its value.
    pub value: Personal,
}

/// Adds a host; who adds it acts for it.
pub async fn add_host(ctx: &Ctx, person: &Person, new: NewHost) -> Answer<Host> {
    let name = value::line(&new.name)
        .map_err(|message| ServiceError::field("name", "invalid", message))?;
    let host = Host {
        id: HostId::from_random(spots_privacy::random::bytes(ctx.random())),
        kind: new.kind,
        name,
    };
    ctx.store()
        .add_host(host.clone(), person.user())
        .await
        .map_err(stored)?;
    Ok(host)
}

/// Looks up a host, for anyone.
pub async fn host(ctx: &Ctx, host: HostId) -> Answer<Host> {
    ctx.store()
        .lookup_host(host)
        .await
        .map_err(stored)?
        .ok_or(ServiceError::not_found("host"))
}

/// The hosts that a person acts for.
pub async fn hosts_of(ctx: &Ctx, person: &Person) -> Answer<Vec<Host>> {
    ctx.store()
        .list_hosts_of(person.user())
        .await
        .map_err(stored)
}

/// Proves that a person acts for a host.
pub async fn member(ctx: &Ctx, person: &Person, host: HostId) -> Answer<Member> {
    let own = hosts_of(ctx, person).await?;
    if let Some(host) = own.into_iter().find(|own| own.id == host) {
        return Ok(Member { host });
    }
    self::host(ctx, host).await?;
    Err(ServiceError::NotAMember)
}

/// What a host asks for at an event type now, for anyone: people may look before they sign up.
pub async fn requirements(
    ctx: &Ctx,
    host: HostId,
    event_type: EventType,
) -> Answer<RequirementsRecord> {
    self::host(ctx, host).await?;
    ctx.store()
        .lookup_requirements(host, event_type)
        .await
        .map_err(stored)
}

/// Sets what a host asks for at an event type, as its next version.
pub async fn update_requirements(
    ctx: &Ctx,
    member: &Member,
    event_type: EventType,
    rules: Vec<FieldRule>,
) -> Answer<RequirementsRecord> {
    let requirements = Requirements::declare(event_type, 0, rules)?;
    ctx.store()
        .update_requirements(member.host.id, requirements)
        .await
        .map_err(stored)
}

/// The guests of an event with what they share now. Whoever shares sees that it was opened.
pub async fn guests(
    ctx: &Ctx,
    member: &Member,
    query: GuestQuery,
    page: PageRequest,
) -> Answer<Page<Guest>> {
    let record = ctx
        .store()
        .lookup_event(query.event)
        .await
        .map_err(stored)?
        .filter(|record| record.host.id == member.host.id);
    if record.is_none() {
        return Err(ServiceError::not_found("event"));
    }
    let open = OpenGuests {
        host: member.host.id,
        event: query.event,
        starts_at: query.starts_at.map(Timestamp::as_second),
        code: query.code,
        channel: query.channel,
        stamp: ctx.stamp(),
    };
    let Page { items, more } = ctx.store().open_guests(open, page).await.map_err(stored)?;
    let items = items
        .into_iter()
        .map(|record| opened(ctx, record))
        .collect::<Answer<_>>()?;
    Ok(Page { items, more })
}

/// Calls an event of the host off.
pub async fn call_off(ctx: &Ctx, member: &Member, event: EventId) -> Answer<CalledOff> {
    let done = ctx.store().call_off(member.host.id, event, ctx.stamp());
    done.await.map_err(stored)
}

fn opened(ctx: &Ctx, record: GuestRecord) -> Answer<Guest> {
    let grant = record.fields.first().map(|proof| proof.share().to_owned());
    let fields = record
        .fields
        .into_iter()
        .map(|proof| {
            let field = proof
                .field()
                .parse()
                .map_err(|cause| ServiceError::failed("read the name of a field", cause))?;
            let place = format!("{} of {}", proof.field(), proof.share());
            let value = proof.open(ctx.keys()).map_err(unopened(place))?;
            Ok(GuestField { field, value })
        })
        .collect::<Answer<_>>()?;
    Ok(Guest {
        guest: record.guest,
        booking: record.booking,
        code: record.code,
        placed: record.placed,
        cancelled: record.cancelled,
        grant,
        fields,
    })
}
