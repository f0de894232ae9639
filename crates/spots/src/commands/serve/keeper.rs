//! What happens to keys while the server runs: they are read again, epochs turn, destroyed keys
//! become unreadable everywhere.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use spots_clock::AtomicClock;
use spots_privacy::{MasterKeys, Randomness, Wrapping};
use spots_store::keys::{Closing, Purge};
use spots_store::rotation::{Pace, rewrap};
use spots_store::{Stamp, Store};

use crate::keyring::EpochFile;

/// How often the keys are read again from their files.
const REFRESH_EVERY: Duration = Duration::from_secs(1);
/// Reads between two rounds of upkeep.
const REFRESHES_A_ROUND: u32 = 60;
/// Seconds after which an epoch that began is known to all servers, and requests that were under
/// way are over.
const SETTLE_SECONDS: i64 = 90;
/// Keys that upkeep wraps again in a second, at most.
const RATE: u32 = 5_000;

/// How epochs turn.
#[derive(Clone, Debug)]
pub(super) struct EpochSettings {
    /// Where they are kept.
    pub(super) file: EpochFile,
    /// How long one lasts, in hours.
    pub(super) hours: u16,
    /// How many that are over are kept, so that backups of their time can be restored.
    pub(super) kept: u16,
}

/// Keeps the keys of one server.
pub(super) struct Keeper {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<AtomicClock>,
    pub(super) keys: Arc<MasterKeys>,
    pub(super) random: Arc<dyn Randomness>,
    /// Whether the keys are in a file, so that reading them again costs nothing.
    pub(super) reread: bool,
    pub(super) epochs: Option<EpochSettings>,
}

impl Keeper {
    /// Goes on until its task is aborted.
    #[expect(
        clippy::infinite_loop,
        reason = "ends when its task is aborted with the server"
    )]
    pub(super) async fn keep(self) {
        let mut ticks = tokio::time::interval(REFRESH_EVERY);
        loop {
            if let Err(error) = self.upkeep().await {
                tracing::error!(error = format!("{error:#}"), "failed to keep the keys");
            }
            for _ in 0..REFRESHES_A_ROUND {
                ticks.tick().await;
                if self.reread
                    && let Err(error) = self.keys.refresh()
                {
                    tracing::error!(%error, "goes on with the keys it has");
                }
            }
        }
    }

    /// One round.
    pub(super) async fn upkeep(&self) -> anyhow::Result<()> {
        let stamp: Stamp = self
            .clock
            .now()
            .context("failed to take a timestamp")?
            .into();
        if let Some(epochs) = &self.epochs {
            self.turn(epochs, stamp).await?;
        }
        let purged = self.store.purge(Purge::Files, stamp).await?;
        if purged > 0 {
            tracing::info!(purged, "destroyed keys are gone from the database's files");
        }
        Ok(())
    }

    /// Begins an epoch when the last one is over; moves all keys to it, and destroys the one before
    /// once nothing is wrapped by it.
    async fn turn(&self, settings: &EpochSettings, stamp: Stamp) -> anyhow::Result<()> {
        let now = stamp.timestamp().as_second();
        let lasts = i64::from(settings.hours) * 3_600;
        let random = self.random.as_ref();
        let (newest, began_at) = settings.file.change(|epochs| {
            if epochs.began_at().is_none_or(|began| began + lasts <= now) {
                let number = epochs.begin(now, random)?;
                tracing::info!(epoch = number, "an epoch begins");
            }
            Ok((epochs.newest(), epochs.began_at().unwrap_or(now)))
        })?;
        self.keys.refresh()?;
        if now < began_at + SETTLE_SECONDS {
            return Ok(());
        }
        let pace = Pace {
            rate: RATE,
            ..Pace::default()
        };
        let store = self.store.as_ref();
        rewrap(store, &self.keys, random, pace, &mut |_| {}).await?;
        let below = Wrapping {
            version: 0,
            epoch: newest,
        };
        let known = store.lookup_floor().await?;
        if known.is_none_or(|floor| floor.wrapping.epoch < newest) {
            match store.close_wrappings(below, stamp).await? {
                Closing::Proved(_) => {}
                // A server was late; the next round finds its keys.
                Closing::Left(_) => return Ok(()),
            }
        }
        let floor = newest.saturating_sub(u32::from(settings.kept));
        let retired = settings
            .file
            .change(|epochs| Ok(epochs.retire_before(floor)))?;
        if retired > 0 {
            tracing::info!(retired, "epochs are destroyed");
        }
        self.keys.refresh()?;
        let gone = Wrapping {
            version: 0,
            epoch: floor,
        };
        let purged = store.purge(Purge::Before(gone), stamp).await?;
        if purged > 0 {
            tracing::info!(purged, "destroyed keys are unreadable everywhere");
        }
        Ok(())
    }
}
