//! What people sign in with.

use async_trait::async_trait;
use spots_privacy::UserId;

use super::SqliteStore;
use crate::error::StoreError;
use crate::store::credentials::CredentialStore;

#[async_trait]
impl CredentialStore for SqliteStore {
    async fn replace_password_hash(
        &self,
        user: &UserId,
        from: String,
        to: String,
    ) -> Result<bool, StoreError> {
        let user = user.reveal();
        self.write("replace a password's hash", move |db| {
            let replaced = db
                .prepare_cached(
                    "UPDATE user_credentials SET password_hash = ?3
                     WHERE user_id = ?1 AND password_hash = ?2",
                )?
                .execute([&user, &from, &to])?;
            Ok(replaced > 0)
        })
        .await
    }
}
