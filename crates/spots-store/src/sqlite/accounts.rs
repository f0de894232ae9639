//! Accounts, sessions, profiles, defaults.

use rusqlite::{Connection, OptionalExtension as _, params};
use spots_booking::{FieldName, Refusal};
use spots_clock::AtomicClock;
use spots_privacy::consent::{Session, StoredPerson};
use spots_privacy::ledger::entry::erased_name;
use spots_privacy::{SealedField, UserId, WrappedKey};

use super::{Fault, shares};
use crate::model::{Credentials, NewAccount, ProfileField, Removal, Stamp};
use crate::rows::{
    ADDRESS_TAKEN, Inconsistent, ROWS_OF_ACCOUNT, array, count, fields_from_column,
    fields_to_column,
};

/// Sessions of one user at a time; the oldest end first.
const SESSIONS_MAX: u32 = 50;

pub(super) fn add(db: &Connection, account: &NewAccount) -> Result<(), Fault> {
    let user = account.user.reveal();
    let taken = db
        .prepare_cached("SELECT 1 FROM user_credentials WHERE email_lookup = ?1")?
        .exists([&account.email_lookup])?;
    if taken {
        return Err(Refusal::Taken(ADDRESS_TAKEN).into());
    }
    db.prepare_cached("INSERT INTO users (id) VALUES (?1)")?
        .execute([&user])?;
    db.prepare_cached("INSERT INTO agents (agent_id) VALUES (?1)")?
        .execute([account.agent.reveal()])?;
    let key = &account.stored.key;
    db.prepare_cached(
        "INSERT INTO user_keys (user_id, wrapped_key, master_version) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![user, key.bytes, key.version])?;
    db.prepare_cached(
        "INSERT INTO user_agent_mappings (user_id, sealed_agent_id, agent_lookup)
         VALUES (?1, ?2, ?3)",
    )?
    .execute(params![
        user,
        account.stored.agent.as_bytes(),
        account.agent_lookup
    ])?;
    db.prepare_cached(
        "INSERT INTO user_credentials (user_id, email_lookup, password_hash) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![user, account.email_lookup, account.password_hash])?;
    for field in &account.profile {
        set_field(db, &user, &field.field, Some(&field.sealed))?;
    }
    Ok(())
}

pub(super) fn find_credentials(
    db: &Connection,
    email_lookup: [u8; 32],
) -> Result<Option<Credentials>, Fault> {
    let row = db
        .prepare_cached(
            "SELECT user_id, password_hash FROM user_credentials WHERE email_lookup = ?1",
        )?
        .query_row([email_lookup], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?))
        })
        .optional()?;
    row.map(|(user, password_hash)| {
        Ok(Credentials {
            user: user_id(&user)?,
            password_hash,
        })
    })
    .transpose()
}

pub(super) fn add_session(db: &Connection, session: &Session) -> Result<(), Fault> {
    let user = session.user.reveal();
    db.prepare_cached(
        "INSERT INTO sessions (user_id, token_hash, expires_at) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![user, session.token_hash, session.expires_at])?;
    db.prepare_cached(
        "DELETE FROM sessions WHERE user_id = ?1 AND token_hash IN (
             SELECT token_hash FROM sessions WHERE user_id = ?1
             ORDER BY expires_at DESC, token_hash LIMIT -1 OFFSET ?2)",
    )?
    .execute(params![user, SESSIONS_MAX])?;
    Ok(())
}

pub(super) fn lookup_session(
    db: &Connection,
    token_hash: [u8; 32],
) -> Result<Option<(Session, StoredPerson)>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT s.user_id, s.token_hash, s.expires_at, k.wrapped_key, k.master_version,
                m.sealed_agent_id
         FROM sessions s
         JOIN user_keys k ON k.user_id = s.user_id
         JOIN user_agent_mappings m ON m.user_id = s.user_id
         WHERE s.token_hash = ?1",
    )?;
    let mut rows = statement.query([token_hash])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let session = Session {
        user: user_id(&row.get::<_, String>(0)?)?,
        token_hash: array(row.get(1)?, "sessions.token_hash")?,
        expires_at: row.get(2)?,
    };
    let key = WrappedKey {
        bytes: row.get(3)?,
        version: count(row.get(4)?, "master_version")?,
    };
    Ok(Some((
        session,
        StoredPerson {
            key,
            agent: SealedField::from_stored(row.get(5)?),
        },
    )))
}

pub(super) fn remove_session(db: &Connection, token_hash: [u8; 32]) -> Result<(), Fault> {
    db.prepare_cached("DELETE FROM sessions WHERE token_hash = ?1")?
        .execute([token_hash])?;
    Ok(())
}

pub(super) fn list_profile(db: &Connection, user: &str) -> Result<Vec<ProfileField>, Fault> {
    let mut statement =
        db.prepare_cached("SELECT field, sealed FROM user_profiles WHERE user_id = ?1")?;
    let rows = statement.query_map([user], |row| {
        Ok(ProfileField {
            field: row.get(0)?,
            sealed: SealedField::from_stored(row.get(1)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Signs in by this address from now on.
pub(super) fn set_address(
    db: &Connection,
    user: &str,
    email_lookup: [u8; 32],
) -> Result<(), Fault> {
    let taken = db
        .prepare_cached("SELECT 1 FROM user_credentials WHERE email_lookup = ?1 AND user_id <> ?2")?
        .exists(params![email_lookup, user])?;
    if taken {
        return Err(Refusal::Taken(ADDRESS_TAKEN).into());
    }
    db.prepare_cached("UPDATE user_credentials SET email_lookup = ?2 WHERE user_id = ?1")?
        .execute(params![user, email_lookup])?;
    // What was confirmed was the old one.
    db.prepare_cached(
        "DELETE FROM email_confirmations WHERE user_id = ?1 AND address_lookup <> ?2",
    )?
    .execute(params![user, email_lookup])?;
    Ok(())
}

pub(super) fn set_field(
    db: &Connection,
    user: &str,
    field: &str,
    sealed: Option<&SealedField>,
) -> Result<(), Fault> {
    match sealed {
        Some(sealed) => db
            .prepare_cached(
                "INSERT INTO user_profiles (user_id, field, sealed) VALUES (?1, ?2, ?3)
                 ON CONFLICT (user_id, field) DO UPDATE SET sealed = excluded.sealed",
            )?
            .execute(params![user, field, sealed.as_bytes()])?,
        None => db
            .prepare_cached("DELETE FROM user_profiles WHERE user_id = ?1 AND field = ?2")?
            .execute([user, field])?,
    };
    Ok(())
}

pub(super) fn list_defaults(
    db: &Connection,
    user: &str,
) -> Result<Vec<(String, Vec<FieldName>)>, Fault> {
    let mut statement = db.prepare_cached(
        "SELECT scope, fields FROM sharing_defaults WHERE user_id = ?1 ORDER BY scope",
    )?;
    let mut rows = statement.query([user])?;
    let mut defaults = Vec::new();
    while let Some(row) = rows.next()? {
        let fields: String = row.get(1)?;
        defaults.push((
            row.get(0)?,
            fields_from_column(&fields, "sharing_defaults.fields")?,
        ));
    }
    Ok(defaults)
}

pub(super) fn set_defaults(
    db: &Connection,
    user: &str,
    scope: &str,
    fields: Option<&[FieldName]>,
) -> Result<(), Fault> {
    match fields {
        Some(fields) => db
            .prepare_cached(
                "INSERT INTO sharing_defaults (user_id, scope, fields) VALUES (?1, ?2, ?3)
                 ON CONFLICT (user_id, scope) DO UPDATE SET fields = excluded.fields",
            )?
            .execute([user, scope, &fields_to_column(fields)])?,
        None => db
            .prepare_cached("DELETE FROM sharing_defaults WHERE user_id = ?1 AND scope = ?2")?
            .execute([user, scope])?,
    };
    Ok(())
}

pub(super) fn remove(
    db: &Connection,
    clock: &AtomicClock,
    (user, agent): (&str, &str),
    stamp: Stamp,
) -> Result<Removal, Fault> {
    let fields = shares::end_all(db, agent, "removed", stamp)?;
    let bookings = super::bookings::cancel_to_come(db, clock, agent, stamp)?;
    note_destroyed(db, user)?;
    let mut rows = Vec::new();
    // Without its row in `agents` no booking is taken any more, also not by a request under way.
    for (table, column) in ROWS_OF_ACCOUNT {
        let of = if column == "user_id" || column == "id" {
            user
        } else {
            agent
        };
        let sql = format!("DELETE FROM {table} WHERE {column} = ?1");
        rows.push((table, db.prepare_cached(&sql)?.execute([of])? as u64));
    }
    if rows
        .iter()
        .any(|(table, count)| *table == "users" && *count > 0)
    {
        shares::enter_erasure(db, user, stamp)?;
    }
    super::journal::forget(db, agent)?;
    Ok(Removal {
        fields,
        bookings,
        rows,
    })
}

/// Notes by what the account's own key is wrapped, under the name that the ledger gives the account.
fn note_destroyed(db: &Connection, user: &str) -> Result<(), Fault> {
    db.prepare_cached(
        "INSERT INTO destroyed_keys (host_id, share_id, field, master_version, prefix, swept)
         SELECT '-', ?2, 'account', master_version, substr(wrapped_key, 1, 5), 0
         FROM user_keys WHERE user_id = ?1",
    )?
    .execute([user, &erased_name(user)])?;
    Ok(())
}

fn user_id(text: &str) -> Result<UserId, Inconsistent> {
    UserId::parse(text).ok_or(Inconsistent("user_id"))
}
