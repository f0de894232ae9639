//! Booking, and a person's own bookings.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use spots_booking::{BookingId, EventId, FieldName};
use spots_host::extract::{Body, Params, Segments, Word};
use spots_host::wire::{EventUserData, Instant, List, PageParams};
use spots_host::{Problem, ServiceError};
use spots_privacy::Personal;
use utoipa::ToSchema;

use crate::front_door::{page, part};
use crate::http::Me;
use crate::service::{self, Ctx, NewBooking};
use crate::wire::Booking;

/// The request's name, chosen by the client.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that the answer is to an earlier request of this name.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What to book.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewBookingBody {
    /// One of the event's times; may be left out where only one is to come.
    starts_at: Option<Instant>,
    /// How many people come; 1 if left out.
    #[schema(minimum = 1, maximum = 100)]
    party_size: Option<u32>,
    /// The version of the host's requirements that you saw; the present one if left out.
    requirements_version: Option<u32>,
    /// When your sharing ends, if that is before the host's own time is over.
    share_until: Option<Instant>,
    /// What you give the host. Without it you are a guest without a name.
    user_data: Option<EventUserData>,
}

/// Books, and shares what you choose to.
///
/// Name the request with `Idempotency-Key` and repeat it freely: it is done once, and every
/// repetition gets the first answer, with `Idempotent-Replayed: true`.
#[utoipa::path(
    post, path = "/events/{eventId}/bookings", tag = "events",
    params(
        ("eventId" = String, Path, description = "What to book."),
        ("Idempotency-Key" = Option<String>, Header,
            description = "The request's name: 8 to 128 visible ASCII characters."),
    ),
    request_body = NewBookingBody,
    responses((status = 201, description = "The booking, in the model of its event type.", body = Booking)),
    security(("session" = [])),
)]
pub(super) async fn create_booking(
    ctx: Ctx,
    Me(me): Me,
    Segments(Word(event)): Segments<Word<EventId>>,
    headers: HeaderMap,
    Body(body): Body<NewBookingBody>,
) -> Result<Response, Problem> {
    let new = command(event, &headers, body).map_err(in_user_data)?;
    let outcome = service::book(&ctx, &me, new).await.map_err(in_user_data)?;
    let location = format!("/api/v1/me/bookings/{}", outcome.details.record.id);
    let booking = Json(Booking::new(me.agent(), outcome.details));
    let location = [(header::LOCATION, location)];
    let mut response = (StatusCode::CREATED, location, booking).into_response();
    if outcome.repeated {
        let headers = response.headers_mut();
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn command(
    event: EventId,
    headers: &HeaderMap,
    body: NewBookingBody,
) -> Result<NewBooking, ServiceError> {
    // What is not ASCII is refused by its form, as any other bad key.
    let key = headers
        .get(IDEMPOTENCY_KEY)
        .map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned());
    let data = body.user_data.unwrap_or_default();
    let event_type = data.event_type.map(Into::into);
    let given = data.given()?.into_iter();
    Ok(NewBooking {
        event,
        event_type,
        starts_at: body.starts_at.map(|at| at.0),
        party: body.party_size.unwrap_or(1),
        requirements_version: body.requirements_version,
        share_until: body.share_until.map(|at| at.0),
        shared: given
            .map(|(field, text)| (field, Personal::new(text)))
            .collect(),
        idempotency_key: key,
    })
}

/// Names fields as they stand in the body.
fn in_user_data(error: ServiceError) -> Problem {
    let mut problem = Problem::from(error);
    for error in &mut problem.errors {
        let of_user_data = error.field.parse::<FieldName>().is_ok()
            || ["sharedWithHost", "revokedAt", "eventType"].contains(&error.field.as_str())
            || error.field.starts_with("additionalData");
        if of_user_data {
            error.field.insert_str(0, "userData.");
        }
    }
    problem
}

/// Lists your bookings, the newest first.
#[utoipa::path(
    get, path = "/me/bookings", tag = "me",
    params(PageParams),
    responses((status = 200, description = "Your bookings.", body = List<Booking>)),
    security(("session" = [])),
)]
pub(super) async fn list_bookings(
    ctx: Ctx,
    Me(me): Me,
    Params(params): Params<PageParams>,
) -> Result<Json<List<Booking>>, Problem> {
    let found = service::bookings(&ctx, &me, page(params.part()?)).await?;
    let found = part(found, |details| Booking::new(me.agent(), details));
    Ok(Json(params.list(found, |booking| booking)))
}

/// Looks up one of your bookings.
#[utoipa::path(
    get, path = "/me/bookings/{bookingId}", tag = "me",
    params(("bookingId" = String, Path, description = "Which.")),
    responses((status = 200, description = "The booking.", body = Booking)),
    security(("session" = [])),
)]
pub(super) async fn find_booking(
    ctx: Ctx,
    Me(me): Me,
    Segments(Word(booking)): Segments<Word<BookingId>>,
) -> Result<Json<Booking>, Problem> {
    let details = service::booking(&ctx, &me, booking).await?;
    Ok(Json(Booking::new(me.agent(), details)))
}

/// Cancels one of your bookings: its places are free again, what was shared with it ends.
#[utoipa::path(
    delete, path = "/me/bookings/{bookingId}", tag = "me",
    params(("bookingId" = String, Path, description = "Which.")),
    responses((status = 204, description = "Cancelled.")),
    security(("session" = [])),
)]
pub(super) async fn cancel_booking(
    ctx: Ctx,
    Me(me): Me,
    Segments(Word(booking)): Segments<Word<BookingId>>,
) -> Result<StatusCode, Problem> {
    service::cancel(&ctx, &me, booking).await?;
    Ok(StatusCode::NO_CONTENT)
}
