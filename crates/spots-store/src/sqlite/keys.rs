//! Wrapped keys as such.

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use spots_privacy::consent::KeyOwner;
use spots_privacy::{WrappedKey, Wrapping};

use super::{Fault, SqliteStore, connect};
use crate::error::StoreError;
use crate::model::Stamp;
use crate::rows::{array, count, wrapping_of};
use crate::store::keys::{
    Closing, DestroyedKey, Floor, KeyStore, Purge, Rewrapped, StoredKey, WrappingCount,
};

/// The prefix of what wraps a key, 0 without an epoch. An index of shares' keys is on these words.
const PREFIX: &str = "CASE WHEN substr(wrapped_key, 1, 1) = x'02' THEN substr(wrapped_key, 1, 5)
                          ELSE x'0000000000' END";

#[async_trait]
impl KeyStore for SqliteStore {
    async fn count_wrappings(&self) -> Result<Vec<WrappingCount>, StoreError> {
        self.read("count wrapped keys", count_wrappings).await
    }

    async fn list_older_keys(
        &self,
        newest: Wrapping,
        after: Option<KeyOwner>,
        most: u32,
    ) -> Result<Vec<StoredKey>, StoreError> {
        self.read("list wrapped keys", move |db| {
            list_older(db, newest, after.as_ref(), most)
        })
        .await
    }

    async fn update_keys(&self, keys: Vec<Rewrapped>) -> Result<u64, StoreError> {
        self.write("wrap keys again", move |db| {
            keys.iter()
                .try_fold(0, |done, key| Ok(done + update(db, key)?))
        })
        .await
    }

    async fn close_wrappings(&self, below: Wrapping, stamp: Stamp) -> Result<Closing, StoreError> {
        self.write("retire what wrapped keys", move |db| {
            close(db, below, stamp)
        })
        .await
    }

    async fn lookup_floor(&self) -> Result<Option<Floor>, StoreError> {
        self.read("look up what is retired", lookup_floor).await
    }

    async fn lookup_destroyed(&self, erased: &str) -> Result<Option<DestroyedKey>, StoreError> {
        let erased = erased.to_owned();
        self.read("look up a destroyed key", move |db| {
            let mut statement = db.prepare_cached(
                "SELECT purged_at_ns FROM destroyed_keys
                 WHERE host_id = '-' AND share_id = ?1 AND field = 'account'",
            )?;
            let row = statement.query_row([erased], |row| {
                Ok(DestroyedKey {
                    purged_at_ns: row.get(0)?,
                })
            });
            Ok(row.optional()?)
        })
        .await
    }

    async fn purge(&self, what: Purge, stamp: Stamp) -> Result<u64, StoreError> {
        match what {
            Purge::Before(floor) => {
                self.write("mark purged keys", move |db| purge_before(db, floor, stamp))
                    .await
            }
            Purge::Files => self.purge_files(stamp).await,
        }
    }
}

impl SqliteStore {
    /// What was deleted is overwritten in the file already (`secure_delete`); the log still holds
    /// the pages from before until it is cut.
    async fn purge_files(&self, stamp: Stamp) -> Result<u64, StoreError> {
        const DOING: &str = "purge the database's files";
        let waiting = self.write(DOING, sweep).await?;
        if waiting == 0 {
            return Ok(0);
        }
        let path = std::sync::Arc::clone(&self.path);
        let cut = tokio::task::spawn_blocking(move || {
            let connection = connect(&path, OpenFlags::default())?;
            let busy: i64 = connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
                .map_err(|cause| StoreError::failed(DOING, cause))?;
            Ok::<_, StoreError>(busy == 0)
        });
        let cut = cut
            .await
            .map_err(|cause| StoreError::failed(DOING, cause))??;
        if !cut {
            return Ok(0);
        }
        self.write(DOING, move |db| {
            let marked = db
                .prepare_cached(
                    "UPDATE destroyed_keys SET purged_at_ns = ?1
                     WHERE purged_at_ns IS NULL AND swept = 1 AND prefix < x'02'",
                )?
                .execute([stamp.at_ns])?;
            Ok(marked as u64)
        })
        .await
    }
}

/// Marks what a cut of the log will purge.
fn sweep(db: &Connection) -> Result<u64, Fault> {
    db.prepare_cached(
        "UPDATE destroyed_keys SET swept = 1 WHERE purged_at_ns IS NULL AND swept = 0",
    )?
    .execute([])?;
    let waiting: i64 = db
        .prepare_cached(
            "SELECT count(*) FROM destroyed_keys WHERE purged_at_ns IS NULL AND prefix < x'02'",
        )?
        .query_row([], |row| row.get(0))?;
    Ok(waiting.unsigned_abs())
}

fn count_wrappings(db: &Connection) -> Result<Vec<WrappingCount>, Fault> {
    let mut counts = Vec::new();
    for table in ["user_keys", "share_keys"] {
        let mut statement = db.prepare_cached(&format!(
            "SELECT master_version, {PREFIX}, count(*)
             FROM {table} GROUP BY 1, 2 ORDER BY 1, 2"
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            counts.push(WrappingCount {
                table,
                wrapping: wrapping_of(
                    count(row.get(0)?, "master_version")?,
                    array(row.get(1)?, "wrapped_key")?,
                ),
                keys: row.get::<_, i64>(2)?.unsigned_abs(),
            });
        }
    }
    Ok(counts)
}

fn list_older(
    db: &Connection,
    newest: Wrapping,
    after: Option<&KeyOwner>,
    most: u32,
) -> Result<Vec<StoredKey>, Fault> {
    let mut keys = Vec::new();
    let user = match after {
        None => Some(""),
        Some(KeyOwner::User(user)) => Some(user.as_str()),
        Some(KeyOwner::Share { .. }) => None,
    };
    if let Some(user) = user {
        let mut statement = db.prepare_cached(
            "SELECT wrapped_key, master_version, user_id FROM user_keys
             WHERE user_id > ?1 AND (master_version < ?2 OR substr(wrapped_key, 1, 5) < ?3)
             ORDER BY user_id LIMIT ?4",
        )?;
        let mut rows = statement.query(params![user, newest.version, newest.prefix(), most])?;
        while let Some(row) = rows.next()? {
            keys.push(StoredKey {
                owner: KeyOwner::User(row.get(2)?),
                key: key_from_row(row)?,
            });
        }
    }
    let (host, share, field) = match after {
        Some(KeyOwner::Share { host, share, field }) => (&**host, &**share, &**field),
        _ => ("", "", ""),
    };
    let most = most.saturating_sub(u32::try_from(keys.len()).unwrap_or(u32::MAX));
    let mut statement = db.prepare_cached(
        "SELECT wrapped_key, master_version, host_id, share_id, field FROM share_keys
         WHERE (host_id, share_id, field) > (?1, ?2, ?3)
           AND (+master_version < ?4 OR substr(wrapped_key, 1, 5) < ?5)
         ORDER BY host_id, share_id, field LIMIT ?6",
    )?;
    let (version, prefix) = (newest.version, newest.prefix());
    let mut rows = statement.query(params![host, share, field, version, prefix, most])?;
    while let Some(row) = rows.next()? {
        keys.push(StoredKey {
            owner: KeyOwner::Share {
                host: row.get(2)?,
                share: row.get(3)?,
                field: row.get(4)?,
            },
            key: key_from_row(row)?,
        });
    }
    Ok(keys)
}

fn key_from_row(row: &rusqlite::Row<'_>) -> Result<WrappedKey, Fault> {
    Ok(WrappedKey {
        bytes: row.get(0)?,
        version: count(row.get(1)?, "master_version")?,
    })
}

fn update(db: &Connection, Rewrapped { old, new }: &Rewrapped) -> Result<u64, Fault> {
    let updated = match &old.owner {
        KeyOwner::User(user) => db
            .prepare_cached(
                "UPDATE user_keys SET wrapped_key = ?1, master_version = ?2
                 WHERE user_id = ?3 AND wrapped_key = ?4",
            )?
            .execute(params![new.bytes, new.version, user, old.key.bytes])?,
        KeyOwner::Share { host, share, field } => db
            .prepare_cached(
                "UPDATE share_keys SET wrapped_key = ?1, master_version = ?2
                 WHERE host_id = ?3 AND share_id = ?4 AND field = ?5 AND wrapped_key = ?6",
            )?
            .execute(params![
                new.bytes,
                new.version,
                host,
                share,
                field,
                old.key.bytes
            ])?,
    };
    Ok(updated as u64)
}

fn close(db: &Connection, below: Wrapping, stamp: Stamp) -> Result<Closing, Fault> {
    let left: i64 = db
        .prepare_cached(&format!(
            "SELECT max(keys) FROM (
                 SELECT count(*) AS keys FROM user_keys WHERE master_version < ?1
                 UNION ALL SELECT count(*) FROM user_keys WHERE substr(wrapped_key, 1, 5) < ?2
                 UNION ALL SELECT count(*) FROM share_keys WHERE master_version < ?1
                 UNION ALL SELECT count(*) FROM share_keys
                     WHERE master_version = ?1 AND {PREFIX} < ?2
                 UNION ALL SELECT count(*) FROM share_keys
                     WHERE master_version > ?1 AND {PREFIX} < ?2)"
        ))?
        .query_row(params![below.version, below.prefix()], |row| row.get(0))?;
    let left = left.unsigned_abs();
    if left > 0 {
        return Ok(Closing::Left(left));
    }
    db.prepare_cached(
        "INSERT INTO wrapping_floor (only_row, master_version, prefix, proved_at_ns)
         VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (only_row) DO UPDATE SET
             master_version = max(master_version, excluded.master_version),
             prefix = max(prefix, excluded.prefix), proved_at_ns = excluded.proved_at_ns",
    )?
    .execute(params![below.version, below.prefix(), stamp.at_ns])?;
    let floor = lookup_floor(db)?.expect("the row was just written");
    Ok(Closing::Proved(floor))
}

fn lookup_floor(db: &Connection) -> Result<Option<Floor>, Fault> {
    let row: Option<(i64, Vec<u8>, i64)> = db
        .prepare_cached("SELECT master_version, prefix, proved_at_ns FROM wrapping_floor")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    row.map(|(version, prefix, proved_at_ns)| {
        let version = count(version, "wrapping_floor.master_version")?;
        Ok(Floor {
            wrapping: wrapping_of(version, array(prefix, "wrapping_floor.prefix")?),
            proved_at_ns,
        })
    })
    .transpose()
}

fn purge_before(db: &Connection, floor: Wrapping, stamp: Stamp) -> Result<u64, Fault> {
    let marked = db
        .prepare_cached(
            "UPDATE destroyed_keys SET purged_at_ns = ?1
             WHERE purged_at_ns IS NULL
               AND (master_version < ?2 OR (prefix >= x'02' AND prefix < ?3))",
        )?
        .execute(params![stamp.at_ns, floor.version, floor.prefix()])?;
    Ok(marked as u64)
}
