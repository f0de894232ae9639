//! A running server: HTTP, and what must happen now and then.

use std::io;
use std::time::Duration;

use spots_booking::Stream;
use spots_store::StoreError;
use tokio::net::TcpListener;

use crate::ledger::{self, Mirror};
use crate::platform::Platform;
use crate::router::{metrics_router, router};
use crate::service::{Ctx, retire_journal};
use crate::tls::{Certificate, TlsListener};

/// How often keys of shares whose time is over are destroyed. A host cannot read them in between:
/// every opening compares the time itself.
const EXPIRY_EVERY: Duration = Duration::from_mins(1);
/// Fields that one round ends.
const EXPIRY_BATCH: u32 = 1_000;

/// Serves until `stop` is ready; then finishes the requests that are under way. With a certificate
/// over HTTPS.
pub async fn serve(
    listener: TcpListener,
    certificate: Option<&Certificate>,
    platform: Platform,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let mirror = platform.settings().ledger_dir.as_ref().map(|directory| {
        Mirror::open(directory, platform.ledger_key().public()).map_err(io::Error::other)
    });
    let ledger = tokio::spawn(ledger::keep(platform.clone(), mirror.transpose()?));
    let expiry = tokio::spawn(end_what_expired(platform.clone()));
    let router = router(platform);
    let served = match certificate {
        Some(certificate) => {
            let listener = TlsListener::new(listener, certificate)?;
            axum::serve(listener, router)
                .with_graceful_shutdown(stop)
                .await
        }
        None => {
            axum::serve(listener, router)
                .with_graceful_shutdown(stop)
                .await
        }
    };
    expiry.abort();
    ledger.abort();
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
        let ctx = match Ctx::begin(&platform) {
            Ok(ctx) => ctx,
            Err(error) => {
                tracing::error!(%error, "failed to take a timestamp for expiry");
                continue;
            }
        };
        match ctx.store().expire(ctx.stamp(), EXPIRY_BATCH).await {
            Ok(0) => {}
            Ok(fields) => tracing::info!(fields, "ended shares whose time is over"),
            Err(error) => failed(&error, "failed to end what expired"),
        }
        for stream in Stream::ALL {
            match retire_journal(&ctx, *stream).await {
                Ok(0) => {}
                Ok(entries) => tracing::info!(%stream, entries, "removed old entries"),
                Err(error) => failed(&error, "failed to remove old entries of the journal"),
            }
        }
    }
}

fn failed(error: &StoreError, what: &str) {
    let cause = std::error::Error::source(error).map(tracing::field::display);
    tracing::error!(%error, cause, "{what}");
}
