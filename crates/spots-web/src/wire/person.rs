//! Accounts, sessions, profiles and defaults.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use spots_booking::field::StandardField;
use spots_host::wire::{HostBody, Instant};
use spots_privacy::Personal;
use utoipa::ToSchema;

use super::held::HeldBody;
use super::models::Booking;
use super::share::{OpeningBody, SharedFieldBody};
use crate::service::Profile;

macro_rules! silent {
    ($($name:ident)*) => {$(
        /// Personal data does not print.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )*};
}

silent!(NewAccountBody NewSessionBody SessionBody ProfileBody UpdateProfileBody ExportBody ErasureBody);

/// Someone who signs up.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAccountBody {
    /// What they sign in with. It begins the profile, too.
    #[schema(format = Email, max_length = 254)]
    pub email: String,
    /// What proves it is them.
    #[schema(format = Password, min_length = 10, max_length = 256)]
    pub password: String,
    /// What they want to be called.
    #[schema(max_length = 200)]
    pub name: Option<String>,
}

/// A person's two identities.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountBody {
    /// The account.
    pub user_id: String,
    /// The agent that SPOTS tracks. Hosts never see it.
    pub agent_id: String,
}

/// Someone who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSessionBody {
    /// The address they signed up with.
    #[schema(format = Email)]
    pub email: String,
    /// Their password.
    #[schema(format = Password)]
    pub password: String,
}

/// A session that was just begun.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionBody {
    /// For `Authorization: Bearer …`.
    pub token: String,
    /// When it ends.
    pub expires_at: Instant,
    /// Whose it is.
    pub user_id: String,
}

/// A person's own data, which nobody else reads.
#[derive(Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileBody {
    /// What they want to be called.
    pub name: Option<String>,
    /// A number to call.
    pub phone_number: Option<String>,
    /// An address to write to: the one that they sign in with.
    #[schema(format = Email)]
    pub email: Option<String>,
    /// The day of birth as year-month-day.
    #[schema(format = Date)]
    pub birthday: Option<String>,
    /// The company they belong to.
    pub company_affiliation: Option<String>,
}

/// A person's own data as it is to be; what is left out is removed.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UpdateProfileBody {
    /// What they want to be called.
    pub name: Option<String>,
    /// A number to call.
    pub phone_number: Option<String>,
    /// An address to write to. A new one is what they sign in with from then on, and takes
    /// `currentPassword`; leaving it out changes nothing about signing in.
    #[schema(format = Email)]
    pub email: Option<String>,
    /// The day of birth as year-month-day.
    #[schema(format = Date)]
    pub birthday: Option<String>,
    /// The company they belong to.
    pub company_affiliation: Option<String>,
    /// The password, where `email` is another than the address that they sign in with.
    #[schema(format = Password)]
    pub current_password: Option<String>,
}

/// What a person shares by default.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SharingDefaultsBody {
    /// Names of fields of the profile; `null` where no default is set. Setting `null` removes it.
    #[schema(required)]
    pub fields: Option<Vec<String>>,
}

/// All that the platform holds of a person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportBody {
    /// When it was gathered.
    pub exported_at: Instant,
    /// The account.
    pub user_id: String,
    /// The agent.
    pub agent_id: String,
    /// The profile.
    pub profile: ProfileBody,
    /// Fields shared by default, by event type or host id.
    pub sharing_defaults: BTreeMap<String, Vec<String>>,
    /// All bookings, the newest first.
    pub bookings: Vec<Booking>,
    /// All that is or was shared.
    pub shares: Vec<SharedFieldBody>,
    /// When hosts opened it, the newest first.
    pub openings: Vec<OpeningBody>,
    /// The hosts that the person acts for.
    pub hosts: Vec<HostBody>,
    /// The rest.
    pub held: HeldBody,
}

/// What became of an account that was deleted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErasureBody {
    /// Keys of shared fields that were destroyed.
    pub destroyed_keys: u64,
    /// Bookings to come that were cancelled.
    pub cancelled_bookings: u64,
    /// The signed certificate of what was destroyed, what remains and why: a note that
    /// `spots ledger verify` checks.
    pub certificate: String,
}

impl UpdateProfileBody {
    /// The profile, and the password if it came.
    pub fn into_parts(self) -> (Profile, Option<Personal>) {
        let body = self;
        let fields = [
            (StandardField::Name, body.name),
            (StandardField::PhoneNumber, body.phone_number),
            (StandardField::Email, body.email),
            (StandardField::Birthday, body.birthday),
            (StandardField::CompanyAffiliation, body.company_affiliation),
        ];
        let fields = fields
            .into_iter()
            .filter_map(|(field, text)| Some((field, Personal::new(text?))));
        (fields.collect(), body.current_password.map(Personal::new))
    }
}

impl From<&Profile> for ProfileBody {
    fn from(profile: &Profile) -> Self {
        let text = |field| {
            let text: &Personal = profile.get(&field)?;
            Some(text.disclose().to_owned())
        };
        Self {
            name: text(StandardField::Name),
            phone_number: text(StandardField::PhoneNumber),
            email: text(StandardField::Email),
            birthday: text(StandardField::Birthday),
            company_affiliation: text(StandardField::CompanyAffiliation),
        }
    }
}
