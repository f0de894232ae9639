//! Signing up, and leaving.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use spots_host::Problem;
use spots_host::extract::Body;
use spots_privacy::Personal;
use utoipa::ToSchema;

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

/// Your new agent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AgentBody {
    /// How the platform tracks you from now on. No host sees it.
    agent_id: String,
}

/// Gives you a new agent in the old one's place: your bookings and shares go with you, and the old
/// id names nobody any more. Hosts notice nothing; you stay the same guest to them.
#[utoipa::path(
    post, path = "/me/agent", tag = "accounts",
    responses((status = 201, description = "The new agent.", body = AgentBody)),
    security(("session" = [])),
)]
pub(super) async fn rotate_agent(
    ctx: Ctx,
    Me(me): Me,
) -> Result<(StatusCode, Json<AgentBody>), Problem> {
    let agent_id = service::rotate_agent(&ctx, me).await?.reveal();
    Ok((StatusCode::CREATED, Json(AgentBody { agent_id })))
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
