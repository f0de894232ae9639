//! What people sign in with.

use async_trait::async_trait;
use spots_privacy::UserId;

use super::PostgresStore;
use super::columns::Columns;
use super::session::{Fault, statements};
use crate::error::StoreError;
use crate::store::credentials::CredentialStore;

statements! {
    LOOKUP(TEXT) = "SELECT email_lookup, password_hash FROM user_credentials WHERE user_id = $1";
    REPLACE_HASH(TEXT, TEXT, TEXT) =
        "UPDATE user_credentials SET password_hash = $3
         WHERE user_id = $1 AND password_hash = $2 RETURNING user_id";
}

#[async_trait]
impl CredentialStore for PostgresStore {
    async fn lookup_credentials(
        &self,
        user: &UserId,
    ) -> Result<Option<([u8; 32], String)>, StoreError> {
        let found = async {
            let row = self.row(&LOOKUP, [&user.reveal()]).await?;
            row.map(|row| {
                let mut columns = Columns::of(&row);
                let lookup = columns.array("user_credentials.email_lookup")?;
                Ok((lookup, columns.take()?))
            })
            .transpose()
        };
        found
            .await
            .map_err(|fault: Fault| fault.into_error("look up what a person signs in with"))
    }

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
