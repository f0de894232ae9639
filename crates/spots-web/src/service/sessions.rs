//! Signing in and out, and who a token belongs to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use spots_host::ServiceError;
use spots_privacy::consent::{Person, Session, sha256};
use spots_privacy::{Owner, Personal, UserId, random};
use spots_store::model::Credentials;

use super::accounts::{PASSWORD_CHARS_MAX, email_lookup};
use super::password::is_current;
use super::{Answer, Ctx, stored, unopened};

/// How long a session lasts, in days.
pub const SESSION_DAYS: i64 = 30;
/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

/// A session that was just begun.
#[derive(Debug)]
pub struct SignedIn {
    /// What requests present: 256 random bits as 43 base64url characters.
    pub token: Personal,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whose it is.
    pub user: UserId,
}

/// Begins a session.
pub async fn sign_in(ctx: &Ctx, email: &Personal, password: Personal) -> Answer<SignedIn> {
    let credentials = ctx
        .store()
        .find_credentials(email_lookup(ctx, email.disclose()))
        .await
        .map_err(stored)?;
    if password.disclose().chars().count() > PASSWORD_CHARS_MAX {
        return Err(ServiceError::WrongCredentials);
    }
    let hash = credentials
        .as_ref()
        .map(|known| known.password_hash.clone());
    let passwords = ctx.platform().passwords();
    let fits = passwords.verify(hash, password.clone()).await?;
    let user = match credentials {
        Some(known) if fits => {
            renew_hash(ctx, &known, password).await?;
            known.user
        }
        _ => return Err(ServiceError::WrongCredentials),
    };
    let token = Personal::new(URL_SAFE_NO_PAD.encode(random::bytes::<TOKEN_BYTES>(ctx.random())));
    let expires_at = ctx.now() + SignedDuration::from_hours(24 * SESSION_DAYS);
    let session = Session {
        user: user.clone(),
        token_hash: sha256(token.disclose().as_bytes()),
        expires_at: i64::try_from(expires_at.as_nanosecond()).unwrap_or(i64::MAX),
    };
    ctx.store().add_session(session).await.map_err(stored)?;
    Ok(SignedIn {
        token,
        expires_at,
        user,
    })
}

/// Hashes a password anew that came with its old hash from an old database.
async fn renew_hash(ctx: &Ctx, known: &Credentials, password: Personal) -> Answer<()> {
    if is_current(&known.password_hash) {
        return Ok(());
    }
    let passwords = ctx.platform().passwords();
    let hash = passwords.hash(password, ctx.random()).await?;
    let from = known.password_hash.clone();
    // Whoever signs in at the same moment has replaced it already.
    ctx.store()
        .replace_password_hash(&known.user, from, hash)
        .await
        .map(drop)
        .map_err(stored)
}

/// The person to whom a token belongs, with the key to their own data.
pub async fn person(ctx: &Ctx, token: &str) -> Answer<Person> {
    let token_hash = sha256(token.as_bytes());
    let (session, kept) = ctx
        .store()
        .lookup_session(token_hash)
        .await
        .map_err(stored)?
        .ok_or(ServiceError::NotSignedIn)?;
    let owner = Owner::signed_in(session, &token_hash, ctx.stamp().at_ns)
        .map_err(unopened("a session".to_owned()))?;
    ctx.platform().note_mapping();
    owner
        .unlock(ctx.keys(), &kept)
        .map_err(unopened("an account".to_owned()))
}

/// Ends the session of a token; one that is over already is no error.
pub async fn sign_out(ctx: &Ctx, token: &str) -> Answer<()> {
    ctx.store()
        .remove_session(sha256(token.as_bytes()))
        .await
        .map_err(stored)
}
