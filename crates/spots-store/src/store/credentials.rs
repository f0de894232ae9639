//! What people sign in with.

use async_trait::async_trait;
use spots_privacy::UserId;

use crate::error::StoreError;

/// Passwords' hashes.
#[async_trait]
pub trait CredentialStore: Send + Sync {
    /// Replaces the hash of a password if it still is this one; says whether it was.
    async fn replace_password_hash(
        &self,
        user: &UserId,
        from: String,
        to: String,
    ) -> Result<bool, StoreError>;
}
