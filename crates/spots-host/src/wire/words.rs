//! Words from closed lists.

use jiff::civil::Weekday;
use serde::{Deserialize, Serialize};
use spots_booking::{EventType, HostKind};
use utoipa::ToSchema;

macro_rules! twins {
    ($($(#[$doc:meta])* $name:ident ($schema:literal) = $domain:ident {
        $($(#[$variant_doc:meta])* $variant:ident),* $(,)?
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[schema(title = $schema)]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl From<$domain> for $name {
            fn from(word: $domain) -> Self {
                match word { $($domain::$variant => Self::$variant),* }
            }
        }

        impl From<$name> for $domain {
            fn from(word: $name) -> Self {
                match word { $($name::$variant => Self::$variant),* }
            }
        }
    )*};
}

twins! {
    /// What kind of thing is booked.
    EventTypeWord("EventType") = EventType {
        /// A table at a time.
        Reservation,
        /// A community's gathering.
        CommunityEvent,
        /// A night at a club.
        ClubEvent,
        /// An expert's workshop.
        ExpertEvent,
        /// A business's event.
        BusinessEvent,
        /// A company's event.
        CompanyEvent,
    }

    /// Who offers something.
    HostKindWord("HostKind") = HostKind {
        /// A restaurant, a shop, a venue.
        Business,
        /// A community.
        Community,
        /// A club.
        Club,
        /// An expert.
        Expert,
        /// A company.
        Company,
    }

    /// A day of the week.
    WeekdayWord("Weekday") = Weekday {
        /// The first of ISO 8601.
        Monday,
        /// The second.
        Tuesday,
        /// The third.
        Wednesday,
        /// The fourth.
        Thursday,
        /// The fifth.
        Friday,
        /// The sixth.
        Saturday,
        /// The seventh.
        Sunday,
    }
}

/// Whether a host asks for a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AskWord {
    /// It is not asked for.
    NotAsked,
    /// The person may withhold it.
    Optional,
    /// Without it the host takes no booking.
    Required,
}

/// Who has to vouch that somebody belongs to a company or a club.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VoucherWord {
    /// The person: their own word.
    Person,
    /// An e-mail address at `emailDomain`, which the person confirmed.
    EmailDomain,
    /// The host's own list of members.
    HostList,
}

impl VoucherWord {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::EmailDomain => "email_domain",
            Self::HostList => "host_list",
        }
    }
}

/// The form of the value of an additional field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueTypeWord {
    /// Free text.
    Text,
    /// A decimal number.
    Number,
    /// `yes` or `no`; JSON's `true` and `false` are taken, too.
    YesNo,
    /// A day as year-month-day.
    Date,
    /// One of a list.
    Choice,
    /// "18 or over": the answer, never the birthday.
    #[serde(rename = "over_18")]
    Over18,
    /// "21 or over": the answer, never the birthday.
    #[serde(rename = "over_21")]
    Over21,
    /// "Affiliated with the company": the answer. `choices` holds the company's name.
    CompanyMember,
    /// "Member of the club": the answer. `choices` holds the club's name.
    ClubMember,
}

impl ValueTypeWord {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::YesNo => "yes_no",
            Self::Date => "date",
            Self::Choice => "choice",
            Self::Over18 => "over_18",
            Self::Over21 => "over_21",
            Self::CompanyMember => "company_member",
            Self::ClubMember => "club_member",
        }
    }
}
