//! Becoming a host, and for whom one acts.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use spots_host::Problem;
use spots_host::desk::Part;
use spots_host::extract::{Body, Params};
use spots_host::wire::{HostBody, List, NewHostBody, PageParams};

use crate::front_door::host_card;
use crate::http::Me;
use crate::service::{self, Ctx, NewHost};

/// Adds a host; you act for it from now on.
#[utoipa::path(
    post, path = "/hosts", tag = "hosts",
    request_body = NewHostBody,
    responses((status = 201, description = "The host.", body = HostBody)),
    security(("session" = [])),
)]
pub(super) async fn create_host(
    ctx: Ctx,
    Me(me): Me,
    Body(body): Body<NewHostBody>,
) -> Result<impl IntoResponse, Problem> {
    let new = NewHost {
        name: body.name,
        kind: body.kind.into(),
    };
    let host = service::add_host(&ctx, &me, new).await?;
    let location = [(header::LOCATION, format!("/api/v1/hosts/{}", host.id))];
    let body = HostBody::from(&host_card(host));
    Ok((StatusCode::CREATED, location, Json(body)))
}

/// Lists the hosts that you act for.
#[utoipa::path(
    get, path = "/me/hosts", tag = "me",
    params(PageParams),
    responses((status = 200, description = "Your hosts.", body = List<HostBody>)),
    security(("session" = [])),
)]
pub(super) async fn list_own_hosts(
    ctx: Ctx,
    Me(me): Me,
    Params(params): Params<PageParams>,
) -> Result<Json<List<HostBody>>, Problem> {
    let wanted = params.part()?;
    let skip = usize::try_from(wanted.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let mut items = service::hosts_of(&ctx, &me).await?;
    items.drain(..skip.min(items.len()));
    let more = items.len() > limit;
    items.truncate(limit);
    let part = Part { items, more };
    Ok(Json(params.list(part, |host| (&host_card(host)).into())))
}
