//! A person's own data, which nobody else reads.

use std::collections::BTreeMap;

use spots_booking::Refusal;
use spots_booking::field::StandardField;
use spots_host::ServiceError;
use spots_privacy::Personal;
use spots_privacy::consent::Person;

use super::accounts::{PASSWORD_CHARS_MAX, email_lookup, parse};
use super::{Answer, Ctx, stored, unsealed};

/// The fields that are set.
pub type Profile = BTreeMap<StandardField, Personal>;

/// Opens a person's own profile.
pub async fn profile(ctx: &Ctx, person: &Person) -> Answer<Profile> {
    let rows = ctx
        .store()
        .list_profile(person.user())
        .await
        .map_err(stored)?;
    rows.iter()
        .filter_map(|row| Some((StandardField::parse(&row.field)?, row)))
        .map(|(field, row)| {
            let text = person.open(&row.field, &row.sealed).map_err(unsealed)?;
            Ok((field, text))
        })
        .collect()
}

/// Replaces a person's profile: a field that is not given is removed. A new e-mail address is the
/// one that signs in from then on, and takes the password: whoever finds a session open cannot
/// take the account away with it.
pub async fn update_profile(
    ctx: &Ctx,
    person: &Person,
    profile: Profile,
    password: Option<Personal>,
) -> Answer<()> {
    let mut problems = Vec::new();
    let mut fields = Vec::new();
    for field in StandardField::ALL {
        let name = field.as_str().to_owned();
        let Some(text) = profile.get(field) else {
            fields.push((name, None));
            continue;
        };
        match parse(ctx, *field, text) {
            Ok(value) => {
                let sealed = person.seal(&name, &value, ctx.random()).map_err(unsealed)?;
                fields.push((name, Some(sealed)));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(Refusal::Fields(problems).into());
    }
    let address = profile.get(&StandardField::Email);
    let address = address.map(|email| email_lookup(ctx, email.disclose()));
    if let Some(address) = address {
        check_password(ctx, person, address, password).await?;
    }
    ctx.store()
        .update_profile(person.user(), fields, address)
        .await
        .map_err(stored)
}

/// Refuses another address than that which signs in, without the password.
async fn check_password(
    ctx: &Ctx,
    person: &Person,
    address: [u8; 32],
    password: Option<Personal>,
) -> Answer<()> {
    let known = ctx.store().lookup_credentials(person.user()).await;
    let Some((current, hash)) = known.map_err(stored)? else {
        return Ok(());
    };
    if current == address {
        return Ok(());
    }
    let problem = |code, message| ServiceError::field("currentPassword", code, message);
    let fits = match password {
        None => {
            let message = "Give your password: you change the address that you sign in with.";
            return Err(problem("required", message));
        }
        Some(long) if long.disclose().chars().count() > PASSWORD_CHARS_MAX => false,
        Some(password) => {
            let passwords = ctx.platform().passwords();
            passwords.verify(Some(hash), password).await?
        }
    };
    if fits {
        Ok(())
    } else {
        let message = "This is not your password. Nothing was changed.";
        Err(problem("wrong", message))
    }
}
