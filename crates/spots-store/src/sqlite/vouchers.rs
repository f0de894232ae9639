//! Who vouches for people.

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use spots_booking::HostId;
use spots_privacy::UserId;

use super::{Fault, SqliteStore};
use crate::error::StoreError;
use crate::store::vouchers::{Confirmation, NewConfirmation, Presented, VoucherStore};

#[async_trait]
impl VoucherStore for SqliteStore {
    async fn lookup_confirmation(
        &self,
        user: &UserId,
        address_lookup: [u8; 32],
    ) -> Result<Option<Confirmation>, StoreError> {
        let user = user.reveal();
        self.read("look up a confirmation", move |db| {
            let mut statement = db.prepare_cached(
                "SELECT sent_at_ns, confirmed_at_ns FROM email_confirmations
                 WHERE user_id = ?1 AND address_lookup = ?2",
            )?;
            let row = statement.query_row(params![user, address_lookup], from_row);
            Ok(row.optional()?)
        })
        .await
    }

    async fn add_confirmation(
        &self,
        user: &UserId,
        new: NewConfirmation,
    ) -> Result<bool, StoreError> {
        let user = user.reveal();
        self.write("note a letter", move |db| add(db, &user, &new))
            .await
    }

    async fn confirm_address(
        &self,
        user: &UserId,
        presented: Presented,
    ) -> Result<bool, StoreError> {
        let user = user.reveal();
        self.write("confirm an address", move |db| {
            let confirmed = db
                .prepare_cached(
                    "UPDATE email_confirmations SET token_hash = NULL, confirmed_at_ns = ?5
                     WHERE user_id = ?1 AND address_lookup = ?2 AND token_hash = ?3
                       AND sent_at_ns >= ?4",
                )?
                .execute(params![
                    user,
                    presented.address_lookup,
                    presented.token_hash,
                    presented.sent_since_ns,
                    presented.stamp.at_ns
                ])?;
            Ok(confirmed > 0)
        })
        .await
    }

    async fn update_member_list(
        &self,
        host: HostId,
        entries: Vec<[u8; 32]>,
    ) -> Result<u64, StoreError> {
        self.write("replace a list of members", move |db| {
            let host = host.to_string();
            db.prepare_cached("DELETE FROM member_list_entries WHERE host_id = ?1")?
                .execute([&host])?;
            let mut add = db.prepare_cached(
                "INSERT INTO member_list_entries (host_id, entry_hash) VALUES (?1, ?2)
                 ON CONFLICT DO NOTHING",
            )?;
            for entry in &entries {
                add.execute(params![host, entry])?;
            }
            count(db, &host)
        })
        .await
    }

    async fn count_member_list(&self, host: HostId) -> Result<u64, StoreError> {
        self.read("count a list of members", move |db| {
            count(db, &host.to_string())
        })
        .await
    }

    async fn is_on_member_list(&self, host: HostId, entry: [u8; 32]) -> Result<bool, StoreError> {
        self.read("look at a list of members", move |db| {
            let mut statement = db.prepare_cached(
                "SELECT 1 FROM member_list_entries WHERE host_id = ?1 AND entry_hash = ?2",
            )?;
            Ok(statement.exists(params![host.to_string(), entry])?)
        })
        .await
    }
}

/// What became of whatever address the person asked to confirm.
pub(super) fn confirmation(db: &Connection, user: &str) -> Result<Option<Confirmation>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT sent_at_ns, confirmed_at_ns FROM email_confirmations WHERE user_id = ?1",
    )?;
    let row = statement.query_row([user], from_row);
    Ok(row.optional()?)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Confirmation> {
    Ok(Confirmation {
        sent_at_ns: row.get(0)?,
        confirmed_at_ns: row.get(1)?,
    })
}

fn add(db: &Connection, user: &str, new: &NewConfirmation) -> Result<bool, Fault> {
    let noted = db
        .prepare_cached(
            "INSERT INTO email_confirmations AS c (user_id, address_lookup, token_hash, sent_at_ns)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (user_id) DO UPDATE SET address_lookup = excluded.address_lookup,
                 token_hash = excluded.token_hash, sent_at_ns = excluded.sent_at_ns,
                 confirmed_at_ns = NULL
             WHERE c.sent_at_ns <= ?5
               AND (c.confirmed_at_ns IS NULL OR c.address_lookup <> excluded.address_lookup)",
        )?
        .execute(params![
            user,
            new.address_lookup,
            new.token_hash,
            new.stamp.at_ns,
            new.last_before_ns
        ])?;
    Ok(noted > 0)
}

fn count(db: &Connection, host: &str) -> Result<u64, Fault> {
    let mut statement =
        db.prepare_cached("SELECT count(*) FROM member_list_entries WHERE host_id = ?1")?;
    let entries: i64 = statement.query_row([host], |row| row.get(0))?;
    Ok(entries.unsigned_abs())
}
