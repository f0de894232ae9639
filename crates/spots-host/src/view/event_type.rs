//! The six event types and five kinds of host, as pages name them.

/// The type of an event, as pages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    /// A table, a room or another thing reserved for a time.
    Reservation,
    /// A gathering of a community.
    CommunityEvent,
    /// An event of a club for its members.
    ClubEvent,
    /// Something taught or led by an expert.
    ExpertEvent,
    /// An event of a business.
    BusinessEvent,
    /// An event of a company.
    CompanyEvent,
}

impl EventType {
    /// All six, in the order in which pages list them.
    pub const ALL: [Self; 6] = [
        Self::Reservation,
        Self::CommunityEvent,
        Self::ClubEvent,
        Self::ExpertEvent,
        Self::BusinessEvent,
        Self::CompanyEvent,
    ];

    /// The name on the wire, in addresses and in forms.
    pub fn value(self) -> &'static str {
        match self {
            Self::Reservation => "reservation",
            Self::CommunityEvent => "community_event",
            Self::ClubEvent => "club_event",
            Self::ExpertEvent => "expert_event",
            Self::BusinessEvent => "business_event",
            Self::CompanyEvent => "company_event",
        }
    }

    /// The type with a name on the wire.
    pub fn from_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.value() == value)
    }

    /// One event of this type, in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Reservation => "Reservation",
            Self::CommunityEvent => "Community event",
            Self::ClubEvent => "Club event",
            Self::ExpertEvent => "Expert event",
            Self::BusinessEvent => "Business event",
            Self::CompanyEvent => "Company event",
        }
    }

    /// Several of them, in words.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Reservation => "Reservations",
            Self::CommunityEvent => "Community events",
            Self::ClubEvent => "Club events",
            Self::ExpertEvent => "Expert events",
            Self::BusinessEvent => "Business events",
            Self::CompanyEvent => "Company events",
        }
    }

    /// The words on the button that books one.
    pub fn book_label(self) -> &'static str {
        if self == Self::Reservation {
            "Book the table"
        } else {
            "Book my place"
        }
    }
}

/// The kind of a host, as pages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostKind {
    /// A business, such as a restaurant.
    Business,
    /// A community.
    Community,
    /// A club with members.
    Club,
    /// A single expert.
    Expert,
    /// A company.
    Company,
}

impl HostKind {
    /// All five, in the order in which pages list them.
    pub const ALL: [Self; 5] = [
        Self::Business,
        Self::Community,
        Self::Club,
        Self::Expert,
        Self::Company,
    ];

    /// The name on the wire and in forms.
    pub fn value(self) -> &'static str {
        match self {
            Self::Business => "business",
            Self::Community => "community",
            Self::Club => "club",
            Self::Expert => "expert",
            Self::Company => "company",
        }
    }

    /// The kind with a name on the wire.
    pub fn from_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.value() == value)
    }

    /// The kind in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Business => "Business",
            Self::Community => "Community",
            Self::Club => "Club",
            Self::Expert => "Expert",
            Self::Company => "Company",
        }
    }
}
