//! Rotation: every key is wrapped again by the newest master key and epoch, while the service runs.
//!
//! No state is kept beside the keys themselves: what is still to do is what is wrapped by something
//! older. So a rotation that was killed goes on when it is begun again, wherever it was.

use std::time::Duration;

use spots_privacy::consent::KeyOwner;
use spots_privacy::{KeyError, MasterKeys, Randomness};
use thiserror::Error;
use tokio::time::MissedTickBehavior;

use crate::error::StoreError;
use crate::store::Store;
use crate::store::keys::{KEYS_MAX, Rewrapped, StoredKey};

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Keys of one batch, at most [`KEYS_MAX`].
    pub batch: u32,
    /// Keys a second at most.
    pub rate: u32,
}

/// Small batches, so that what the service does in between waits little.
impl Default for Pace {
    fn default() -> Self {
        Self {
            batch: 100,
            rate: 5_000,
        }
    }
}

impl Pace {
    fn between_batches(self) -> Duration {
        let second = Duration::from_secs(1);
        (second * self.batch / self.rate.max(1)).max(Duration::from_micros(1))
    }
}

/// Why a rotation stops.
#[derive(Debug, Error)]
pub enum RotationError {
    /// A key does not unwrap: the row is damaged, or the master keys are those of another database.
    #[error("failed to wrap the key of {owner} again")]
    Key {
        /// Whose key, in words.
        owner: String,
        /// Why.
        #[source]
        cause: KeyError,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Wraps every key again that something older than the newest keys wraps, in one pass. `progress`
/// hears the number of keys done so far after each batch. Returns how many.
pub async fn rewrap(
    store: &dyn Store,
    keys: &MasterKeys,
    random: &dyn Randomness,
    pace: Pace,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<u64, RotationError> {
    let batch = pace.batch.clamp(1, KEYS_MAX);
    let mut ticks = tokio::time::interval(pace.between_batches());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut after, mut done) = (None, 0);
    loop {
        ticks.tick().await;
        let newest = keys.newest();
        let older = store.list_older_keys(newest, after, batch).await?;
        let Some(last) = older.last() else {
            return Ok(done);
        };
        after = Some(last.owner.clone());
        let again = older
            .into_iter()
            .map(|old| wrap_again(keys, old, random))
            .collect::<Result<_, _>>()?;
        done += store.update_keys(again).await?;
        progress(done);
    }
}

fn wrap_again(
    keys: &MasterKeys,
    old: StoredKey,
    random: &dyn Randomness,
) -> Result<Rewrapped, RotationError> {
    let new = keys
        .rewrap(&old.key, old.owner.place(), random)
        .map_err(|cause| RotationError::Key {
            owner: in_words(&old.owner),
            cause,
        })?;
    Ok(Rewrapped { old, new })
}

/// Whether these keys open what the database holds: tries one stored key.
pub async fn check_keys(store: &dyn Store, keys: &MasterKeys) -> Result<(), RotationError> {
    let any = spots_privacy::Wrapping {
        version: u32::MAX,
        epoch: 0,
    };
    for stored in store.list_older_keys(any, None, 1).await? {
        wrap_again(keys, stored, &spots_privacy::SystemRandomness)?;
    }
    Ok(())
}

fn in_words(owner: &KeyOwner) -> String {
    match owner {
        // An account is named to nobody; its row is found by its key's bytes.
        KeyOwner::User(_) => "a user".to_owned(),
        KeyOwner::Share { share, field, .. } => format!("share {share}, field {field}"),
    }
}
