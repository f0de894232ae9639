//! What people sign in with.

use async_trait::async_trait;
use spots_privacy::UserId;

use super::PostgresStore;
use super::session::statements;
use crate::error::StoreError;
use crate::store::credentials::CredentialStore;

statements! {
    REPLACE_HASH(TEXT, TEXT, TEXT) =
        "UPDATE user_credentials SET password_hash = $3
         WHERE user_id = $1 AND password_hash = $2 RETURNING user_id";
}

#[async_trait]
impl CredentialStore for PostgresStore {
    async fn replace_password_hash(
        &self,
        user: &UserId,
        from: String,
        to: String,
    ) -> Result<bool, StoreError> {
        self.row(&REPLACE_HASH, [&user.reveal(), &from, &to])
            .await
            .map(|row| row.is_some())
            .map_err(|fault| fault.into_error("replace a password's hash"))
    }
}
