//! A running server: HTTP, and what must happen now and then.

use std::io;
use std::time::Duration;

use tokio::net::TcpListener;

use crate::platform::Platform;
use crate::router::{metrics_router, router};
use crate::service::Ctx;

/// How often keys of shares whose time is over are destroyed. A host cannot read them in between:
/// every opening compares the time itself.
const EXPIRY_EVERY: Duration = Duration::from_mins(1);
/// Fields that one round ends.
const EXPIRY_BATCH: u32 = 1_000;

/// Serves until `stop` is ready; then finishes the requests that are under way.
pub async fn serve(
    listener: TcpListener,
    platform: Platform,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let expiry = tokio::spawn(end_what_expired(platform.clone()));
    let served = axum::serve(listener, router(platform))
        .with_graceful_shutdown(stop)
        .await;
    expiry.abort();
    served
}

/// Serves the metrics alone until `stop` is ready.
pub async fn serve_metrics(
    listener: TcpListener,
    platform: Platform,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    axum::serve(listener, metrics_router(platform))
        .with_graceful_shutdown(stop)
        .await
}

#[expect(
    clippy::infinite_loop,
    reason = "ends when its task is aborted with the server"
)]
async fn end_what_expired(platform: Platform) {
    let mut rounds = tokio::time::interval(EXPIRY_EVERY);
    loop {
        rounds.tick().await;
        let ended = match Ctx::begin(&platform) {
            Ok(ctx) => platform.store().expire(ctx.stamp(), EXPIRY_BATCH).await,
            Err(error) => {
                tracing::error!(%error, "failed to take a timestamp for expiry");
                continue;
            }
        };
        match ended {
            Ok(0) => {}
            Ok(fields) => tracing::info!(fields, "ended shares whose time is over"),
            Err(error) => tracing::error!(
                %error,
                cause = std::error::Error::source(&error).map(tracing::field::display),
                "failed to end what expired"
            ),
        }
    }
}
