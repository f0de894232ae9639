//! Signing up, and leaving.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use spots_host::Problem;
use spots_host::extract::Body;
use spots_privacy::Personal;

use crate::http::Me;
use crate::service::{self, Ctx, NewAccount};
use crate::wire::{AccountBody, ErasureBody, NewAccountBody};

/// Signs up: an account with an agent of its own.
#[utoipa::path(
    post, path = "/accounts", tag = "accounts",
    request_body = NewAccountBody,
    responses((status = 201, description = "The account.", body = AccountBody)),
)]
pub(super) async fn create_account(
    ctx: Ctx,
    Body(body): Body<NewAccountBody>,
) -> Result<impl IntoResponse, Problem> {
    let new = NewAccount {
        email: Personal::new(body.email),
        password: Personal::new(body.password),
        name: body.name.map(Personal::new),
    };
    let account = service::sign_up(&ctx, new).await?;
    let body = AccountBody {
        user_id: account.user.reveal(),
        agent_id: account.agent.reveal(),
    };
    let location = [(header::LOCATION, "/api/v1/me/profile")];
    Ok((StatusCode::CREATED, location, Json(body)))
}

/// Deletes the account: the keys of the profile and of all that was shared are destroyed, bookings
/// to come are cancelled, sessions end. It cannot be undone. The answer is the only copy of the
/// certificate.
#[utoipa::path(
    delete, path = "/me", tag = "accounts",
    responses((status = 200, description = "It is gone.", body = ErasureBody)),
    security(("session" = [])),
)]
pub(super) async fn delete_account(ctx: Ctx, Me(me): Me) -> Result<Json<ErasureBody>, Problem> {
    let erased = service::remove_account(&ctx, &me).await?;
    Ok(Json(ErasureBody {
        destroyed_keys: erased.removal.fields,
        cancelled_bookings: erased.removal.bookings,
        certificate: erased.certificate,
    }))
}
