//! Grants, and the proofs without which nothing opens.
//!
//! A host's read goes `Grant` (a row) → [`Grant::consent`] (is it live, is it theirs) →
//! [`Consented`] (the proof, which holds the key) → [`Consented::open`]. A person's read goes
//! [`Session`] → [`Owner`] → [`Person`]. There is no third way to plaintext.

use aws_lc_rs::{constant_time, digest};
use thiserror::Error;

use crate::identity::{AgentId, UserId};
use crate::keys::{DataKey, KeyError, MasterKeys, WrappedKey};
use crate::personal::Personal;
use crate::random::Randomness;
use crate::seal::{Place, SealError, SealedField, associated};

/// Sealed fields of shares live in this table.
pub const SHARE_TABLE: &str = "reservation_user_data";
/// Their wrapped keys live in this one, apart, so that they can be destroyed alone.
pub const SHARE_KEY_TABLE: &str = "share_keys";
/// Sealed fields of a person's own profile.
pub const PROFILE_TABLE: &str = "user_profiles";
/// The wrapped key of each user.
pub const USER_KEY_TABLE: &str = "user_keys";
/// The sealed mapping from user to agent.
pub const MAPPING_TABLE: &str = "user_agent_mappings";
const PROFILE_GROUP: &str = "profile";
const AGENT_FIELD: &str = "agent_id";

/// Why a field does not open for the one who asks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotOpen {
    /// The grant names another host, or the share another person.
    #[error("not granted to the one who asks")]
    NotYours,
    /// The person took it back.
    #[error("revoked")]
    Revoked,
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// The session is over or its token is another.
    #[error("not signed in")]
    NotSignedIn,
    /// The key is gone, so nobody can read it again.
    #[error("erased")]
    Erased,
    /// The key does not unwrap.
    #[error("failed to unwrap a key")]
    Key(#[from] KeyError),
    /// The value does not open.
    #[error("failed to open a sealed value")]
    Seal(#[from] SealError),
}

/// One field of one share, as the store reads it. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The host it is given to.
    pub host: String,
    /// The person who gave it.
    pub agent: AgentId,
    /// The share.
    pub share: String,
    /// The field.
    pub field: String,
    /// When it was taken back.
    pub revoked_at: Option<i64>,
    /// When it ends by itself.
    pub expires_at: Option<i64>,
    /// The key; `None` once it is destroyed.
    pub key: Option<WrappedKey>,
    /// The sealed value.
    pub value: SealedField,
}

impl Grant {
    /// Checks that this host may read the field now.
    pub fn consent(self, host: &str, now: i64) -> Result<Consented, NotOpen> {
        if self.host != host {
            return Err(NotOpen::NotYours);
        }
        self.live(now)
    }

    /// Checks that the field is this person's own, and still readable.
    pub fn own(self, person: &Person, now: i64) -> Result<Consented, NotOpen> {
        if self.agent != person.agent {
            return Err(NotOpen::NotYours);
        }
        self.live(now)
    }

    fn live(self, now: i64) -> Result<Consented, NotOpen> {
        if self.revoked_at.is_some() {
            return Err(NotOpen::Revoked);
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(NotOpen::Expired);
        }
        let key = self.key.ok_or(NotOpen::Erased)?;
        Ok(Consented {
            share: self.share,
            field: self.field,
            key,
            value: self.value,
        })
    }
}

/// Proof that one field may be read now, with what it takes to read it. Used up by reading.
#[derive(Debug)]
pub struct Consented {
    share: String,
    field: String,
    key: WrappedKey,
    value: SealedField,
}

impl Consented {
    /// The share that the field belongs to.
    pub fn share(&self) -> &str {
        &self.share
    }

    /// The field's name.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Opens the field.
    pub fn open(self, keys: &MasterKeys) -> Result<Personal, NotOpen> {
        let key = keys.unwrap(&self.key, share_key_place(&self.share, &self.field))?;
        Ok(self
            .value
            .open(&key, share_place(&self.share, &self.field))?)
    }
}

/// One field of a new share, ready to store.
#[derive(Clone, Debug)]
pub struct NewShareField {
    /// The field's name.
    pub field: String,
    /// The sealed value.
    pub value: SealedField,
    /// Its own key.
    pub key: WrappedKey,
    /// Random bytes for commitments in the ledger; stored beside the key and destroyed with it.
    pub salt: [u8; 32],
}

impl NewShareField {
    /// Seals one field of a share under a key of its own.
    pub fn seal(
        share: &str,
        field: &str,
        text: &Personal,
        keys: &MasterKeys,
        random: &dyn Randomness,
    ) -> Result<Self, SealError> {
        let key = DataKey::generate(random);
        let value = SealedField::seal(&key, share_place(share, field), text, random)?;
        let key = keys.wrap(&key, share_key_place(share, field), random);
        Ok(Self {
            field: field.to_owned(),
            value,
            key,
            salt: crate::random::bytes(random),
        })
    }
}

/// Whose data key a stored one is: it unwraps nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyOwner {
    /// A user, by the text of the id.
    User(String),
    /// One field of a share at a host.
    Share {
        /// The host.
        host: String,
        /// The share.
        share: String,
        /// The field.
        field: String,
    },
}

impl KeyOwner {
    /// Where the wrapped key belongs.
    pub fn place(&self) -> Place<'_> {
        match self {
            Self::User(user) => user_key_place(user),
            Self::Share { share, field, .. } => share_key_place(share, field),
        }
    }
}

/// What the ledger keeps of an event in a share's life: SHA-256 over salt and facts. It says
/// nothing once the salt is destroyed.
pub fn commitment(salt: &[u8; 32], facts: &[&str]) -> [u8; 32] {
    let mut parts = vec![salt.as_slice()];
    parts.extend(facts.iter().map(|fact| fact.as_bytes()));
    let hash = digest::digest(&digest::SHA256, &associated(&parts));
    hash.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

/// SHA-256, for values that need no key: tokens of 256 random bits, texts that are public.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes)
        .as_ref()
        .try_into()
        .expect("SHA-256 gives 32 bytes")
}

/// A session, as the store reads it.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose it is.
    pub user: UserId,
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// When it ends, in nanoseconds since the Unix epoch.
    pub expires_at: i64,
}

/// Proof that a request comes from this user.
#[derive(Clone, Debug)]
pub struct Owner {
    user: UserId,
}

impl Owner {
    /// Checks the token that the request presents against the session.
    pub fn signed_in(session: Session, token_hash: &[u8; 32], now: i64) -> Result<Self, NotOpen> {
        constant_time::verify_slices_are_equal(&session.token_hash, token_hash)
            .or(Err(NotOpen::NotSignedIn))?;
        if session.expires_at <= now {
            return Err(NotOpen::NotSignedIn);
        }
        Ok(Self { user: session.user })
    }

    /// Who it is.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// Opens the person's own identity and key.
    pub fn unlock(self, keys: &MasterKeys, stored: &StoredPerson) -> Result<Person, NotOpen> {
        unlock(self.user, keys, stored)
    }
}

/// Proof that an operator moves a whole database between its old form and its sealed one, with the
/// service stopped. Only the steps of that move take it; no request can.
#[derive(Clone, Copy, Debug)]
pub struct Custody<'a>(&'a MasterKeys);

impl<'a> Custody<'a> {
    /// For the operator who holds the keys.
    pub fn of(keys: &'a MasterKeys) -> Self {
        Self(keys)
    }

    /// Opens one person's identity and key.
    pub fn unlock(self, user: UserId, stored: &StoredPerson) -> Result<Person, NotOpen> {
        unlock(user, self.0, stored)
    }
}

fn unlock(user: UserId, keys: &MasterKeys, stored: &StoredPerson) -> Result<Person, NotOpen> {
    let row = user.reveal();
    let key = keys.unwrap(&stored.key, user_key_place(&row))?;
    let agent = stored.agent.open(&key, mapping_place(&row))?;
    let agent = AgentId::parse(agent.disclose()).ok_or(SealError::DoesNotOpen)?;
    Ok(Person { user, agent, key })
}

/// What the store keeps of a person's identity: the wrapped key and the sealed mapping.
#[derive(Clone, Debug)]
pub struct StoredPerson {
    /// The user's wrapped key.
    pub key: WrappedKey,
    /// The sealed agent id.
    pub agent: SealedField,
}

/// A person who proved to be themself: both identities and the key to their own data.
#[derive(Debug)]
pub struct Person {
    user: UserId,
    agent: AgentId,
    key: DataKey,
}

impl Person {
    /// A new person with a new agent.
    pub fn create(user: UserId, random: &dyn Randomness) -> Self {
        Self {
            user,
            agent: AgentId::generate(random),
            key: DataKey::generate(random),
        }
    }

    /// A person whose agent is given, with a new key.
    pub fn with_agent(user: UserId, agent: AgentId, random: &dyn Randomness) -> Self {
        Self {
            user,
            agent,
            key: DataKey::generate(random),
        }
    }

    /// What to store of this person.
    pub fn to_stored(
        &self,
        keys: &MasterKeys,
        random: &dyn Randomness,
    ) -> Result<StoredPerson, SealError> {
        let row = self.user.reveal();
        let agent = Personal::new(self.agent.reveal());
        Ok(StoredPerson {
            key: keys.wrap(&self.key, user_key_place(&row), random),
            agent: SealedField::seal(&self.key, mapping_place(&row), &agent, random)?,
        })
    }

    /// The same person as another agent, with the sealed mapping to it.
    pub fn with_new_agent(self, random: &dyn Randomness) -> Result<(Self, SealedField), SealError> {
        let agent = AgentId::generate(random);
        let row = self.user.reveal();
        let text = Personal::new(agent.reveal());
        let mapping = SealedField::seal(&self.key, mapping_place(&row), &text, random)?;
        Ok((Self { agent, ..self }, mapping))
    }

    /// The account.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// The agent.
    pub fn agent(&self) -> &AgentId {
        &self.agent
    }

    /// Seals a field of the person's own profile.
    pub fn seal(
        &self,
        field: &str,
        text: &Personal,
        random: &dyn Randomness,
    ) -> Result<SealedField, SealError> {
        let row = self.user.reveal();
        let place = Place {
            table: PROFILE_TABLE,
            row: &row,
            field,
        };
        SealedField::seal(&self.key, place, text, random)
    }

    /// Opens a field of the person's own profile.
    pub fn open(&self, field: &str, sealed: &SealedField) -> Result<Personal, SealError> {
        let row = self.user.reveal();
        sealed.open(
            &self.key,
            Place {
                table: PROFILE_TABLE,
                row: &row,
                field,
            },
        )
    }
}

fn share_place<'a>(share: &'a str, field: &'a str) -> Place<'a> {
    Place {
        table: SHARE_TABLE,
        row: share,
        field,
    }
}

fn share_key_place<'a>(share: &'a str, field: &'a str) -> Place<'a> {
    Place {
        table: SHARE_KEY_TABLE,
        row: share,
        field,
    }
}

fn user_key_place(user: &str) -> Place<'_> {
    Place {
        table: USER_KEY_TABLE,
        row: user,
        field: PROFILE_GROUP,
    }
}

fn mapping_place(user: &str) -> Place<'_> {
    Place {
        table: MAPPING_TABLE,
        row: user,
        field: AGENT_FIELD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandomness;

    fn grant(keys: &MasterKeys) -> Grant {
        let text = Personal::new("Ada");
        let new = NewShareField::seal("share_1", "name", &text, keys, &SystemRandomness).unwrap();
        Grant {
            host: "host_1".to_owned(),
            agent: AgentId::generate(&SystemRandomness),
            share: "share_1".to_owned(),
            field: new.field,
            revoked_at: None,
            expires_at: Some(100),
            key: Some(new.key),
            value: new.value,
        }
    }

    #[test]
    fn a_live_grant_opens_for_its_host_alone() {
        let keys = MasterKeys::generate(&SystemRandomness);
        let opened = grant(&keys)
            .consent("host_1", 99)
            .unwrap()
            .open(&keys)
            .unwrap();
        assert_eq!(opened.disclose(), "Ada");
        assert_eq!(
            grant(&keys).consent("host_2", 99).unwrap_err(),
            NotOpen::NotYours
        );
    }

    #[test]
    fn an_ended_grant_does_not_open() {
        let keys = MasterKeys::generate(&SystemRandomness);
        assert_eq!(
            grant(&keys).consent("host_1", 100).unwrap_err(),
            NotOpen::Expired
        );
        let revoked = Grant {
            revoked_at: Some(1),
            ..grant(&keys)
        };
        assert_eq!(revoked.consent("host_1", 99).unwrap_err(), NotOpen::Revoked);
        let erased = Grant {
            key: None,
            ..grant(&keys)
        };
        assert_eq!(erased.consent("host_1", 99).unwrap_err(), NotOpen::Erased);
    }

    #[test]
    fn a_key_of_one_field_does_not_open_another() {
        let keys = MasterKeys::generate(&SystemRandomness);
        let name = grant(&keys);
        let swapped = Grant {
            field: "email".to_owned(),
            ..name
        };
        let refused = swapped
            .consent("host_1", 99)
            .unwrap()
            .open(&keys)
            .unwrap_err();
        assert_eq!(refused, NotOpen::Key(KeyError::DoesNotUnwrap));
    }

    #[test]
    fn a_person_unlocks_with_their_own_session_only() {
        let keys = MasterKeys::generate(&SystemRandomness);
        let user = UserId::generate(&SystemRandomness);
        let person = Person::create(user.clone(), &SystemRandomness);
        let stored = person.to_stored(&keys, &SystemRandomness).unwrap();
        let session = Session {
            user,
            token_hash: [7; 32],
            expires_at: 10,
        };
        let owner = Owner::signed_in(session.clone(), &[7; 32], 9).unwrap();
        let again = owner.unlock(&keys, &stored).unwrap();
        assert_eq!(again.agent(), person.agent());

        let wrong = Owner::signed_in(session.clone(), &[8; 32], 9).unwrap_err();
        assert_eq!(wrong, NotOpen::NotSignedIn);
        assert_eq!(
            Owner::signed_in(session, &[7; 32], 10).unwrap_err(),
            NotOpen::NotSignedIn
        );

        let stranger = UserId::generate(&SystemRandomness);
        let session = Session {
            user: stranger,
            token_hash: [7; 32],
            expires_at: 10,
        };
        let owner = Owner::signed_in(session, &[7; 32], 9).unwrap();
        assert!(
            owner.unlock(&keys, &stored).is_err(),
            "another user's row must not unlock"
        );
    }
}
