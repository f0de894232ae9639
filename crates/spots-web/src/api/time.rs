//! The atomic clock.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use spots_clock::sync::TimeScale;
use spots_host::Problem;
use spots_host::extract::Body;
use spots_host::wire::Instant;
use utoipa::ToSchema;

use crate::platform::Platform;
use crate::service::{self, Ctx, RECEIPT_KEY_ID, ServiceError};

/// One instant that nobody else has, with what is known about its error.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AtomicTimestampBody {
    /// Unique; sorts as the moments do.
    #[schema(example = "0198f0a1-7f3c-7000-8000-000000000001")]
    timestamp_id: String,
    /// The best estimate of true time, with nine digits.
    server_time: Instant,
    /// What the server's own clock showed.
    device_time: Instant,
    /// Server time minus device time in nanoseconds, as text.
    offset: String,
    /// Nanoseconds since the Unix epoch, as text.
    nanoseconds: String,
    /// The same in whole milliseconds.
    milliseconds: i64,
    /// `nanosecond` or `millisecond`.
    precision: String,
    /// Whether the error is known.
    is_synchronized: bool,
    /// The truth lies within this many nanoseconds, as text; `null` is unknown.
    #[schema(required)]
    error_bound: Option<String>,
}

/// Takes a timestamp from the atomic clock.
#[utoipa::path(
    get, path = "/time", tag = "time",
    responses((status = 200, description = "A timestamp.", body = AtomicTimestampBody)),
)]
pub(super) async fn find_time(ctx: Ctx) -> impl IntoResponse {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, ctx.at().to_json())
}

/// The client's part of an exchange of four timestamps.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeSyncBody {
    /// 16 random bytes of the client's as 32 hexadecimal digits; new for every exchange.
    #[schema(
        example = "8f14e45fceea167a5a36dedd4bea2543",
        pattern = "^[0-9a-f]{32}$"
    )]
    nonce: String,
}

/// The server's part: when the request had arrived and when the answer was written.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TimeSyncAnswer {
    /// The client's nonce.
    nonce: String,
    /// Server time when the request had arrived, in nanoseconds since the Unix epoch, as text.
    received_at: String,
    /// Server time when the answer was written, in nanoseconds since the Unix epoch, as text.
    sent_at: String,
    /// True time lies within this many nanoseconds of both, as text; `null` is unknown.
    #[schema(required)]
    error_bound: Option<String>,
    /// How leap seconds are counted: `posix` or `smeared`. Never mix the two.
    scale: &'static str,
    /// Proves that whoever holds it spoke to this server after `receivedAt`: 120 bytes as
    /// base64url, signed with a key of `GET /time/keys`. An offline booking or entry carries it.
    receipt: String,
}

/// Exchanges times: the true offset lies within half the round trip.
#[utoipa::path(
    post, path = "/time/sync", tag = "time",
    request_body = TimeSyncBody,
    responses((status = 200, description = "The server's two timestamps.", body = TimeSyncAnswer)),
)]
pub(super) async fn sync_time(
    // First, so that the arrival is stamped when the head has been read, before the body.
    ctx: Ctx,
    Body(body): Body<TimeSyncBody>,
) -> Result<Json<TimeSyncAnswer>, Problem> {
    let nonce = nonce(&body.nonce).ok_or_else(|| {
        ServiceError::field(
            "nonce",
            "invalid",
            "Send 16 random bytes as 32 hexadecimal digits.",
        )
    })?;
    let exchange = service::exchange_time(&ctx, nonce)?;
    let answer = exchange.response;
    Ok(Json(TimeSyncAnswer {
        nonce: body.nonce,
        received_at: answer.received.to_string(),
        sent_at: answer.sent.to_string(),
        error_bound: answer.error_bound.map(|bound| bound.to_string()),
        scale: match answer.scale {
            TimeScale::Posix => "posix",
            TimeScale::Smeared => "smeared",
        },
        receipt: exchange.receipt,
    }))
}

fn nonce(text: &str) -> Option<[u8; 16]> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bits = u128::from_str_radix(text, 16).ok().filter(|_| digits)?;
    Some(bits.to_be_bytes())
}

/// Keys that verify sync receipts (RFC 7517, RFC 8037).
#[derive(Serialize, ToSchema)]
pub(super) struct TimeKeysBody {
    /// The keys; today one.
    keys: Vec<TimeKeyBody>,
}

/// A public key.
#[derive(Serialize, ToSchema)]
struct TimeKeyBody {
    /// `OKP`.
    kty: &'static str,
    /// `Ed25519`.
    crv: &'static str,
    /// The key, as base64url.
    x: String,
    /// Names it.
    kid: &'static str,
    /// `EdDSA`.
    alg: &'static str,
    /// `sig`.
    #[serde(rename = "use")]
    usage: &'static str,
}

/// Lists the keys that verify sync receipts, as a JSON Web Key Set.
#[utoipa::path(
    get, path = "/time/keys", tag = "time",
    responses((status = 200, description = "The keys.", body = TimeKeysBody)),
)]
pub(super) async fn list_time_keys(State(platform): State<Platform>) -> impl IntoResponse {
    let key = TimeKeyBody {
        kty: "OKP",
        crv: "Ed25519",
        x: service::receipt_key(&platform),
        kid: RECEIPT_KEY_ID,
        alg: "EdDSA",
        usage: "sig",
    };
    let cache = [(header::CACHE_CONTROL, "public, max-age=3600")];
    (cache, Json(TimeKeysBody { keys: vec![key] }))
}
