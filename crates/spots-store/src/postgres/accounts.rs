//! Accounts, sessions, profiles, defaults.

use spots_booking::{FieldName, Refusal};
use spots_privacy::consent::{Session as SignIn, StoredPerson};
use spots_privacy::ledger::entry::erased_name;
use spots_privacy::{SealedField, UserId};
use tokio::try_join;

use super::PostgresStore;
use super::cancel::cancel_to_come;
use super::columns::{Columns, integer};
use super::journal;
use super::order::{Opened, OrderedWork};
use super::session::{Fault, Session, Work, statements};
use super::shares::{self, Ending, Which};
use crate::model::{Credentials, NewAccount, ProfileField, Removal, Stamp};
use crate::rows::{
    ADDRESS_TAKEN, Inconsistent, ROWS_OF_ACCOUNT, fields_from_column, fields_to_column,
};

/// Sessions of one user at a time; the oldest end first.
const SESSIONS_MAX: i64 = 50;

statements! {
    EMAIL_TAKEN(BYTEA) = "SELECT 1 FROM user_credentials WHERE email_lookup = $1";
    ADD_USER(TEXT) = "INSERT INTO users (id) VALUES ($1)";
    ADD_AGENT(TEXT) = "INSERT INTO agents (agent_id) VALUES ($1)";
    ADD_KEY(TEXT, BYTEA, INT4) =
        "INSERT INTO user_keys (user_id, wrapped_key, master_version) VALUES ($1, $2, $3)";
    ADD_MAPPING(TEXT, BYTEA, BYTEA) =
        "INSERT INTO user_agent_mappings (user_id, sealed_agent_id, agent_lookup)
         VALUES ($1, $2, $3)";
    ADD_CREDENTIALS(TEXT, BYTEA, TEXT) =
        "INSERT INTO user_credentials (user_id, email_lookup, password_hash) VALUES ($1, $2, $3)";
    FIND_CREDENTIALS(BYTEA) =
        "SELECT user_id, password_hash FROM user_credentials WHERE email_lookup = $1";
    ADD_SESSION(TEXT, BYTEA, INT8) =
        "INSERT INTO sessions (user_id, token_hash, expires_at) VALUES ($1, $2, $3)";
    LIMIT_SESSIONS(TEXT, INT8) =
        "DELETE FROM sessions WHERE user_id = $1 AND token_hash IN (
             SELECT token_hash FROM sessions WHERE user_id = $1
             ORDER BY expires_at DESC, token_hash OFFSET $2)";
    LOOKUP_SESSION(BYTEA) =
        "SELECT s.user_id, s.token_hash, s.expires_at, k.wrapped_key, k.master_version,
                m.sealed_agent_id
         FROM sessions s
         JOIN user_keys k ON k.user_id = s.user_id
         JOIN user_agent_mappings m ON m.user_id = s.user_id
         WHERE s.token_hash = $1";
    REMOVE_SESSION(BYTEA) = "DELETE FROM sessions WHERE token_hash = $1";
    LIST_PROFILE(TEXT) =
        "SELECT field, sealed FROM user_profiles WHERE user_id = $1 ORDER BY field COLLATE \"C\"";
    SET_FIELDS(TEXT, TEXT_ARRAY, BYTEA_ARRAY) =
        "INSERT INTO user_profiles (user_id, field, sealed)
         SELECT $1, n.field, n.sealed FROM unnest($2, $3) AS n (field, sealed)
         ORDER BY n.field
         ON CONFLICT (user_id, field) DO UPDATE SET sealed = excluded.sealed";
    REMOVE_FIELDS(TEXT, TEXT_ARRAY) =
        "DELETE FROM user_profiles WHERE user_id = $1 AND field = ANY($2)";
    LIST_DEFAULTS(TEXT) =
        "SELECT scope, fields FROM sharing_defaults WHERE user_id = $1 ORDER BY scope COLLATE \"C\"";
    SET_DEFAULTS(TEXT, TEXT, TEXT) =
        "INSERT INTO sharing_defaults (user_id, scope, fields) VALUES ($1, $2, $3)
         ON CONFLICT (user_id, scope) DO UPDATE SET fields = excluded.fields";
    REMOVE_DEFAULTS(TEXT, TEXT) = "DELETE FROM sharing_defaults WHERE user_id = $1 AND scope = $2";
    LOCK_AGENT(TEXT) = "SELECT 1 FROM agents WHERE agent_id = $1 FOR UPDATE";
    /// Counts in the order of [`ROWS_OF_ACCOUNT`].
    /// The key of the account is noted under the name that the ledger gives the account.
    REMOVE_ROWS(TEXT, TEXT, TEXT) =
        "WITH a AS (DELETE FROM sessions WHERE user_id = $1 RETURNING 1),
              b AS (DELETE FROM sharing_defaults WHERE user_id = $1 RETURNING 1),
              c AS (DELETE FROM user_profiles WHERE user_id = $1 RETURNING 1),
              d AS (DELETE FROM user_credentials WHERE user_id = $1 RETURNING 1),
              n AS (DELETE FROM email_confirmations WHERE user_id = $1 RETURNING 1),
              e AS (DELETE FROM user_agent_mappings WHERE user_id = $1 RETURNING 1),
              f AS (DELETE FROM user_keys WHERE user_id = $1
                    RETURNING master_version, wrapped_key),
              noted AS (INSERT INTO destroyed_keys
                            (host_id, share_id, field, master_version, prefix, swept)
                        SELECT '-', $3, 'account', f.master_version, substr(f.wrapped_key, 1, 5), 0
                        FROM f),
              g AS (DELETE FROM host_members WHERE user_id = $1 RETURNING 1),
              m AS (DELETE FROM legacy_ids WHERE user_id = $1 RETURNING 1),
              h AS (DELETE FROM users WHERE id = $1 RETURNING 1),
              i AS (DELETE FROM idempotency_keys WHERE actor = $2 RETURNING 1),
              j AS (DELETE FROM agent_profiles WHERE agent_id = $2 RETURNING 1),
              k AS (DELETE FROM anonymous_users WHERE agent_id = $2 RETURNING 1),
              o AS (DELETE FROM agent_features WHERE agent_id = $2 RETURNING 1),
              l AS (DELETE FROM agents WHERE agent_id = $2 RETURNING 1)
         SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM c),
                (SELECT count(*) FROM d), (SELECT count(*) FROM n), (SELECT count(*) FROM e),
                (SELECT count(*) FROM f),
                (SELECT count(*) FROM g), (SELECT count(*) FROM m), (SELECT count(*) FROM h),
                (SELECT count(*) FROM i), (SELECT count(*) FROM j), (SELECT count(*) FROM k),
                (SELECT count(*) FROM o), (SELECT count(*) FROM l)";
    ADDRESS_OF_ANOTHER(TEXT, BYTEA) =
        "SELECT 1 FROM user_credentials WHERE email_lookup = $2 AND user_id <> $1";
    /// What was confirmed was the old one.
    FORGET_OLD(TEXT, BYTEA) =
        "DELETE FROM email_confirmations WHERE user_id = $1 AND address_lookup <> $2";
    SET_ADDRESS(TEXT, BYTEA) = "UPDATE user_credentials SET email_lookup = $2 WHERE user_id = $1";
}

/// Adds an account.
pub(super) struct Add(pub(super) NewAccount);

impl Work for Add {
    type Answer = ();

    async fn work(&self, session: &Session) -> Result<(), Fault> {
        let Self(account) = self;
        let (user, agent) = (account.user.reveal(), account.agent.reveal());
        let email = account.email_lookup.as_slice();
        let ((), taken) = try_join!(
            biased;
            session.begin(),
            session.row(&EMAIL_TAKEN, [&email]),
        )?;
        if taken.is_some() {
            return Err(Refusal::Taken(ADDRESS_TAKEN).into());
        }
        let key = &account.stored.key;
        let version = integer(key.version, "master_version")?;
        let lookup = account.agent_lookup.as_slice();
        let mapping = account.stored.agent.as_bytes();
        let fields: Vec<_> = account
            .profile
            .iter()
            .map(|field| field.field.as_str())
            .collect();
        let sealed: Vec<_> = account
            .profile
            .iter()
            .map(|field| field.sealed.as_bytes())
            .collect();
        try_join!(
            biased;
            session.run(&ADD_USER, [&user]),
            session.run(&ADD_AGENT, [&agent]),
            session.run(&ADD_KEY, [&user, &key.bytes, &version]),
            session.run(&ADD_MAPPING, [&user, &mapping, &lookup]),
            session.run(&ADD_CREDENTIALS, [&user, &email, &account.password_hash]),
            session.run(&SET_FIELDS, [&user, &fields, &sealed]),
            session.commit(),
        )?;
        Ok(())
    }
}

pub(super) async fn find_credentials(
    store: &PostgresStore,
    email_lookup: [u8; 32],
) -> Result<Option<Credentials>, Fault> {
    let row = store
        .row(&FIND_CREDENTIALS, [&email_lookup.as_slice()])
        .await?;
    row.map(|row| {
        let mut columns = Columns::of(&row);
        Ok(Credentials {
            user: columns.user()?,
            password_hash: columns.take()?,
        })
    })
    .transpose()
}

/// Adds a session and ends the oldest above the limit.
pub(super) struct AddSession(pub(super) SignIn);

impl Work for AddSession {
    type Answer = ();

    async fn work(&self, session: &Session) -> Result<(), Fault> {
        let Self(SignIn {
            user,
            token_hash,
            expires_at,
        }) = self;
        let (user, token_hash) = (user.reveal(), token_hash.as_slice());
        try_join!(
            biased;
            session.begin(),
            session.run(&ADD_SESSION, [&user, &token_hash, expires_at]),
            session.run(&LIMIT_SESSIONS, [&user, &SESSIONS_MAX]),
            session.commit(),
        )?;
        Ok(())
    }
}

pub(super) async fn lookup_session(
    store: &PostgresStore,
    token_hash: [u8; 32],
) -> Result<Option<(SignIn, StoredPerson)>, Fault> {
    let row = store.row(&LOOKUP_SESSION, [&token_hash.as_slice()]).await?;
    row.map(|row| {
        let mut columns = Columns::of(&row);
        let session = SignIn {
            user: columns.user()?,
            token_hash: columns.array("sessions.token_hash")?,
            expires_at: columns.take()?,
        };
        let key = columns
            .key()?
            .ok_or(Inconsistent("user_keys.wrapped_key"))?;
        let agent = SealedField::from_stored(columns.take()?);
        Ok((session, StoredPerson { key, agent }))
    })
    .transpose()
}

pub(super) async fn remove_session(
    store: &PostgresStore,
    token_hash: [u8; 32],
) -> Result<(), Fault> {
    store
        .rows(&REMOVE_SESSION, [&token_hash.as_slice()])
        .await
        .map(drop)
}

pub(super) async fn list_profile(
    store: &PostgresStore,
    user: &UserId,
) -> Result<Vec<ProfileField>, Fault> {
    let rows = store.rows(&LIST_PROFILE, [&user.reveal()]).await?;
    let field = |row| {
        let mut columns = Columns::of(row);
        let (field, sealed) = (columns.take()?, SealedField::from_stored(columns.take()?));
        Ok(ProfileField { field, sealed })
    };
    rows.iter().map(field).collect()
}

/// Sets and removes fields of a profile; of one that is named twice the last counts.
pub(super) struct UpdateProfile {
    pub(super) user: String,
    pub(super) fields: std::collections::BTreeMap<String, Option<SealedField>>,
    pub(super) email_lookup: Option<[u8; 32]>,
}

impl Work for UpdateProfile {
    type Answer = ();

    async fn work(&self, session: &Session) -> Result<(), Fault> {
        let (mut set, mut sealed, mut removed) = (Vec::new(), Vec::new(), Vec::new());
        for (field, value) in &self.fields {
            match value {
                Some(value) => {
                    set.push(field.as_str());
                    sealed.push(value.as_bytes());
                }
                None => removed.push(field.as_str()),
            }
        }
        session.begin().await?;
        if let Some(email_lookup) = &self.email_lookup {
            let address = email_lookup.as_slice();
            let taken = session
                .row(&ADDRESS_OF_ANOTHER, [&self.user, &address])
                .await?;
            if taken.is_some() {
                return Err(Refusal::Taken(ADDRESS_TAKEN).into());
            }
            session.run(&SET_ADDRESS, [&self.user, &address]).await?;
            session.run(&FORGET_OLD, [&self.user, &address]).await?;
        }
        try_join!(
            biased;
            session.run(&SET_FIELDS, [&self.user, &set, &sealed]),
            session.run(&REMOVE_FIELDS, [&self.user, &removed]),
            session.commit(),
        )?;
        Ok(())
    }
}

pub(super) async fn list_defaults(
    store: &PostgresStore,
    user: &UserId,
) -> Result<Vec<(String, Vec<FieldName>)>, Fault> {
    let rows = store.rows(&LIST_DEFAULTS, [&user.reveal()]).await?;
    let scope = |row| {
        let mut columns = Columns::of(row);
        let scope = columns.take()?;
        Ok((
            scope,
            fields_from_column(columns.take()?, "sharing_defaults.fields")?,
        ))
    };
    rows.iter().map(scope).collect()
}

pub(super) async fn set_defaults(
    store: &PostgresStore,
    user: &UserId,
    scope: &str,
    fields: Option<&[FieldName]>,
) -> Result<(), Fault> {
    let user = user.reveal();
    let done = match fields {
        Some(fields) => {
            let fields = fields_to_column(fields);
            store.rows(&SET_DEFAULTS, [&user, &scope, &fields]).await
        }
        None => store.rows(&REMOVE_DEFAULTS, [&user, &scope]).await,
    };
    done.map(drop)
}

/// Deletes an account.
pub(super) struct Remove {
    pub(super) user: String,
    pub(super) agent: String,
    pub(super) stamp: Stamp,
}

impl OrderedWork for Remove {
    type Answer = Removal;

    async fn work(&self, session: &Session, opened: &Opened) -> Result<Removal, Fault> {
        let ((), ours, ()) = try_join!(
            biased;
            session.begin(),
            opened.fence(session),
            session.run(&LOCK_AGENT, [&self.agent]),
        )?;
        if !ours {
            return Err(Fault::Fenced);
        }
        let bookings = cancel_to_come(session, opened, &self.agent, self.stamp).await?;
        let ending = Ending {
            kind: "removed",
            stamp: self.stamp,
        };
        let fields = shares::end(session, &Which::all(&self.agent), ending).await?;
        let name = erased_name(&self.user);
        let counts = session
            .row(&REMOVE_ROWS, [&self.user, &self.agent, &name])
            .await?;
        let mut rows = Vec::new();
        for (index, (table, _)) in ROWS_OF_ACCOUNT.iter().enumerate() {
            let count: Option<i64> = counts.as_ref().map(|row| row.try_get(index)).transpose()?;
            rows.push((*table, count.unwrap_or_default().unsigned_abs()));
        }
        if rows
            .iter()
            .any(|(table, count)| *table == "users" && *count > 0)
        {
            shares::enter_erasure(session, &self.user, self.stamp).await?;
        }
        try_join!(
            biased;
            journal::forget(session, &self.agent),
            session.commit(),
        )?;
        Ok(Removal {
            fields,
            bookings,
            rows,
        })
    }
}
