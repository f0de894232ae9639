//! What a person sees before they book: what the host asks, and what the host will see.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use spots_booking::{EventId, FieldName, FieldRule, Slot};
use spots_privacy::Personal;
use spots_privacy::consent::Person;
use spots_store::model::{Host, RequirementsRecord};

use super::bookings::{NewBooking, plan};
use super::{Answer, Ctx, EventDetails, defaults, event, profile, stored};

/// An event as one person meets it: its times and what the host asks for, filled in from the
/// person's profile and defaults.
#[derive(Debug)]
pub struct Offer {
    /// The event and its times.
    pub details: EventDetails,
    /// What the host asks, with its version and hash.
    pub requirements: RequirementsRecord,
    /// The fields of the form, in the order of the requirements.
    pub fields: Vec<OfferField>,
}

/// One field that the host asks for.
#[derive(Debug)]
pub struct OfferField {
    /// What, why, for how long, and whether it may be withheld.
    pub rule: FieldRule,
    /// What the profile holds.
    pub value: Option<Personal>,
    /// Whether the person's own defaults share it; nothing else is pre-ticked.
    pub shared_by_default: bool,
}

/// Exactly what the host will see of a booking, and until when.
#[derive(Debug)]
pub struct Preview {
    /// Who will see it.
    pub host: Host,
    /// When the booking is for.
    pub slot: Option<Slot>,
    /// How many people.
    pub party: u32,
    /// What is shared; empty: the host sees a guest without a name.
    pub fields: Vec<PreviewField>,
    /// The version of the requirements that this follows.
    pub requirements_version: u32,
}

/// One field that the host will see.
#[derive(Debug)]
pub struct PreviewField {
    /// What was asked, and why.
    pub rule: FieldRule,
    /// What they will read.
    pub value: Personal,
    /// Until when.
    pub until: Timestamp,
}

/// What the host of an event asks this person; without a person nothing is filled in.
pub async fn offer(ctx: &Ctx, person: Option<&Person>, id: EventId) -> Answer<Offer> {
    let details = event(ctx, id, None).await?;
    let host = details.record.host.id;
    let event_type = details.record.event.offer.event_type;
    let requirements = ctx
        .store()
        .lookup_requirements(host, event_type)
        .await
        .map_err(stored)?;
    let (mut own, shared) = match person {
        Some(person) => (
            profile(ctx, person).await?,
            defaults::sharing_default_at(ctx, person, host, event_type).await?,
        ),
        None => (BTreeMap::new(), Vec::new()),
    };
    let fields = requirements
        .requirements
        .rules()
        .iter()
        .map(|rule| {
            let value = match &rule.field {
                FieldName::Standard(field) => own.remove(field),
                FieldName::Additional(_) => None,
            };
            OfferField {
                rule: rule.clone(),
                shared_by_default: value.is_some() && shared.contains(&rule.field),
                value,
            }
        })
        .collect();
    Ok(Offer {
        details,
        requirements,
        fields,
    })
}

/// What the host will see if this is booked; refuses what booking would refuse for its fields.
pub async fn preview(ctx: &Ctx, new: &NewBooking) -> Answer<Preview> {
    let plan = plan(ctx, new).await?;
    let fields = plan
        .accepted
        .iter()
        .filter_map(|(field, value)| {
            let rule = plan.rule(field)?.clone();
            Some(PreviewField {
                // What SPOTS answers begins so; who vouches is said when it is booked.
                value: if rule.kind.is_attested() {
                    Personal::new("yes")
                } else {
                    Personal::new(value.as_str())
                },
                until: ends(plan.ends_at, rule.retention_days, new.share_until),
                rule,
            })
        })
        .collect();
    Ok(Preview {
        slot: plan.slot,
        party: new.party,
        fields,
        requirements_version: plan.requirements.requirements.version(),
        host: plan.record.host,
    })
}

/// When a host's time with a field is over: after the retention that it named, or when the person
/// wants it to end if that is sooner.
pub(super) fn ends(
    event_ends: Timestamp,
    retention_days: u16,
    share_until: Option<Timestamp>,
) -> Timestamp {
    let kept = SignedDuration::from_hours(24 * i64::from(retention_days));
    let end = event_ends.saturating_add(kept).unwrap_or(Timestamp::MAX);
    share_until.map_or(end, |until| until.min(end))
}
