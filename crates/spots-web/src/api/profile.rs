//! A person's own data.

use axum::Json;
use spots_host::Problem;
use spots_host::extract::Body;

use crate::http::Me;
use crate::service::{self, Ctx};
use crate::wire::{ProfileBody, UpdateProfileBody};

/// Shows your own profile.
#[utoipa::path(
    get, path = "/me/profile", tag = "me",
    responses((status = 200, description = "The profile.", body = ProfileBody)),
    security(("session" = [])),
)]
pub(super) async fn find_profile(ctx: Ctx, Me(me): Me) -> Result<Json<ProfileBody>, Problem> {
    Ok(Json((&service::profile(&ctx, &me).await?).into()))
}

/// Replaces your own profile. What was shared before stays as it was shared. Another e-mail address
/// than the one you sign in with takes your password.
#[utoipa::path(
    put, path = "/me/profile", tag = "me",
    request_body = UpdateProfileBody,
    responses((status = 200, description = "The profile as it is now.", body = ProfileBody)),
    security(("session" = [])),
)]
pub(super) async fn update_profile(
    ctx: Ctx,
    Me(me): Me,
    Body(body): Body<UpdateProfileBody>,
) -> Result<Json<ProfileBody>, Problem> {
    let (profile, password) = body.into_parts();
    service::update_profile(&ctx, &me, profile, password).await?;
    Ok(Json((&service::profile(&ctx, &me).await?).into()))
}
