//! Who vouches for people.

use async_trait::async_trait;
use spots_booking::HostId;
use spots_privacy::UserId;
use tokio::try_join;
use tokio_postgres::Row;

use super::PostgresStore;
use super::columns::Columns;
use super::session::{Fault, Session, Work, statements};
use crate::error::StoreError;
use crate::store::vouchers::{Confirmation, NewConfirmation, Presented, VoucherStore};

statements! {
    LOOKUP(TEXT, BYTEA) =
        "SELECT sent_at_ns, confirmed_at_ns FROM email_confirmations
         WHERE user_id = $1 AND address_lookup = $2";
    ADD(TEXT, BYTEA, BYTEA, INT8, INT8) =
        "INSERT INTO email_confirmations AS c (user_id, address_lookup, token_hash, sent_at_ns)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET address_lookup = excluded.address_lookup,
             token_hash = excluded.token_hash, sent_at_ns = excluded.sent_at_ns,
             confirmed_at_ns = NULL
         WHERE c.sent_at_ns <= $5
           AND (c.confirmed_at_ns IS NULL OR c.address_lookup <> excluded.address_lookup)
         RETURNING 1";
    CONFIRM(TEXT, BYTEA, BYTEA, INT8, INT8) =
        "UPDATE email_confirmations SET token_hash = NULL, confirmed_at_ns = $5
         WHERE user_id = $1 AND address_lookup = $2 AND token_hash = $3 AND sent_at_ns >= $4
         RETURNING 1";
    /// Two lists of one host that come at once are taken one after the other.
    LOCK_HOST(TEXT) = "SELECT 1 FROM hosts WHERE host_id = $1 FOR UPDATE";
    EMPTY(TEXT) = "DELETE FROM member_list_entries WHERE host_id = $1";
    FILL(TEXT, BYTEA_ARRAY) =
        "INSERT INTO member_list_entries (host_id, entry_hash)
         SELECT DISTINCT $1, n.entry FROM unnest($2) AS n (entry)";
    COUNT(TEXT) = "SELECT count(*) FROM member_list_entries WHERE host_id = $1";
    IS_ON(TEXT, BYTEA) =
        "SELECT 1 FROM member_list_entries WHERE host_id = $1 AND entry_hash = $2";
}

#[async_trait]
impl VoucherStore for PostgresStore {
    async fn lookup_confirmation(
        &self,
        user: &UserId,
        address_lookup: [u8; 32],
    ) -> Result<Option<Confirmation>, StoreError> {
        let found = async {
            let (user, address) = (user.reveal(), address_lookup.as_slice());
            let row = self.row(&LOOKUP, [&user, &address]).await?;
            row.map(|row| confirmation(&row)).transpose()
        };
        found
            .await
            .map_err(|fault: Fault| fault.into_error("look up a confirmation"))
    }

    async fn add_confirmation(
        &self,
        user: &UserId,
        new: NewConfirmation,
    ) -> Result<bool, StoreError> {
        let (user, address) = (user.reveal(), new.address_lookup.as_slice());
        let (token, at) = (new.token_hash.as_slice(), new.stamp.at_ns);
        self.row(&ADD, [&user, &address, &token, &at, &new.last_before_ns])
            .await
            .map(|row| row.is_some())
            .map_err(|fault| fault.into_error("note a letter"))
    }

    async fn confirm_address(
        &self,
        user: &UserId,
        presented: Presented,
    ) -> Result<bool, StoreError> {
        let (user, address) = (user.reveal(), presented.address_lookup.as_slice());
        let (token, since) = (presented.token_hash.as_slice(), presented.sent_since_ns);
        let at = presented.stamp.at_ns;
        self.row(&CONFIRM, [&user, &address, &token, &since, &at])
            .await
            .map(|row| row.is_some())
            .map_err(|fault| fault.into_error("confirm an address"))
    }

    async fn update_member_list(
        &self,
        host: HostId,
        entries: Vec<[u8; 32]>,
    ) -> Result<u64, StoreError> {
        let host = host.to_string();
        self.transact(&Replace { host, entries })
            .await
            .map_err(|fault| fault.into_error("replace a list of members"))
    }

    async fn count_member_list(&self, host: HostId) -> Result<u64, StoreError> {
        let row = self.row(&COUNT, [&host.to_string()]).await;
        row.and_then(|row| Ok(row.map_or(Ok(0), |row| row.try_get::<_, i64>(0))?))
            .map(i64::unsigned_abs)
            .map_err(|fault| fault.into_error("count a list of members"))
    }

    async fn is_on_member_list(&self, host: HostId, entry: [u8; 32]) -> Result<bool, StoreError> {
        self.row(&IS_ON, [&host.to_string(), &entry.as_slice()])
            .await
            .map(|row| row.is_some())
            .map_err(|fault| fault.into_error("look at a list of members"))
    }
}

/// Reads `sent_at_ns, confirmed_at_ns`.
pub(super) fn confirmation(row: &Row) -> Result<Confirmation, Fault> {
    let mut columns = Columns::of(row);
    Ok(Confirmation {
        sent_at_ns: columns.take()?,
        confirmed_at_ns: columns.take()?,
    })
}

/// Replaces a host's list of members.
struct Replace {
    host: String,
    entries: Vec<[u8; 32]>,
}

impl Work for Replace {
    type Answer = u64;

    async fn work(&self, session: &Session) -> Result<u64, Fault> {
        let entries: Vec<_> = self.entries.iter().map(<[u8; 32]>::as_slice).collect();
        let ((), (), (), (), count, ()) = try_join!(
            biased;
            session.begin(),
            session.run(&LOCK_HOST, [&self.host]),
            session.run(&EMPTY, [&self.host]),
            session.run(&FILL, [&self.host, &entries]),
            session.row(&COUNT, [&self.host]),
            session.commit(),
        )?;
        let count: i64 = count.map_or(Ok(0), |row| row.try_get(0))?;
        Ok(count.unsigned_abs())
    }
}
