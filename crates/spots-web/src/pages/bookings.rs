//! `GET /me/bookings`, `GET /bookings/{bookingId}`, `POST /bookings/{bookingId}/cancel`.

use axum::extract::Path;
use axum::response::Response;
use jiff::tz::TimeZone;
use spots_booking::{BookingId, FieldName};
use spots_host::ServiceError;
use spots_host::browser::words::{badge, event_time, moment};
use spots_host::browser::{Query, Trouble, encode, page_number, pager, see_other, show};
use spots_host::view::{EventTime, Field, Period, Section};
use spots_store::PageRequest;
use spots_store::model::{BookingRecord, PAGE_ROWS_MAX};

use super::request::SignedIn;
use super::view::{
    BookedField, BookingPage, BookingRow, BookingState, HostRef, MyBookingsPage, QueueEvidence,
};
use super::words::{bound, nanoseconds};
use crate::service::{self, BookingDetails, Ctx, SharedValue};

/// Bookings of one page.
const ROWS: usize = 20;
/// Bookings that the page looks through.
const LOOKED_THROUGH_MAX: u32 = 1_000;

pub(super) async fn list(signed_in: SignedIn, query: Query) -> Result<Response, Trouble> {
    let past = query.get("period") == "past";
    let wanted = query.get("q").to_lowercase();
    let now = signed_in.ctx().now();
    let mut found: Vec<_> = all(&signed_in).await?;
    found.retain(|details| {
        let record = &details.record;
        (record.placed.slot.ends_at <= now) == past && record.title.to_lowercase().contains(&wanted)
    });
    if !past {
        found.sort_by_key(|details| details.record.placed.slot.starts_at);
    }
    let number = page_number(&query);
    let skipped = (number as usize - 1) * ROWS;
    let more = found.len() > skipped + ROWS;
    let mut bookings = Vec::new();
    for details in found.iter().skip(skipped).take(ROWS) {
        bookings.push(row(&signed_in, details).await?);
    }
    let period = if past { "past" } else { "" };
    let address = format!("/me/bookings?q={}&period={period}", encode(query.get("q")));
    Ok(show(&MyBookingsPage {
        page: signed_in.page("Your bookings", Section::Bookings),
        q: query.get("q").to_owned(),
        period: if past { Period::Past } else { Period::Upcoming },
        bookings,
        pager: pager(number, more, &address),
    }))
}

async fn all(signed_in: &SignedIn) -> Result<Vec<BookingDetails>, ServiceError> {
    let mut part = PageRequest::FIRST;
    let mut all = Vec::new();
    loop {
        let found = service::bookings(signed_in.ctx(), signed_in.person(), part).await?;
        all.extend(found.items);
        part.offset += PAGE_ROWS_MAX;
        if !found.more || part.offset >= LOOKED_THROUGH_MAX {
            return Ok(all);
        }
    }
}

async fn row(signed_in: &SignedIn, details: &BookingDetails) -> Result<BookingRow, ServiceError> {
    let record = &details.record;
    let zone = zone(record);
    let starts_at = record.placed.slot.starts_at;
    let live = details.shared.iter().filter(|shared| shared.is_live());
    Ok(BookingRow {
        id: record.id.to_string(),
        event_title: record.title.clone(),
        event_type: record.event_type,
        host_name: record.host.name.clone(),
        date: badge(starts_at, signed_in.visitor.zone.as_ref().unwrap_or(&zone)),
        when: when(signed_in, record),
        party: record.placed.party,
        state: state(signed_in.ctx(), record).await?,
        shared: u32::try_from(live.count()).unwrap_or(u32::MAX),
    })
}

pub(super) async fn show_booking(
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let details = lookup(&signed_in, &id).await?;
    let record = &details.record;
    let asked = service::asked(signed_in.ctx(), &details.shared).await?;
    let named = |shared: &SharedValue| field(&shared.field.field, asked.label(&shared.field));
    let (live, ended): (Vec<_>, Vec<_>) =
        details.shared.iter().partition(|shared| shared.is_live());
    Ok(show(&BookingPage {
        page: signed_in.page(record.title.clone(), Section::Bookings),
        id: record.id.to_string(),
        state: state(signed_in.ctx(), record).await?,
        event_id: record.event.to_string(),
        event_title: record.title.clone(),
        event_type: record.event_type,
        host: HostRef {
            id: record.host.id.to_string(),
            name: record.host.name.clone(),
            kind: record.host.kind,
        },
        when: when(&signed_in, record),
        place: record.place.clone(),
        party: record.placed.party,
        handle: format!("Guest {}", record.code),
        evidence: evidence(&signed_in, record).await?,
        shared: live
            .iter()
            .map(|shared| booked_field(&signed_in, record, shared, named(shared)))
            .collect(),
        ended: ended.iter().map(|shared| named(shared).label).collect(),
        receipt: details
            .shared
            .first()
            .map(|shared| shared.field.share.to_string()),
    }))
}

async fn lookup(signed_in: &SignedIn, id: &str) -> Result<BookingDetails, Trouble> {
    let trouble = |error| signed_in.visitor.trouble(error);
    let id: BookingId = id
        .parse()
        .or(Err(trouble(ServiceError::not_found("booking"))))?;
    service::booking(signed_in.ctx(), signed_in.person(), id)
        .await
        .map_err(trouble)
}

async fn evidence(
    signed_in: &SignedIn,
    record: &BookingRecord,
) -> Result<Option<QueueEvidence>, ServiceError> {
    let Some(position) = record.placed.position else {
        return Ok(None);
    };
    let event = service::event(signed_in.ctx(), record.event, None).await?;
    let zone = signed_in
        .visitor
        .zone
        .clone()
        .unwrap_or_else(|| zone(record));
    Ok(Some(QueueEvidence {
        position: u32::try_from(position).unwrap_or(u32::MAX),
        total: event.record.event.offer.capacity.unwrap_or(0),
        time: moment(record.booked.timestamp(), &zone, signed_in.ctx().now()),
        error_bound: record.booked.bound_ns.map(bound),
        timestamp_id: spots_clock::TimestampId::from_bytes(record.booked.id)
            .map_or(String::new(), |id| id.to_string()),
    }))
}

fn booked_field(
    signed_in: &SignedIn,
    record: &BookingRecord,
    shared: &SharedValue,
    field: Field,
) -> BookedField {
    let own = signed_in.visitor.zone.clone();
    let zone = own.unwrap_or_else(|| zone(record));
    let until = nanoseconds(shared.field.expires_at_ns);
    BookedField {
        share_id: shared.field.share.to_string(),
        field,
        value: value(shared),
        until: moment(until, &zone, signed_in.ctx().now()),
    }
}

/// What is shared, as its owner reads it.
pub(super) fn value(shared: &SharedValue) -> String {
    match &shared.value {
        Some(text) => text.disclose().to_owned(),
        None if shared.altered => "cannot be read: it was altered in the database. Stop sharing \
                                   it, and tell whoever operates this server."
            .to_owned(),
        None => String::new(),
    }
}

/// A field with its words for people: the host's, where it declared the field itself.
pub(super) fn field(name: &FieldName, label: Option<&str>) -> Field {
    match name {
        FieldName::Standard(standard) => Field::standard(*standard),
        FieldName::Additional(key) => Field::additional(key, label.unwrap_or(key)),
    }
}

pub(super) fn when(signed_in: &SignedIn, record: &BookingRecord) -> EventTime {
    let at = record.placed.slot.starts_at;
    event_time(
        at,
        &zone(record),
        signed_in.visitor.zone.as_ref(),
        signed_in.ctx().now(),
    )
}

fn zone(record: &BookingRecord) -> TimeZone {
    TimeZone::get(&record.time_zone).unwrap_or(TimeZone::UTC)
}

async fn state(ctx: &Ctx, record: &BookingRecord) -> Result<BookingState, ServiceError> {
    Ok(if record.cancelled_at_ns.is_some() {
        if service::is_called_off(ctx, record.event).await? {
            BookingState::CalledOff
        } else {
            BookingState::Cancelled
        }
    } else if record.placed.slot.starts_at <= ctx.now() {
        BookingState::Past
    } else {
        BookingState::Confirmed
    })
}

pub(super) async fn cancel(
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let booking = lookup(&signed_in, &id).await?.record.id;
    service::cancel(signed_in.ctx(), signed_in.person(), booking)
        .await
        .map_err(|error| signed_in.visitor.trouble(error))?;
    Ok(see_other(&format!("/bookings/{booking}?done=cancelled")))
}
