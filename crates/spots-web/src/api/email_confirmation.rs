//! Confirming that an e-mail address is one's own.

use axum::Json;
use axum::http::StatusCode;
use spots_host::Problem;
use spots_host::extract::Body;

use crate::http::Me;
use crate::service::{self, Ctx};
use crate::wire::{ConfirmationBody, TokenBody};

/// Shows whether your e-mail address is confirmed.
#[utoipa::path(
    get, path = "/me/email-confirmation", tag = "me",
    responses((status = 200, description = "What is known of it.", body = ConfirmationBody)),
    security(("session" = [])),
)]
pub(super) async fn find_email_confirmation(
    ctx: Ctx,
    Me(me): Me,
) -> Result<Json<ConfirmationBody>, Problem> {
    Ok(Json((&service::confirmed_address(&ctx, &me).await?).into()))
}

/// Sends a letter with a link to the address that you sign in with. A host that asks to be told that
/// you belong to a company or a club can be told so by the address once it is confirmed; it does
/// not get the address.
#[utoipa::path(
    post, path = "/me/email-confirmation", tag = "me",
    responses((status = 202, description = "A letter is on its way, or was not needed.", body = ConfirmationBody)),
    security(("session" = [])),
)]
pub(super) async fn begin_email_confirmation(
    ctx: Ctx,
    Me(me): Me,
) -> Result<(StatusCode, Json<ConfirmationBody>), Problem> {
    let known = service::begin_confirmation(&ctx, &me).await?;
    Ok((StatusCode::ACCEPTED, Json((&known).into())))
}

/// Confirms your address by the token of the letter's link, within 24 hours and once.
#[utoipa::path(
    put, path = "/me/email-confirmation", tag = "me",
    request_body = TokenBody,
    responses((status = 200, description = "It is confirmed.", body = ConfirmationBody)),
    security(("session" = [])),
)]
pub(super) async fn confirm_email(
    ctx: Ctx,
    Me(me): Me,
    Body(body): Body<TokenBody>,
) -> Result<Json<ConfirmationBody>, Problem> {
    let known = service::confirm_address(&ctx, &me, &body.token).await?;
    Ok(Json((&known).into()))
}
