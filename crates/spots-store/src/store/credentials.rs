//! What people sign in with.

use async_trait::async_trait;
use spots_privacy::UserId;

use crate::error::StoreError;

/// Passwords' hashes.
#[async_trait]
pub trait CredentialStore: Send + Sync {
    /// Looks up what a person signs in with: the keyed hash of the address, and the password's hash.
    async fn lookup_credentials(
        &self,
        user: &UserId,
    ) -> Result<Option<([u8; 32], String)>, StoreError>;

    /// Replaces the hash of a password if it still is this one; says whether it was.
    async fn replace_password_hash(
        &self,
        user: &UserId,
        from: String,
        to: String,
    ) -> Result<bool, StoreError>;
}
