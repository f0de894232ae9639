//! The atomic clock.

use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use spots_host::wire::Instant;
use utoipa::ToSchema;

use crate::service::Ctx;

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
