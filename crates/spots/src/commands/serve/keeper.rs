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
        let pace = Pace::default();
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

#[cfg(test)]
mod tests {
    use spots_clock::ManualSource;
    use spots_migrate::Silent;
    use spots_privacy::consent::Person;
    use spots_privacy::{SystemRandomness, UserId};
    use spots_store::SqliteStore;
    use spots_store::model::NewAccount;
    use tempfile::TempDir;

    use super::*;
    use crate::keyring::KeyPlace;

    const SECOND_NS: u64 = 1_000_000_000;

    struct World {
        keeper: Keeper,
        time: ManualSource,
        _folder: TempDir,
    }

    /// A server with somebody's key in its database, before its first epoch.
    async fn world(kept: u16) -> World {
        let folder = tempfile::tempdir().unwrap();
        let place = KeyPlace {
            key_file: folder.path().join("spots.keys"),
            key_command: None,
            epoch_file: folder.path().join("spots.epochs"),
        };
        place
            .write(&MasterKeys::generate(&SystemRandomness))
            .unwrap();
        let keys = Arc::new(place.read().unwrap());
        let store = SqliteStore::open(&folder.path().join("spots.db"), &mut Silent).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let person = Person::create(UserId::generate(&SystemRandomness), &SystemRandomness);
        let account = NewAccount {
            user: person.user().clone(),
            agent: person.agent().clone(),
            agent_lookup: [1; 32],
            stored: person.to_stored(&keys, &SystemRandomness).unwrap(),
            email_lookup: [2; 32],
            password_hash: String::new(),
            profile: Vec::new(),
        };
        store.add_account(account).await.unwrap();
        let (clock, time) = AtomicClock::simulated(1_795_366_800 * SECOND_NS);
        let keeper = Keeper {
            store,
            clock: Arc::new(clock),
            keys,
            random: Arc::new(SystemRandomness),
            reread: true,
            epochs: Some(EpochSettings {
                file: EpochFile(place.epoch_file),
                hours: 24,
                kept,
            }),
        };
        World {
            keeper,
            time,
            _folder: folder,
        }
    }

    impl World {
        async fn after(&self, seconds: u64) -> (Vec<u32>, Vec<u32>) {
            self.time.advance(seconds * SECOND_NS);
            self.keeper.upkeep().await.unwrap();
            let counts = self.keeper.store.count_wrappings().await.unwrap();
            let wrapped = counts.iter().map(|count| count.wrapping.epoch).collect();
            (self.keeper.keys.epochs(), wrapped)
        }
    }

    #[tokio::test]
    async fn epochs_turn_by_themselves_and_the_old_one_goes_when_nothing_needs_it() {
        let world = world(0).await;
        assert_eq!(
            world.after(0).await,
            (vec![1], vec![0]),
            "begun, not yet used"
        );
        assert_eq!(world.after(89).await, (vec![1], vec![0]));
        assert_eq!(world.after(1).await, (vec![1], vec![1]));
        assert_eq!(world.after(86_309).await, (vec![1], vec![1]));
        assert_eq!(world.after(1).await, (vec![1, 2], vec![1]), "a day is over");
        assert_eq!(world.after(90).await, (vec![2], vec![2]));
        let floor = world.keeper.store.lookup_floor().await.unwrap().unwrap();
        assert_eq!(floor.wrapping.epoch, 2);
    }

    #[tokio::test]
    async fn epochs_that_are_kept_open_backups_of_their_time() {
        let world = world(1).await;
        world.after(0).await;
        world.after(86_400).await;
        assert_eq!(world.after(90).await, (vec![1, 2], vec![2]));
        world.after(86_400).await;
        assert_eq!(world.after(90).await, (vec![2, 3], vec![3]));
    }
}
