//! The six event types and the five kinds of host.

use thiserror::Error;

/// The word names nothing of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not one of: {0}")]
pub struct NotAWord(pub(crate) &'static str);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $list:literal;
     $($(#[$variant_doc:meta])* $variant:ident = $word:literal, $label:literal;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them, in the order in which people meet them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word on the wire and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The words for people.
            pub fn label(self) -> &'static str {
                match self { $(Self::$variant => $label,)* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::event_type::NotAWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err($crate::event_type::NotAWord($list)),
                }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// What kind of thing is booked.
    EventType: "reservation, community_event, club_event, expert_event, business_event, company_event";
    /// A table at a time.
    Reservation = "reservation", "Table reservation";
    /// A community's gathering.
    CommunityEvent = "community_event", "Community event";
    /// A night at a club.
    ClubEvent = "club_event", "Club night";
    /// An expert's workshop.
    ExpertEvent = "expert_event", "Expert workshop";
    /// A business's event.
    BusinessEvent = "business_event", "Business event";
    /// A company's event.
    CompanyEvent = "company_event", "Company event";
}

words! {
    /// Who offers something.
    HostKind: "business, community, club, expert, company";
    /// A restaurant, a shop, a venue.
    Business = "business", "Business";
    /// A community.
    Community = "community", "Community";
    /// A club.
    Club = "club", "Club";
    /// An expert.
    Expert = "expert", "Expert";
    /// A company.
    Company = "company", "Company";
}
