//! What a person shares by default.

use axum::Json;
use spots_booking::{EventType, FieldName, FieldProblem, HostId, Refusal};
use spots_host::Problem;
use spots_host::extract::{Body, Segments, Word};
use spots_host::wire::EventTypeWord;
use spots_privacy::consent::Person;

use crate::http::Me;
use crate::service::{self, Ctx, Scope};
use crate::wire::SharingDefaultsBody;

/// What you share by default at events of a type.
#[utoipa::path(
    get, path = "/me/sharing-defaults/{eventType}", tag = "me",
    params(("eventType" = EventTypeWord, Path, description = "At which events.")),
    responses((status = 200, description = "The default.", body = SharingDefaultsBody)),
    security(("session" = [])),
)]
pub(super) async fn find_sharing_defaults(
    ctx: Ctx,
    Me(me): Me,
    Segments(Word(event_type)): Segments<Word<EventType>>,
) -> Result<Json<SharingDefaultsBody>, Problem> {
    find(&ctx, &me, Scope::EventType(event_type)).await
}

/// Sets what you share by default at events of a type. Nothing is shared by this alone: it is
/// pre-ticked when you book, no more.
#[utoipa::path(
    put, path = "/me/sharing-defaults/{eventType}", tag = "me",
    params(("eventType" = EventTypeWord, Path, description = "At which events.")),
    request_body = SharingDefaultsBody,
    responses((status = 200, description = "The default as it is now.", body = SharingDefaultsBody)),
    security(("session" = [])),
)]
pub(super) async fn update_sharing_defaults(
    ctx: Ctx,
    Me(me): Me,
    Segments(Word(event_type)): Segments<Word<EventType>>,
    Body(body): Body<SharingDefaultsBody>,
) -> Result<Json<SharingDefaultsBody>, Problem> {
    update(&ctx, &me, Scope::EventType(event_type), body).await
}

/// What you share by default with one host, instead of the event type's default.
#[utoipa::path(
    get, path = "/me/sharing-defaults/hosts/{hostId}", tag = "me",
    params(("hostId" = String, Path, description = "With whom.")),
    responses((status = 200, description = "The default.", body = SharingDefaultsBody)),
    security(("session" = [])),
)]
pub(super) async fn find_sharing_defaults_at_host(
    ctx: Ctx,
    Me(me): Me,
    Segments(Word(host)): Segments<Word<HostId>>,
) -> Result<Json<SharingDefaultsBody>, Problem> {
    find(&ctx, &me, Scope::Host(host)).await
}

/// Sets what you share by default with one host.
#[utoipa::path(
    put, path = "/me/sharing-defaults/hosts/{hostId}", tag = "me",
    params(("hostId" = String, Path, description = "With whom.")),
    request_body = SharingDefaultsBody,
    responses((status = 200, description = "The default as it is now.", body = SharingDefaultsBody)),
    security(("session" = [])),
)]
pub(super) async fn update_sharing_defaults_at_host(
    ctx: Ctx,
    Me(me): Me,
    Segments(Word(host)): Segments<Word<HostId>>,
    Body(body): Body<SharingDefaultsBody>,
) -> Result<Json<SharingDefaultsBody>, Problem> {
    update(&ctx, &me, Scope::Host(host), body).await
}

async fn find(ctx: &Ctx, me: &Person, scope: Scope) -> Result<Json<SharingDefaultsBody>, Problem> {
    let fields = service::sharing_default(ctx, me, scope).await?;
    let names = |fields: Vec<FieldName>| fields.iter().map(ToString::to_string).collect();
    Ok(Json(SharingDefaultsBody {
        fields: fields.map(names),
    }))
}

async fn update(
    ctx: &Ctx,
    me: &Person,
    scope: Scope,
    body: SharingDefaultsBody,
) -> Result<Json<SharingDefaultsBody>, Problem> {
    let fields = body.fields.as_deref().map(parse).transpose()?;
    service::update_sharing_default(ctx, me, scope, fields).await?;
    find(ctx, me, scope).await
}

fn parse(names: &[String]) -> Result<Vec<FieldName>, Refusal> {
    let mut problems = Vec::new();
    let mut fields = Vec::new();
    for (index, name) in names.iter().enumerate() {
        match name.parse() {
            Ok(field) => fields.push(field),
            Err(cause) => {
                let cause: spots_booking::field::NotAField = cause;
                let place = format!("fields[{index}]");
                problems.push(FieldProblem::new(place, "unknown", cause.to_string()));
            }
        }
    }
    if problems.is_empty() {
        Ok(fields)
    } else {
        Err(Refusal::Fields(problems))
    }
}
