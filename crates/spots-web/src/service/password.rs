//! Passwords: Argon2id in a bounded pool; bcrypt is read where an old database moved here.

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use spots_host::ServiceError;
use spots_privacy::{Personal, Randomness, random};
use tokio::sync::Semaphore;
use tokio::task;

/// How many may wait for a worker before newcomers are told to come back.
const WAITERS_MAX: usize = 64;
/// Random bytes of a salt (RFC 9106 recommends 16).
const SALT_BYTES: usize = 16;
/// What bcrypt's hashes begin with, in every revision.
const BCRYPT: &str = "$2";

/// Whether a hash is of the form that is written today.
pub(super) fn is_current(hash: &str) -> bool {
    hash.starts_with("$argon2id$")
}

/// Whether this is a hash at all: what came from an old database without one is none.
pub(super) fn is_hash(hash: &str) -> bool {
    is_current(hash) || hash.starts_with(BCRYPT)
}

/// Hashes and verifies passwords, a few at a time: each takes 19 MiB and some 20 ms of one core.
#[derive(Debug)]
pub(crate) struct Passwords {
    /// Everyone who waits or runs.
    admitted: Semaphore,
    running: Semaphore,
    /// What an unknown e-mail address is compared with, so that it costs the same.
    decoy: String,
}

impl Passwords {
    pub(crate) fn new(workers: usize, random: &dyn Randomness) -> Result<Self, ServiceError> {
        let workers = workers.max(1);
        let nobody: [u8; 32] = random::bytes(random);
        Ok(Self {
            admitted: Semaphore::new(workers + WAITERS_MAX),
            running: Semaphore::new(workers),
            decoy: hash(&nobody, random::bytes(random))?,
        })
    }

    /// The PHC string of a new password.
    pub(crate) async fn hash(
        &self,
        password: Personal,
        random: &dyn Randomness,
    ) -> Result<String, ServiceError> {
        let salt = random::bytes(random);
        self.run(move || hash(password.disclose().as_bytes(), salt))
            .await?
    }

    /// Whether this is the password. `None`, an unknown account, takes as long and never is; so is
    /// an account of an old database that came without a hash.
    pub(crate) async fn verify(
        &self,
        stored: Option<String>,
        password: Personal,
    ) -> Result<bool, ServiceError> {
        if let Some(hash) = stored.clone().filter(|hash| hash.starts_with(BCRYPT)) {
            return self.verify_old(hash, password).await;
        }
        let stored = stored.filter(|hash| is_current(hash));
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.clone());
        let fits = self
            .run(move || {
                Argon2::default().verify_password(password.disclose().as_bytes(), stored.as_str())
            })
            .await?;
        match fits {
            Ok(()) => Ok(known),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
            Err(cause) => Err(ServiceError::failed("verify a password", cause)),
        }
    }

    async fn verify_old(&self, stored: String, password: Personal) -> Result<bool, ServiceError> {
        self.run(move || bcrypt::verify(password.disclose(), &stored))
            .await?
            .map_err(|cause| ServiceError::failed("verify an old password", cause))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let _admitted = self.admitted.try_acquire().or(Err(ServiceError::Busy))?;
        let _running = self.running.acquire().await.or(Err(ServiceError::Busy))?;
        task::spawn_blocking(work)
            .await
            .map_err(|cause| ServiceError::failed("hash a password", cause))
    }
}

/// The PHC string of a new password.
pub(super) fn hash(password: &[u8], salt: [u8; SALT_BYTES]) -> Result<String, ServiceError> {
    Argon2::default()
        .hash_password_with_salt(password, &salt)
        .map(|hash| hash.to_string())
        .map_err(|cause| ServiceError::failed("hash a password", cause))
}

#[cfg(test)]
mod tests {
    use spots_privacy::SystemRandomness;

    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let passwords = Passwords::new(1, &SystemRandomness).unwrap();
        let secret = Personal::new("correct horse battery");
        let stored = passwords
            .hash(secret.clone(), &SystemRandomness)
            .await
            .unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let fits = |stored, password| passwords.verify(stored, password);
        assert!(fits(Some(stored.clone()), secret.clone()).await.unwrap());
        let wrong = Personal::new("wrong horse battery");
        assert!(!fits(Some(stored), wrong).await.unwrap());
        assert!(!fits(None, secret).await.unwrap());
    }

    #[tokio::test]
    async fn a_hash_of_an_old_database_is_read_and_none_fits_nothing() {
        let passwords = Passwords::new(1, &SystemRandomness).unwrap();
        let old = bcrypt::hash("correct horse battery", 4).unwrap();
        let verify = |hash: &str, password| passwords.verify(Some(hash.to_owned()), password);
        let secret = || Personal::new("correct horse battery");
        assert!(verify(&old, secret()).await.unwrap());
        assert!(
            verify(&old.replacen("$2b$", "$2a$", 1), secret())
                .await
                .unwrap()
        );
        assert!(
            !verify(&old, Personal::new("wrong horse battery"))
                .await
                .unwrap()
        );
        assert!(!verify("none", Personal::new("none")).await.unwrap());
        assert!(!is_current(&old) && is_hash(&old) && !is_hash("none"));
    }

    #[tokio::test]
    async fn a_full_queue_turns_people_away() {
        let passwords = Passwords::new(1, &SystemRandomness).unwrap();
        let _everyone = passwords
            .admitted
            .try_acquire_many(1 + u32::try_from(WAITERS_MAX).unwrap())
            .unwrap();
        let refused = passwords.verify(None, Personal::new("x")).await;
        assert!(matches!(refused, Err(ServiceError::Busy)));
    }
}
