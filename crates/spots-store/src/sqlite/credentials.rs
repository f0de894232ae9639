//! What people sign in with.

use async_trait::async_trait;
use rusqlite::OptionalExtension as _;
use spots_privacy::UserId;

use super::SqliteStore;
use crate::error::StoreError;
use crate::rows::array;
use crate::store::credentials::CredentialStore;

#[async_trait]
impl CredentialStore for SqliteStore {
    async fn lookup_credentials(
        &self,
        user: &UserId,
    ) -> Result<Option<([u8; 32], String)>, StoreError> {
        let user = user.reveal();
        self.read("look up what a person signs in with", move |db| {
            let row: Option<(Vec<u8>, String)> = db
                .prepare_cached(
                    "SELECT email_lookup, password_hash FROM user_credentials WHERE user_id = ?1",
                )?
                .query_row([&user], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            row.map(|(lookup, hash)| Ok((array(lookup, "user_credentials.email_lookup")?, hash)))
                .transpose()
        })
        .await
    }

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
