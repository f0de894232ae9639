//! Signing in and out.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use spots_host::extract::Body;
use spots_host::wire::Instant;
use spots_host::{Problem, ServiceError};
use spots_privacy::Personal;

use crate::http::{Me, clear_session_cookie, session_token};
use crate::platform::Platform;
use crate::service::{self, Ctx};
use crate::wire::{NewSessionBody, SessionBody};

/// Signs in for 30 days.
#[utoipa::path(
    post, path = "/sessions", tag = "accounts",
    request_body = NewSessionBody,
    responses((status = 201, description = "The session.", body = SessionBody)),
)]
pub(super) async fn create_session(
    ctx: Ctx,
    Body(body): Body<NewSessionBody>,
) -> Result<impl IntoResponse, Problem> {
    let (email, password) = (Personal::new(body.email), Personal::new(body.password));
    let session = service::sign_in(&ctx, &email, password).await?;
    let body = SessionBody {
        token: session.token.disclose().to_owned(),
        expires_at: Instant(session.expires_at),
        user_id: session.user.reveal(),
    };
    let location = [(header::LOCATION, "/api/v1/sessions/current")];
    Ok((StatusCode::CREATED, location, Json(body)))
}

/// Signs out: the token is worth nothing any more.
#[utoipa::path(
    delete, path = "/sessions/current", tag = "accounts",
    responses((status = 204, description = "Signed out.")),
    security(("session" = [])),
)]
pub(super) async fn delete_current_session(
    State(platform): State<Platform>,
    ctx: Ctx,
    _me: Me,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let token = session_token(&headers, platform.settings()).ok_or(ServiceError::NotSignedIn)?;
    service::sign_out(&ctx, token).await?;
    let cookie = [(
        header::SET_COOKIE,
        clear_session_cookie(platform.settings()),
    )];
    Ok((StatusCode::NO_CONTENT, cookie))
}
