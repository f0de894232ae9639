//! What the upgrade of an old SPOTS database cannot do in SQL: agents, sealing, lists of attendees.
//!
//! Every id that the move gives is a keyed hash of the old id, so a step that is repeated, after a
//! crash or because the old application wrote once more, gives the same rows again.

mod copy;
mod events;
mod ids;
mod mapping;
mod moves;
mod people;
mod postgres;
mod profiles;
mod restore;
mod source;
mod sqlite;
mod survey;

use std::fmt;
use std::sync::Arc;

use spots_privacy::{MasterKeys, Randomness};

use crate::error::StoreError;

use self::moves::{Move, MoveError, Row};

pub use self::copy::{Target, copy};
pub use self::mapping::{MAPPING_BYTES_MAX, Mapping};
pub use self::source::Source;
pub use self::survey::Survey;

/// The keys and the randomness with which an old database is moved.
#[derive(Clone)]
pub struct Mover {
    keys: Arc<MasterKeys>,
    random: Arc<dyn Randomness>,
    /// Seconds since the Unix epoch.
    moved_at: i64,
}

impl Mover {
    /// With the keys that will seal the database, at a second since the Unix epoch: no booking is
    /// taken to be made later.
    pub fn new(keys: Arc<MasterKeys>, random: Arc<dyn Randomness>, moved_at: i64) -> Self {
        Self {
            keys,
            random,
            moved_at,
        }
    }
}

impl fmt::Debug for Mover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mover(…)")
    }
}

/// The platform's backfills for SQLite. Without a mover they do nothing on a database that holds
/// nobody, and refuse an old one.
pub fn sqlite_backfills(mover: Option<&Mover>) -> spots_migrate::sqlite::Backfills {
    chains().into_iter().fold(
        spots_migrate::sqlite::Backfills::new(),
        |all, (name, chain)| all.with(name, sqlite::Chained(Chain::new(name, chain, mover))),
    )
}

/// The platform's backfills for PostgreSQL; see [`sqlite_backfills`].
pub fn postgres_backfills(mover: Option<&Mover>) -> spots_migrate::postgres::Backfills {
    chains().into_iter().fold(
        spots_migrate::postgres::Backfills::new(),
        |all, (name, chain)| all.with(name, postgres::Chained(Chain::new(name, chain, mover))),
    )
}

/// Refuses to serve a database that holds people of the old form.
pub(crate) fn refuse_old(is_old: bool) -> Result<(), StoreError> {
    if is_old {
        return Err(StoreError::failed("open the database", MoveError::NoKeys));
    }
    Ok(())
}

pub(crate) use self::postgres::is_old as is_old_postgres;
pub(crate) use self::sqlite::is_old as is_old_sqlite;

type Moves = Vec<Box<dyn Move>>;

/// Backfills of ways back.
const WAYS_BACK: [&str; 2] = ["legacy-agents-back", "legacy-restore"];

/// The backfills by the names that the manifests use.
fn chains() -> Vec<(&'static str, Moves)> {
    use events::{EventsAgain, EventsUp, Kind};
    vec![
        ("legacy-agents", vec![Box::new(people::Agents)]),
        ("legacy-agents-back", vec![Box::new(people::AgentsBack)]),
        ("legacy-fields", vec![Box::new(people::Fields)]),
        ("legacy-profiles", vec![Box::new(profiles::Profiles)]),
        ("legacy-anonymous", vec![Box::new(profiles::Anonymous)]),
        (
            "legacy-expert-events",
            vec![Box::new(EventsUp(Kind::Expert))],
        ),
        (
            "legacy-community-events",
            vec![Box::new(EventsUp(Kind::Community))],
        ),
        (
            "legacy-last-changes",
            vec![
                Box::new(people::PeopleAgain),
                Box::new(profiles::ProfilesAgain),
                Box::new(EventsAgain(Kind::Expert)),
                Box::new(EventsAgain(Kind::Community)),
            ],
        ),
        (
            "legacy-restore",
            vec![
                Box::new(restore::Agents),
                Box::new(restore::Users),
                Box::new(restore::Profiles),
                Box::new(restore::Events(Kind::Expert)),
                Box::new(restore::Events(Kind::Community)),
            ],
        ),
    ]
}

/// Moves that follow each other as one backfill. The place where a batch ends is the number of the
/// move and the key of its last row: `2:event_17`.
struct Chain {
    moves: Moves,
    mover: Option<Mover>,
    /// Whether it belongs to a way back.
    back: bool,
}

impl Chain {
    fn new(name: &str, moves: Moves, with: Option<&Mover>) -> Self {
        Self {
            moves,
            mover: with.cloned(),
            back: WAYS_BACK.contains(&name),
        }
    }

    fn with_keys(&self) -> Result<&Mover, MoveError> {
        self.mover.as_ref().ok_or(if self.back {
            MoveError::NoKeysBack
        } else {
            MoveError::NoKeys
        })
    }

    /// The move at which a batch goes on, and the key after which.
    fn at<'a>(&self, from: Option<&'a str>) -> Option<(usize, &dyn Move, &'a str)> {
        let (number, key) = match from {
            None => (0, ""),
            Some(place) => {
                let (number, key) = place.split_once(':')?;
                (number.parse().ok()?, key)
            }
        };
        Some((number, self.moves.get(number)?.as_ref(), key))
    }

    /// Where the next batch goes on after these rows.
    fn next(&self, number: usize, rows: &[Row], limit: u32) -> Option<String> {
        let full = rows.len() >= limit as usize;
        match rows.last() {
            Some(last) if full => Some(format!("{number}:{}", last.key())),
            _ => (number + 1 < self.moves.len()).then(|| format!("{}:", number + 1)),
        }
    }
}
