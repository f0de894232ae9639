//! Wrapped keys as such.

use async_trait::async_trait;
use spots_privacy::consent::KeyOwner;
use spots_privacy::{WrappedKey, Wrapping};
use tokio::try_join;
use tokio_postgres::Row;

use super::PostgresStore;
use super::columns::{Columns, integer};
use super::session::{Fault, Session, Work, statements};
use crate::error::StoreError;
use crate::model::Stamp;
use crate::rows::{Inconsistent, wrapping_of};
use crate::store::keys::{
    Closing, DestroyedKey, Floor, KeyStore, Purge, Rewrapped, StoredKey, WrappingCount,
};

statements! {
    COUNT() =
        "SELECT 1, master_version,
                CASE WHEN substr(wrapped_key, 1, 1) = '\\x02' THEN substr(wrapped_key, 1, 5)
                     ELSE '\\x0000000000' END, count(*)
         FROM user_keys GROUP BY 2, 3
         UNION ALL
         SELECT 2, master_version,
                CASE WHEN substr(wrapped_key, 1, 1) = '\\x02' THEN substr(wrapped_key, 1, 5)
                     ELSE '\\x0000000000' END, count(*)
         FROM share_keys GROUP BY 2, 3
         ORDER BY 1, 2, 3";
    LIST_USERS(TEXT, INT4, BYTEA, INT8) =
        "SELECT wrapped_key, master_version, user_id FROM user_keys
         WHERE user_id > $1 AND (master_version < $2 OR substr(wrapped_key, 1, 5) < $3)
         ORDER BY user_id LIMIT $4";
    LIST_SHARES(TEXT, TEXT, TEXT, INT4, BYTEA, INT8) =
        "SELECT wrapped_key, master_version, host_id, share_id, field FROM share_keys
         WHERE (host_id, share_id, field) > ($1, $2, $3)
           AND (master_version < $4 OR substr(wrapped_key, 1, 5) < $5)
         ORDER BY host_id, share_id, field LIMIT $6";
    UPDATE_USERS(TEXT_ARRAY, BYTEA_ARRAY, BYTEA_ARRAY, INT4_ARRAY) =
        "WITH held AS MATERIALIZED (
             SELECT k.user_id, n.wrapped_key, n.version
             FROM user_keys k JOIN unnest($1, $2, $3, $4) AS n (user_id, old, wrapped_key, version)
               ON n.user_id = k.user_id AND n.old = k.wrapped_key
             ORDER BY k.user_id FOR NO KEY UPDATE OF k)
         UPDATE user_keys k SET wrapped_key = h.wrapped_key, master_version = h.version
         FROM held h WHERE h.user_id = k.user_id RETURNING 1";
    UPDATE_SHARES(TEXT_ARRAY, TEXT_ARRAY, TEXT_ARRAY, BYTEA_ARRAY, BYTEA_ARRAY, INT4_ARRAY) =
        "WITH held AS MATERIALIZED (
             SELECT k.host_id, k.share_id, k.field, n.wrapped_key, n.version
             FROM share_keys k
             JOIN unnest($1, $2, $3, $4, $5, $6)
               AS n (host_id, share_id, field, old, wrapped_key, version)
               ON n.host_id = k.host_id AND n.share_id = k.share_id AND n.field = k.field
              AND n.old = k.wrapped_key
             ORDER BY k.host_id, k.share_id, k.field FOR NO KEY UPDATE OF k)
         UPDATE share_keys k SET wrapped_key = h.wrapped_key, master_version = h.version
         FROM held h
         WHERE h.host_id = k.host_id AND h.share_id = k.share_id AND h.field = k.field
         RETURNING 1";
    /// Waits for the writers under way; those that come later wait for the commit and then meet the
    /// floor.
    LOCK() = "LOCK TABLE user_keys, share_keys IN SHARE MODE";
    LEFT(INT4, BYTEA) =
        "SELECT greatest(
             (SELECT count(*) FROM user_keys WHERE master_version < $1),
             (SELECT count(*) FROM user_keys WHERE substr(wrapped_key, 1, 5) < $2),
             (SELECT count(*) FROM share_keys WHERE master_version < $1),
             (SELECT count(*) FROM share_keys WHERE master_version = $1
                  AND CASE WHEN substr(wrapped_key, 1, 1) = '\\x02' THEN substr(wrapped_key, 1, 5)
                           ELSE '\\x0000000000' END < $2),
             (SELECT count(*) FROM share_keys WHERE master_version > $1
                  AND CASE WHEN substr(wrapped_key, 1, 1) = '\\x02' THEN substr(wrapped_key, 1, 5)
                           ELSE '\\x0000000000' END < $2))";
    SET_FLOOR(INT4, BYTEA, INT8) =
        "INSERT INTO wrapping_floor AS f (only_row, master_version, prefix, proved_at_ns)
         VALUES (1, $1, $2, $3)
         ON CONFLICT (only_row) DO UPDATE SET
             master_version = greatest(f.master_version, excluded.master_version),
             prefix = greatest(f.prefix, excluded.prefix), proved_at_ns = excluded.proved_at_ns
         RETURNING master_version, prefix, proved_at_ns";
    DESTROYED(TEXT) =
        "SELECT purged_at_ns FROM destroyed_keys
         WHERE host_id = '-' AND share_id = $1 AND field = 'account'";
    FLOOR() = "SELECT master_version, prefix, proved_at_ns FROM wrapping_floor";
    PURGE_BEFORE(INT8, INT4, BYTEA) =
        "UPDATE destroyed_keys SET purged_at_ns = $1
         WHERE purged_at_ns IS NULL
           AND (master_version < $2 OR (prefix >= '\\x02' AND prefix < $3)) RETURNING 1";
}

#[async_trait]
impl KeyStore for PostgresStore {
    async fn count_wrappings(&self) -> Result<Vec<WrappingCount>, StoreError> {
        count_wrappings(self)
            .await
            .map_err(|fault| fault.into_error("count wrapped keys"))
    }

    async fn list_older_keys(
        &self,
        newest: Wrapping,
        after: Option<KeyOwner>,
        most: u32,
    ) -> Result<Vec<StoredKey>, StoreError> {
        list_older(self, newest, after.as_ref(), most)
            .await
            .map_err(|fault| fault.into_error("list wrapped keys"))
    }

    async fn update_keys(&self, keys: Vec<Rewrapped>) -> Result<u64, StoreError> {
        self.transact(&Update(keys))
            .await
            .map_err(|fault| fault.into_error("wrap keys again"))
    }

    async fn close_wrappings(&self, below: Wrapping, stamp: Stamp) -> Result<Closing, StoreError> {
        self.transact(&Close { below, stamp })
            .await
            .map_err(|fault| fault.into_error("retire what wrapped keys"))
    }

    async fn lookup_floor(&self) -> Result<Option<Floor>, StoreError> {
        let row = self.row(&FLOOR, []).await;
        row.and_then(|row| row.as_ref().map(floor_from_row).transpose())
            .map_err(|fault| fault.into_error("look up what is retired"))
    }

    async fn lookup_destroyed(&self, erased: &str) -> Result<Option<DestroyedKey>, StoreError> {
        let found = async {
            let row = self.row(&DESTROYED, [&erased]).await?;
            let key = row.map(|row| {
                let purged_at_ns = row.try_get(0)?;
                Ok(DestroyedKey { purged_at_ns })
            });
            key.transpose()
        };
        found
            .await
            .map_err(|fault: Fault| fault.into_error("look up a destroyed key"))
    }

    async fn purge(&self, what: Purge, stamp: Stamp) -> Result<u64, StoreError> {
        // Dead tuples and the write-ahead log stay readable until what wrapped them is destroyed.
        let Purge::Before(floor) = what else {
            return Ok(0);
        };
        let purged = async {
            let version = integer(floor.version, "master_version")?;
            let prefix = floor.prefix();
            self.rows(&PURGE_BEFORE, [&stamp.at_ns, &version, &prefix.as_slice()])
                .await
        };
        purged
            .await
            .map(|rows| rows.len() as u64)
            .map_err(|fault| fault.into_error("mark purged keys"))
    }
}

async fn count_wrappings(store: &PostgresStore) -> Result<Vec<WrappingCount>, Fault> {
    let rows = store.rows(&COUNT, []).await?;
    let count = |row| {
        let mut columns = Columns::of(row);
        let table = match columns.take::<i32>()? {
            1 => "user_keys",
            _ => "share_keys",
        };
        let version = columns.count("master_version")?;
        Ok(WrappingCount {
            table,
            wrapping: wrapping_of(version, columns.array("wrapped_key")?),
            keys: columns.take::<i64>()?.unsigned_abs(),
        })
    };
    rows.iter().map(count).collect()
}

async fn list_older(
    store: &PostgresStore,
    newest: Wrapping,
    after: Option<&KeyOwner>,
    most: u32,
) -> Result<Vec<StoredKey>, Fault> {
    let version = integer(newest.version, "master_version").unwrap_or(i32::MAX);
    let (prefix, most) = (newest.prefix(), i64::from(most));
    let prefix = prefix.as_slice();
    let mut keys = Vec::new();
    let user = match after {
        None => Some(""),
        Some(KeyOwner::User(user)) => Some(user.as_str()),
        Some(KeyOwner::Share { .. }) => None,
    };
    if let Some(user) = user {
        let rows = store.rows(&LIST_USERS, [&user, &version, &prefix, &most]);
        for row in rows.await? {
            let mut columns = Columns::of(&row);
            let key = key(&mut columns)?;
            let owner = KeyOwner::User(columns.take()?);
            keys.push(StoredKey { owner, key });
        }
    }
    let (host, share, field) = match after {
        Some(KeyOwner::Share { host, share, field }) => (&**host, &**share, &**field),
        _ => ("", "", ""),
    };
    let most = most - i64::try_from(keys.len()).unwrap_or(most);
    let rows = store
        .rows(
            &LIST_SHARES,
            [&host, &share, &field, &version, &prefix, &most],
        )
        .await?;
    for row in &rows {
        let mut columns = Columns::of(row);
        let key = key(&mut columns)?;
        let owner = KeyOwner::Share {
            host: columns.take()?,
            share: columns.take()?,
            field: columns.take()?,
        };
        keys.push(StoredKey { owner, key });
    }
    Ok(keys)
}

fn key(columns: &mut Columns<'_>) -> Result<WrappedKey, Fault> {
    Ok(columns.key()?.ok_or(Inconsistent("wrapped_key"))?)
}

struct Update(Vec<Rewrapped>);

impl Work for Update {
    type Answer = u64;

    async fn work(&self, session: &Session) -> Result<u64, Fault> {
        let (mut users, mut shares) = (Columnar::default(), Columnar::default());
        for Rewrapped { old, new } in &self.0 {
            let to = match &old.owner {
                KeyOwner::User(user) => {
                    users.first.push(user);
                    &mut users
                }
                KeyOwner::Share { host, share, field } => {
                    shares.first.push(host);
                    shares.share.push(share);
                    shares.field.push(field);
                    &mut shares
                }
            };
            to.old.push(&old.key.bytes);
            to.new.push(&new.bytes);
            to.version.push(integer(new.version, "master_version")?);
        }
        let ((), of_users, of_shares, ()) = try_join!(
            biased;
            session.begin(),
            session.rows(&UPDATE_USERS, [&users.first, &users.old, &users.new, &users.version]),
            session.rows(&UPDATE_SHARES, [
                &shares.first, &shares.share, &shares.field, &shares.old, &shares.new,
                &shares.version,
            ]),
            session.commit(),
        )?;
        Ok((of_users.len() + of_shares.len()) as u64)
    }
}

/// A list a column.
#[derive(Default)]
struct Columnar<'a> {
    first: Vec<&'a str>,
    share: Vec<&'a str>,
    field: Vec<&'a str>,
    old: Vec<&'a [u8]>,
    new: Vec<&'a [u8]>,
    version: Vec<i32>,
}

struct Close {
    below: Wrapping,
    stamp: Stamp,
}

impl Work for Close {
    type Answer = Closing;

    async fn work(&self, session: &Session) -> Result<Closing, Fault> {
        let version = integer(self.below.version, "master_version")?;
        let prefix = self.below.prefix();
        let prefix = prefix.as_slice();
        let ((), (), left) = try_join!(
            biased;
            session.begin(),
            session.run(&LOCK, []),
            session.row(&LEFT, [&version, &prefix]),
        )?;
        let left: i64 = left.map_or(Ok(0), |row| row.try_get(0))?;
        if left > 0 {
            return Ok(Closing::Left(left.unsigned_abs()));
        }
        let (floor, ()) = try_join!(
            biased;
            session.row(&SET_FLOOR, [&version, &prefix, &self.stamp.at_ns]),
            session.commit(),
        )?;
        let floor = floor.ok_or(Inconsistent("wrapping_floor"))?;
        Ok(Closing::Proved(floor_from_row(&floor)?))
    }
}

fn floor_from_row(row: &Row) -> Result<Floor, Fault> {
    let mut columns = Columns::of(row);
    let version = columns.count("wrapping_floor.master_version")?;
    Ok(Floor {
        wrapping: wrapping_of(version, columns.array("wrapping_floor.prefix")?),
        proved_at_ns: columns.take()?,
    })
}
