//! The ledger from the operator's side: sequencing, a copy outside the database, audits, replay.

mod audit;
mod mirror;
mod replay;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use spots_privacy::ledger::{LedgerKey, NoteError};
use spots_store::ledger::LEDGER_ROWS_MAX;
use spots_store::{Store, StoreError};

pub use audit::{Audited, audit};
pub use mirror::Mirror;
pub use replay::{Replayed, Standing, compare, replay};

use crate::platform::Platform;

/// How often waiting entries get their positions, and a copy outside follows. What is revoked
/// stands outside the database at most this long after it was answered, and the time that writing
/// it takes.
pub const SEQUENCE_EVERY: Duration = Duration::from_secs(1);

/// Why something about the ledger could not be done.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The directory of the copy.
    #[error("failed to {0} the ledger's copy in {1}")]
    Directory(&'static str, String, #[source] std::io::Error),
    /// The copy's checkpoint.
    #[error("the checkpoint of the ledger's copy is {0}; is the key file that of this database?")]
    Note(NoteError),
    /// The copy is not what its checkpoint covers.
    #[error(
        "the ledger's copy was altered: its entries are not those that its checkpoint covers{0}"
    )]
    Copy(String),
}

impl LedgerError {
    fn directory(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |cause| Self::Directory(doing, path, cause)
    }
}

/// Gives all waiting entries their positions; returns how many.
pub async fn sequence(store: &dyn Store, key: &Arc<LedgerKey>) -> Result<u64, StoreError> {
    let mut all = 0;
    loop {
        let done = store
            .sequence_ledger(Arc::clone(key), LEDGER_ROWS_MAX)
            .await?;
        all += done;
        if done < u64::from(LEDGER_ROWS_MAX) {
            return Ok(all);
        }
    }
}

/// Sequences, and lets the copy follow, until the task is ended.
#[expect(
    clippy::infinite_loop,
    reason = "ends when its task is aborted with the server"
)]
pub(crate) async fn keep(platform: Platform, mut mirror: Option<Mirror>) {
    let mut rounds = tokio::time::interval(SEQUENCE_EVERY);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        if let Err(error) = round(&platform, mirror.as_mut()).await {
            tracing::error!(
                %error,
                cause = std::error::Error::source(&error).map(tracing::field::display),
                "failed to keep the ledger"
            );
        }
    }
}

/// One round: what waits gets its position, then the copy follows.
pub(crate) async fn round(
    platform: &Platform,
    mirror: Option<&mut Mirror>,
) -> Result<(), LedgerError> {
    sequence(platform.store(), platform.ledger_key()).await?;
    if let Some(mirror) = mirror {
        mirror.follow(platform.store()).await?;
    }
    Ok(())
}
