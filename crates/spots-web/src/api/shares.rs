//! What a person shares, taking it back, and who looked.

use axum::Json;
use axum::http::StatusCode;
use serde::Deserialize;
use spots_booking::{BookingId, FieldName, HostId, ShareId};
use spots_host::Problem;
use spots_host::extract::{Params, Segments, Word};
use spots_host::wire::{List, PageParams};
use spots_store::model::{Selection, ShareFilter};

use crate::front_door::{page, part};
use crate::http::Me;
use crate::service::{self, Ctx};
use crate::wire::{OpeningBody, RevokedBody, SharedFieldBody};

/// Which shares to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SharesParams {
    /// With this host.
    #[param(value_type = Option<String>)]
    host_id: Option<Word<HostId>>,
    /// Of this booking.
    #[param(value_type = Option<String>)]
    booking_id: Option<Word<BookingId>>,
    /// Those that ended too.
    #[serde(default)]
    ended: bool,
    /// Counts from 1.
    #[param(minimum = 1, maximum = 1000, default = 1)]
    page: Option<u32>,
    /// Items of a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u32>,
}

/// Lists what you share, field by field, by host.
#[utoipa::path(
    get, path = "/me/shares", tag = "me",
    params(SharesParams),
    responses((status = 200, description = "What you share.", body = List<SharedFieldBody>)),
    security(("session" = [])),
)]
pub(super) async fn list_shares(
    ctx: Ctx,
    Me(me): Me,
    Params(params): Params<SharesParams>,
) -> Result<Json<List<SharedFieldBody>>, Problem> {
    let filter = ShareFilter {
        booking: params.booking_id.map(|booking| booking.0),
        host: params.host_id.map(|host| host.0),
        ended: params.ended,
    };
    let params = PageParams {
        page: params.page,
        per_page: params.per_page,
    };
    let shares = service::shares(&ctx, &me, filter, page(params.part()?)).await?;
    Ok(Json(params.list(part(shares, Into::into), |share| share)))
}

/// Which field of a share to take back.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RevokeShareParams {
    /// This field alone; all of the share if left out.
    #[param(value_type = Option<String>)]
    field: Option<Word<FieldName>>,
}

/// Takes back one share, or one field of it. The host's next request finds it gone.
#[utoipa::path(
    delete, path = "/me/shares/{shareId}", tag = "me",
    params(("shareId" = String, Path, description = "Which."), RevokeShareParams),
    responses((status = 200, description = "What ended.", body = RevokedBody)),
    security(("session" = [])),
)]
pub(super) async fn revoke_share(
    ctx: Ctx,
    Me(me): Me,
    Segments(Word(share)): Segments<Word<ShareId>>,
    Params(params): Params<RevokeShareParams>,
) -> Result<Json<RevokedBody>, Problem> {
    let selection = match params.field {
        Some(Word(field)) => Selection::Field(share, field),
        None => Selection::Share(share),
    };
    let revoked_fields = service::revoke(&ctx, &me, selection).await?;
    Ok(Json(RevokedBody { revoked_fields }))
}

/// What to take back: exactly one of them.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RevokeSharesParams {
    /// All that this host has of you.
    #[param(value_type = Option<String>)]
    host_id: Option<Word<HostId>>,
    /// All of this booking.
    #[param(value_type = Option<String>)]
    booking_id: Option<Word<BookingId>>,
    /// `true`: everything.
    all: Option<bool>,
}

/// Takes back all that one host has, all of one booking, or everything: exactly one of `hostId`,
/// `bookingId` and `all=true`.
#[utoipa::path(
    delete, path = "/me/shares", tag = "me",
    params(RevokeSharesParams),
    responses((status = 200, description = "What ended.", body = RevokedBody)),
    security(("session" = [])),
)]
pub(super) async fn revoke_shares(
    ctx: Ctx,
    Me(me): Me,
    Params(params): Params<RevokeSharesParams>,
) -> Result<Json<RevokedBody>, Problem> {
    let selection = match (params.host_id, params.booking_id, params.all) {
        (Some(Word(host)), None, None) => Selection::Host(host),
        (None, Some(Word(booking)), None) => Selection::Booking(booking),
        (None, None, Some(true)) => Selection::All,
        _ => {
            let detail = "Give exactly one of hostId, bookingId and all=true.";
            let status = StatusCode::BAD_REQUEST;
            return Err(Problem::new(status, "invalid-query", "Bad query", detail));
        }
    };
    let revoked_fields = service::revoke(&ctx, &me, selection).await?;
    Ok(Json(RevokedBody { revoked_fields }))
}

/// Lists when hosts opened what you shared, the newest first.
#[utoipa::path(
    get, path = "/me/openings", tag = "me",
    params(PageParams),
    responses((status = 200, description = "Who looked, and when.", body = List<OpeningBody>)),
    security(("session" = [])),
)]
pub(super) async fn list_openings(
    ctx: Ctx,
    Me(me): Me,
    Params(params): Params<PageParams>,
) -> Result<Json<List<OpeningBody>>, Problem> {
    let openings = service::openings(&ctx, &me, page(params.part()?)).await?;
    Ok(Json(
        params.list(part(openings, Into::into), |opening| opening),
    ))
}
