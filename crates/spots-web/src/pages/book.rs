//! `GET|POST /events/{eventId}/book`: the data-sharing step, the same for all six event types.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use spots_booking::requirement::Ask;
use spots_booking::{EventId, FieldName, Membership, Refusal, ValueKind, Voucher};
use spots_host::ServiceError;
use spots_host::browser::words::{event_time, moment, slot_of};
use spots_host::browser::{Form, Query, Trouble, is_part, see_other, sentence, show, show_as};
use spots_host::view::{Choice, FormErrors, NextStep, Section};
use spots_privacy::{Personal, random};

use super::request::SignedIn;
use super::view::{BookPage, FullPage, HostSees, HostSeesPart, ShareRow, SharedLine, ValueInput};
use crate::service::{self, NewBooking, Offer, OfferField};

/// The booking step as it stands: what the host asks, and what the form says so far.
struct Step<'a> {
    signed_in: &'a SignedIn,
    offer: Offer,
    starts_at: Timestamp,
    party: u32,
    /// `None`: the form was not sent yet, so the person's own defaults are ticked.
    form: Option<&'a Form>,
}

pub(super) async fn begin(
    signed_in: SignedIn,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Trouble> {
    let step = step(&signed_in, &id, &query, None).await?;
    Ok(show(&step.page(FormErrors::none())))
}

pub(super) async fn preview(
    signed_in: SignedIn,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, Trouble> {
    let step = step(&signed_in, &id, &form, Some(&form)).await?;
    if is_part(&headers) {
        return Ok(show(&HostSeesPart { sees: step.sees() }));
    }
    Ok(show(&step.page(FormErrors::none())))
}

pub(super) async fn book(
    signed_in: SignedIn,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Trouble> {
    let step = step(&signed_in, &id, &form, Some(&form)).await?;
    let new = step.booking();
    match service::book(signed_in.ctx(), signed_in.person(), new).await {
        Ok(outcome) => {
            let booking = outcome.details.record.id;
            Ok(see_other(&format!("/bookings/{booking}?done=booked")))
        }
        Err(ServiceError::Refused(Refusal::Full { left, .. })) => {
            Ok(show_as(StatusCode::CONFLICT, &step.full(left)))
        }
        Err(error) => {
            let errors = step
                .errors(&error)
                .ok_or_else(|| signed_in.visitor.trouble(error))?;
            Ok(show_as(
                StatusCode::UNPROCESSABLE_ENTITY,
                &step.page(errors),
            ))
        }
    }
}

async fn step<'a>(
    signed_in: &'a SignedIn,
    id: &str,
    given: &Form,
    form: Option<&'a Form>,
) -> Result<Step<'a>, Trouble> {
    let trouble = |error| signed_in.visitor.trouble(error);
    let event: EventId = id
        .parse()
        .or(Err(trouble(ServiceError::not_found("event"))))?;
    let offer = service::offer(signed_in.ctx(), Some(signed_in.person()), event)
        .await
        .map_err(trouble)?;
    let starts_at =
        slot_of(given.get("slot")).ok_or_else(|| trouble(Refusal::NoSuchSlot.into()))?;
    let party = given.get("party").parse().unwrap_or(1);
    Ok(Step {
        signed_in,
        offer,
        starts_at,
        party,
        form,
    })
}

impl Step<'_> {
    fn shares(&self, field: &OfferField) -> bool {
        match self.form {
            Some(form) => form.ticked(&format!("share.{}", field.rule.field)),
            None => field.shared_by_default,
        }
    }

    fn value(&self, field: &OfferField) -> String {
        match self.form {
            Some(form) if field.rule.kind.is_listed() => {
                let number = form.given(&format!("value.{}", field.rule.field));
                number.unwrap_or("yes").to_owned()
            }
            _ if field.rule.kind.is_attested() => "yes".to_owned(),
            Some(form) => form.get(&format!("value.{}", field.rule.field)).to_owned(),
            None => field
                .value
                .as_ref()
                .map_or(String::new(), |text| text.disclose().to_owned()),
        }
    }

    /// The end of the event, if the person wants their sharing to end with it.
    fn share_until(&self) -> Option<Timestamp> {
        let form = self.form?;
        let event = &self.offer.details.record.event.offer;
        let slot = event.slot(self.starts_at, self.signed_in.ctx().now())?;
        (form.get("shareUntil") == "event").then_some(slot.ends_at)
    }

    fn booking(&self) -> NewBooking {
        let shared: BTreeMap<_, _> = self
            .offer
            .fields
            .iter()
            .filter(|field| self.shares(field))
            .map(|field| (field.rule.field.clone(), Personal::new(self.value(field))))
            .collect();
        let form = self.form;
        NewBooking {
            event: self.offer.details.record.event.id,
            event_type: None,
            starts_at: Some(self.starts_at),
            party: self.party,
            requirements_version: form
                .and_then(|form| form.get("requirementsVersion").parse().ok()),
            share_until: self.share_until(),
            shared,
            idempotency_key: form
                .and_then(|form| form.given("idempotencyKey"))
                .map(str::to_owned),
        }
    }

    fn page(&self, errors: FormErrors) -> BookPage {
        let record = &self.offer.details.record;
        let event = &record.event.offer;
        let visitor = &self.signed_in.visitor;
        let now = visitor.ctx.now();
        // A new key after a refusal: what is sent next is another request.
        let key = random::bytes::<16>(visitor.ctx.random());
        BookPage {
            page: visitor.page(format!("Book {}", event.title), Section::Events),
            event_id: record.event.id.to_string(),
            event_title: event.title.clone(),
            event_type: event.event_type,
            host_name: record.host.name.clone(),
            slot: self.starts_at.as_second().to_string(),
            when: event_time(self.starts_at, &event.zone(), visitor.zone.as_ref(), now),
            party: self.party,
            requirements_version: self.offer.requirements.requirements.version(),
            idempotency_key: URL_SAFE_NO_PAD.encode(key),
            rows: self
                .offer
                .fields
                .iter()
                .map(|field| self.row(field))
                .collect(),
            until_the_event: self
                .form
                .is_some_and(|form| form.get("shareUntil") == "event"),
            sees: self.sees(),
            errors,
        }
    }

    fn row(&self, field: &OfferField) -> ShareRow {
        let rule = &field.rule;
        let value = self.value(field);
        let row = match &rule.field {
            FieldName::Standard(standard) => ShareRow::personal(*standard, value),
            FieldName::Additional(key) => {
                ShareRow::additional(key, rule.label.clone(), input(&rule.kind, value))
            }
        };
        ShareRow {
            purpose: rule.purpose.clone(),
            retention: retention(rule.retention_days),
            required: rule.ask == Ask::Required,
            shared: self.shares(field),
            ..row
        }
    }

    fn sees(&self) -> HostSees {
        let event = &self.offer.details.record.event.offer;
        let label = |field: &OfferField| field.rule.label.clone();
        let (shared, withheld): (Vec<_>, Vec<_>) = self
            .offer
            .fields
            .iter()
            .partition(|field| self.shares(field));
        HostSees {
            host_name: self.offer.details.record.host.name.clone(),
            handle: None,
            when: moment(self.starts_at, &event.zone(), self.signed_in.ctx().now()).text,
            party: self.party,
            missing: withheld
                .iter()
                .filter(|field| field.rule.ask == Ask::Required)
                .map(|field| label(field))
                .collect(),
            withheld: withheld.iter().map(|field| label(field)).collect(),
            shared: shared
                .iter()
                .map(|field| SharedLine {
                    label: label(field),
                    // What SPOTS answers is a yes with who vouches; what was typed stays here.
                    value: if field.rule.kind.is_attested() {
                        "yes, if it is so".to_owned()
                    } else {
                        self.value(field)
                    },
                })
                .collect(),
        }
    }

    /// The errors of the form, if that is what the refusal is about.
    fn errors(&self, error: &ServiceError) -> Option<FormErrors> {
        let ServiceError::Refused(refusal) = error else {
            return None;
        };
        let host = &self.offer.details.record.host.name;
        let mut errors = FormErrors::none();
        match refusal {
            Refusal::Fields(problems) => {
                for problem in problems {
                    let field = problem.field.parse::<FieldName>().ok()?;
                    errors.add(format!("value.{field}"), problem.message.clone());
                }
            }
            Refusal::Required { field, .. } => errors.add(
                format!("share.{field}"),
                format!("{host} takes no booking without this. Share it, or choose another event."),
            ),
            Refusal::Limit { .. } => errors.add("", sentence(error)),
            Refusal::RequirementsChanged => errors.add(
                "",
                format!("{host} changed what they ask for. Look at it again before you book."),
            ),
            _ => return None,
        }
        Some(errors)
    }

    fn full(&self, left: u32) -> FullPage {
        let record = &self.offer.details.record;
        let event = &record.event.offer;
        let now = self.signed_in.ctx().now();
        let zone = event.zone();
        let others = self
            .offer
            .details
            .slots
            .iter()
            .filter(|open| open.slot.starts_at != self.starts_at)
            .filter(|open| open.left.is_none_or(|left| left >= self.party))
            .take(5)
            .map(|open| {
                let at = open.slot.starts_at;
                let (id, slot) = (record.event.id, at.as_second());
                let address = format!("/events/{id}/book?slot={slot}&party={}", self.party);
                NextStep::new(address, moment(at, &zone, now).text)
            })
            .collect();
        FullPage {
            page: self.signed_in.page("No places left", Section::Events),
            event_id: record.event.id.to_string(),
            event_title: event.title.clone(),
            event_type: event.event_type,
            when: moment(self.starts_at, &zone, now).text,
            party: self.party,
            left,
            others,
        }
    }
}

fn input(kind: &ValueKind, value: String) -> ValueInput {
    match kind {
        ValueKind::Text => ValueInput::Text(value),
        ValueKind::Number => ValueInput::Number(value),
        ValueKind::Date => ValueInput::Date(value),
        ValueKind::YesNo => ValueInput::YesNo(match value.as_str() {
            "yes" | "true" => Some(true),
            "no" | "false" => Some(false),
            _ => None,
        }),
        ValueKind::Over18 | ValueKind::Over21 => ValueInput::Attested(
            "Yes, worked out from the birthday in your profile. The date stays sealed.".to_owned(),
        ),
        ValueKind::CompanyMember(membership) | ValueKind::ClubMember(membership) => {
            vouched(membership, value)
        }
        ValueKind::Choice(choices) => {
            let choices = choices
                .iter()
                .map(|choice| (choice.as_str(), choice.as_str()));
            let choices = std::iter::once(("", "Choose one")).chain(choices);
            ValueInput::Choice(Choice::list(choices, &value))
        }
    }
}

fn vouched(membership: &Membership, value: String) -> ValueInput {
    let name = &membership.name;
    match &membership.voucher {
        Voucher::Person => ValueInput::Attested(format!(
            "Yes, you belong to {name}, by your own word. Nothing else is told."
        )),
        Voucher::EmailDomain(domain) => ValueInput::Attested(format!(
            "Yes, you belong to {name}, by your confirmed e-mail address at {domain}. The address \
             is not told."
        )),
        Voucher::HostList => ValueInput::Listed {
            basis: format!(
                "Yes, you belong to {name}, by the host's own list: it names your confirmed e-mail \
                 address, or the number that you give here. Neither is told."
            ),
            number: if value == "yes" { String::new() } else { value },
        },
    }
}

fn retention(days: u16) -> String {
    match days {
        0 => "until the event is over".to_owned(),
        1 => "until 1 day after the event".to_owned(),
        days => format!("until {days} days after the event"),
    }
}
