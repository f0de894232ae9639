//! A first password for people of an old database that came without one.

use spots_privacy::{LookupKey, Personal, Randomness, random};
use spots_store::{EMAIL_CONTEXT, Store, StoreError, email_text};

use super::password;

/// Letters and digits that nobody takes for one another: 32 of them, five bits each.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// Random characters of a password: 100 bits.
const CHARS: usize = 20;
/// Characters between two hyphens.
const GROUP: usize = 5;

/// What came of a wish for a first password.
#[derive(Debug)]
pub enum FirstPassword {
    /// The password; nothing but its hash is kept.
    Set(Personal),
    /// No account signs in with this address.
    NoAccount,
    /// The account has a password, which stays.
    HasOne,
}

/// Gives the account of an address a random password, if nobody can sign in to it yet.
pub async fn set_first_password(
    store: &dyn Store,
    lookup: &LookupKey,
    email: &Personal,
    random: &dyn Randomness,
) -> Result<FirstPassword, StoreError> {
    let hash = lookup.hash(EMAIL_CONTEXT, email_text(email.disclose()).disclose());
    let Some(known) = store.find_credentials(hash).await? else {
        return Ok(FirstPassword::NoAccount);
    };
    if password::is_hash(&known.password_hash) {
        return Ok(FirstPassword::HasOne);
    }
    let new = generate(random);
    let hashed = password::hash(new.disclose().as_bytes(), random::bytes(random))
        .map_err(|cause| StoreError::failed("hash a password", cause))?;
    let set = store
        .replace_password_hash(&known.user, known.password_hash, hashed)
        .await?;
    Ok(if set {
        FirstPassword::Set(new)
    } else {
        FirstPassword::HasOne
    })
}

fn generate(random: &dyn Randomness) -> Personal {
    let mut text = String::with_capacity(CHARS + CHARS / GROUP);
    for (at, byte) in random::bytes::<CHARS>(random).into_iter().enumerate() {
        if at > 0 && at % GROUP == 0 {
            text.push('-');
        }
        // 256 is a multiple of 32: every letter is as likely as any other.
        let letter = ALPHABET.iter().cycle().nth(usize::from(byte));
        text.extend(letter.copied().map(char::from));
    }
    Personal::new(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use spots_privacy::SystemRandomness;

    use super::*;

    #[test]
    fn passwords_are_twenty_letters_in_groups_and_never_the_same() {
        let made = (0..50).map(|_| generate(&SystemRandomness).disclose().to_owned());
        let made = made.collect::<BTreeSet<_>>();
        assert_eq!(made.len(), 50);
        for one in &made {
            let groups = one.split('-').collect::<Vec<_>>();
            assert_eq!(groups.len(), CHARS / GROUP);
            let mut letters = groups.iter().flat_map(|group| group.bytes());
            assert!(groups.iter().all(|group| group.len() == GROUP), "{one}");
            assert!(letters.all(|letter| ALPHABET.contains(&letter)), "{one}");
        }
        let used = made
            .iter()
            .flat_map(|one| one.bytes())
            .collect::<BTreeSet<_>>();
        assert_eq!(
            used.len(),
            ALPHABET.len() + 1,
            "each letter, and the hyphen"
        );
    }
}
