//! Booking, a person's own bookings, and cancelling.

use std::collections::BTreeMap;

use jiff::Timestamp;
use spots_booking::attestation::attest;
use spots_booking::{
    BookingId, EventId, EventType, FieldName, FieldProblem, FieldRule, FieldValue, GuestCode,
    GuestId, Refusal, Request, Requirements, ShareId, Slot, ValueKind,
};
use spots_host::ServiceError;
use spots_privacy::consent::{NewShareField, Person, sha256};
use spots_privacy::{Personal, random};
use spots_store::model::{
    Book, BookingRecord, EventRecord, Idempotency, NewShare, RequirementsRecord, ShareFilter,
};
use spots_store::{Page, PageRequest};

use super::events::record;
use super::offer::ends;
use super::shares::{SharedValue, all_shares};
use super::{Answer, Ctx, stored, unsealed, vouchers};

/// Fewest characters of an idempotency key.
pub const IDEMPOTENCY_KEY_CHARS_MIN: usize = 8;
/// Most characters of an idempotency key.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 128;

/// What a person books.
#[derive(Clone, Debug)]
pub struct NewBooking {
    /// Which event.
    pub event: EventId,
    /// Of what type the person takes it to be; another is refused.
    pub event_type: Option<EventType>,
    /// The time; may be left out where only one is to come.
    pub starts_at: Option<Timestamp>,
    /// How many people come.
    pub party: u32,
    /// The version of the requirements that the person saw; without it the present one.
    pub requirements_version: Option<u32>,
    /// When the person's sharing ends, if that is before the host's time is over.
    pub share_until: Option<Timestamp>,
    /// What the person gives the host.
    pub shared: BTreeMap<FieldName, Personal>,
    /// A name for this request, so that it may be repeated freely.
    pub idempotency_key: Option<String>,
}

/// A booking with what is or was shared with it.
#[derive(Debug)]
pub struct BookingDetails {
    /// The booking.
    pub record: BookingRecord,
    /// Its shared fields, those that ended too.
    pub shared: Vec<SharedValue>,
}

/// What became of a booking request.
#[derive(Debug)]
pub struct BookingOutcome {
    /// The booking.
    pub details: BookingDetails,
    /// Whether the request was a repetition and did nothing.
    pub repeated: bool,
}

/// A booking thought through before it is taken.
pub(super) struct Plan {
    pub(super) record: EventRecord,
    pub(super) starts_at: Timestamp,
    /// The time, if the event has it.
    pub(super) slot: Option<Slot>,
    /// From when on retention counts.
    pub(super) ends_at: Timestamp,
    pub(super) requirements: RequirementsRecord,
    pub(super) accepted: Vec<(FieldName, FieldValue)>,
}

impl Plan {
    pub(super) fn rule(&self, field: &FieldName) -> Option<&FieldRule> {
        let mut rules = self.requirements.requirements.rules().iter();
        rules.find(|rule| rule.field == *field)
    }
}

/// Takes a booking, with what is shared sealed before it reaches the store.
pub async fn book(ctx: &Ctx, person: &Person, new: NewBooking) -> Answer<BookingOutcome> {
    let idempotency = new.idempotency_key.as_deref().map(check_key).transpose()?;
    let idempotency = idempotency.map(|key| Idempotency {
        key,
        digest: digest(&new),
    });
    let mut plan = plan(ctx, &new).await?;
    attest_all(ctx, person, &mut plan).await?;
    let bytes = |_: usize| GuestCode::from_random(random::bytes(ctx.random()));
    let book = Book {
        agent: person.agent().clone(),
        host: plan.record.host.id,
        event: new.event,
        request: Request {
            starts_at: plan.starts_at,
            party: new.party,
        },
        booking: BookingId::from_random(random::bytes(ctx.random())),
        guest: GuestId::from_random(random::bytes(ctx.random())),
        codes: std::array::from_fn(bytes),
        requirements_version: plan.requirements.requirements.version(),
        share: seal(ctx, &plan, new.share_until)?,
        stamp: ctx.stamp(),
        idempotency,
    };
    let booked = ctx.store().book(book).await.map_err(stored)?;
    Ok(BookingOutcome {
        details: booking(ctx, person, booked.booking).await?,
        repeated: booked.repeated,
    })
}

/// Puts SPOTS's answers in the place of what the host asks to be told without data.
async fn attest_all(ctx: &Ctx, person: &Person, plan: &mut Plan) -> Answer<()> {
    let kind = |plan: &Plan, field: &FieldName| plan.rule(field).map(|rule| rule.kind.clone());
    let asked = plan
        .accepted
        .iter()
        .any(|(field, _)| kind(plan, field).is_some_and(|kind| kind.is_attested()));
    if !asked {
        return Ok(());
    }
    let known = vouchers::known(ctx, person).await?;
    let host = plan.record.host.id;
    let mut problems = Vec::new();
    let mut accepted = Vec::with_capacity(plan.accepted.len());
    for (field, value) in std::mem::take(&mut plan.accepted) {
        let answer = match kind(plan, &field).filter(ValueKind::is_attested) {
            Some(kind) => {
                let asked = (&kind, value.as_str());
                let evidence = vouchers::evidence(ctx, &known, host, asked).await?;
                attest(&kind, &evidence, ctx.now())
            }
            None => None,
        };
        match answer {
            None => accepted.push((field, value)),
            Some(Ok(answer)) => accepted.push((field, answer)),
            Some(Err(message)) => problems.push(FieldProblem::new(&field, "not-so", message)),
        }
    }
    plan.accepted = accepted;
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Refusal::Fields(problems).into())
    }
}

/// A person's own bookings, the newest first.
pub async fn bookings(
    ctx: &Ctx,
    person: &Person,
    page: PageRequest,
) -> Answer<Page<BookingDetails>> {
    let found = ctx
        .store()
        .list_bookings(person.agent(), page)
        .await
        .map_err(stored)?;
    let mut items = Vec::with_capacity(found.items.len());
    for record in found.items {
        items.push(details(ctx, person, record).await?);
    }
    Ok(Page {
        items,
        more: found.more,
    })
}

/// One of a person's own bookings.
pub async fn booking(ctx: &Ctx, person: &Person, id: BookingId) -> Answer<BookingDetails> {
    let record = ctx
        .store()
        .lookup_booking(person.agent(), id)
        .await
        .map_err(stored)?
        .ok_or(ServiceError::not_found("booking"))?;
    details(ctx, person, record).await
}

/// Cancels a booking: its places are free again and its share ends.
pub async fn cancel(ctx: &Ctx, person: &Person, id: BookingId) -> Answer<()> {
    ctx.store()
        .cancel(person.agent(), id, ctx.stamp())
        .await
        .map_err(stored)
}

async fn details(ctx: &Ctx, person: &Person, record: BookingRecord) -> Answer<BookingDetails> {
    let filter = ShareFilter {
        booking: Some(record.id),
        ended: true,
        ..ShareFilter::default()
    };
    let shared = all_shares(ctx, person, filter).await?;
    Ok(BookingDetails { record, shared })
}

/// Reads what a booking needs and checks what is given against what the host asks. Whether the
/// time can still be booked is the store's to say: a repetition may come when it is over.
pub(super) async fn plan(ctx: &Ctx, new: &NewBooking) -> Answer<Plan> {
    let record = record(ctx, new.event).await?;
    let event_type = record.event.offer.event_type;
    if new.event_type.is_some_and(|given| given != event_type) {
        let message = format!("This event is of type {event_type}.");
        return Err(ServiceError::field("eventType", "mismatch", message));
    }
    let starts_at = match new.starts_at {
        Some(starts_at) => starts_at,
        None => only_time(ctx, &record)?,
    };
    let requirements = asked(ctx, &record, new.requirements_version).await?;
    let given = new
        .shared
        .iter()
        .map(|(field, text)| (field.clone(), text.disclose().to_owned()))
        .collect();
    let accepted = requirements.requirements.accept(&given, ctx.today())?;
    let slot = record.event.offer.slot(starts_at, ctx.now());
    Ok(Plan {
        ends_at: slot.map_or(starts_at, |slot| slot.ends_at),
        record,
        starts_at,
        slot,
        requirements,
        accepted,
    })
}

/// The one time to come; where the event only ever had one, that one.
fn only_time(ctx: &Ctx, record: &EventRecord) -> Answer<Timestamp> {
    let offer = &record.event.offer;
    if let spots_booking::Schedule::Occurrences(all) = &offer.schedule
        && let [only] = all.as_slice()
    {
        return Ok(only.starts_at);
    }
    let ahead = offer.slots_from(ctx.now(), ctx.now(), 2);
    match ahead.as_slice() {
        [only] => Ok(only.starts_at),
        [] => Err(Refusal::Past.into()),
        _ => Err(ServiceError::field(
            "startsAt",
            "required",
            "Choose one of the event's times.",
        )),
    }
}

async fn asked(
    ctx: &Ctx,
    record: &EventRecord,
    version: Option<u32>,
) -> Answer<RequirementsRecord> {
    let (host, event_type) = (record.host.id, record.event.offer.event_type);
    let store = ctx.store();
    match version {
        None => store
            .lookup_requirements(host, event_type)
            .await
            .map_err(stored),
        Some(0) => {
            let requirements = Requirements::none(event_type);
            let hash = sha256(requirements.canonical().as_bytes());
            Ok(RequirementsRecord { requirements, hash })
        }
        Some(version) => store
            .lookup_requirements_at(host, event_type, version)
            .await
            .map_err(stored)?
            .ok_or(Refusal::RequirementsChanged.into()),
    }
}

fn seal(ctx: &Ctx, plan: &Plan, until: Option<Timestamp>) -> Answer<Option<NewShare>> {
    if plan.accepted.is_empty() {
        return Ok(None);
    }
    if until.is_some_and(|until| until <= ctx.now()) {
        let message = "Share until a time to come, or leave it out.";
        return Err(ServiceError::field("shareUntil", "past", message));
    }
    let id = ShareId::from_random(random::bytes(ctx.random()));
    let share = id.to_string();
    let fields = plan
        .accepted
        .iter()
        .map(|(field, value)| {
            let name = field.to_string();
            let text = Personal::new(value.as_str());
            let sealed = NewShareField::seal(&share, &name, &text, ctx.keys(), ctx.random())
                .map_err(unsealed)?;
            let days = plan.rule(field).map_or(0, |rule| rule.retention_days);
            let end = ends(plan.ends_at, days, until).as_nanosecond();
            Ok((sealed, i64::try_from(end).unwrap_or(i64::MAX)))
        })
        .collect::<Answer<_>>()?;
    Ok(Some(NewShare {
        id,
        requirements_hash: plan.requirements.hash,
        fields,
    }))
}

fn check_key(key: &str) -> Answer<String> {
    let fits = (IDEMPOTENCY_KEY_CHARS_MIN..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len())
        && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits {
        Ok(key.to_owned())
    } else {
        let message = format!(
            "Give {IDEMPOTENCY_KEY_CHARS_MIN} to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII \
             characters."
        );
        Err(ServiceError::field("Idempotency-Key", "invalid", message))
    }
}

/// What tells two requests under one key apart: SHA-256 of the request, parts prefixed with their
/// lengths.
fn digest(new: &NewBooking) -> [u8; 32] {
    let starts_at = new.starts_at.map(|at| at.as_nanosecond().to_string());
    let version = new.requirements_version.map(|version| version.to_string());
    let mut parts = vec![
        new.event.to_string(),
        starts_at.unwrap_or_default(),
        new.party.to_string(),
        version.unwrap_or_default(),
    ];
    if let Some(until) = new.share_until {
        parts.push(format!("until {}", until.as_nanosecond()));
    }
    for (field, text) in &new.shared {
        parts.push(field.to_string());
        parts.push(text.disclose().to_owned());
    }
    let mut joined = Personal::new(String::new());
    for part in parts {
        let next = [joined.disclose(), &part.len().to_string(), ":", &part].concat();
        joined = Personal::new(next);
    }
    sha256(joined.disclose().as_bytes())
}
