//! Which personal data an event type may ask for at all.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::event_type::EventType;

/// The longest key of an additional field.
pub const KEY_CHARS_MAX: usize = 40;
/// What the name of an additional field starts with.
const ADDITIONAL: &str = "additionalData.";

/// The fields that every event type knows by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StandardField {
    /// What the person wants to be called.
    Name,
    /// A number to call.
    PhoneNumber,
    /// An address to write to.
    Email,
    /// The day of birth.
    Birthday,
    /// The company the person belongs to.
    CompanyAffiliation,
}

impl StandardField {
    /// All of them, in the order of the forms.
    pub const ALL: &[Self] = &[
        Self::Name,
        Self::PhoneNumber,
        Self::Email,
        Self::Birthday,
        Self::CompanyAffiliation,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::PhoneNumber => "phoneNumber",
            Self::Email => "email",
            Self::Birthday => "birthday",
            Self::CompanyAffiliation => "companyAffiliation",
        }
    }

    /// The words for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::PhoneNumber => "Phone number",
            Self::Email => "E-mail",
            Self::Birthday => "Birthday",
            Self::CompanyAffiliation => "Company",
        }
    }

    /// The field with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|field| field.as_str() == name)
    }
}

/// The standard fields that hosts may ask for at this type of event. Data declared by the host
/// itself (`additionalData`) comes on top, each key with a type and a purpose.
pub fn allowed(event_type: EventType) -> &'static [StandardField] {
    use StandardField::{Birthday, CompanyAffiliation, Email, Name, PhoneNumber};
    match event_type {
        EventType::Reservation | EventType::BusinessEvent => &[Name, PhoneNumber, Email, Birthday],
        EventType::CommunityEvent | EventType::ExpertEvent => &[Name, PhoneNumber, Email],
        EventType::ClubEvent => &[Name, Email],
        EventType::CompanyEvent => &[Name, Email, CompanyAffiliation],
    }
}

/// A field of an `EventUserData`: one of the standard ones, or one that the host declared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldName {
    /// Known by name.
    Standard(StandardField),
    /// Declared by the host; the key inside `additionalData`.
    Additional(String),
}

/// The text names no field.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "not a field: name, phoneNumber, email, birthday, companyAffiliation, or additionalData.KEY \
     where KEY is 1 to {KEY_CHARS_MAX} letters, digits or _ and starts with a letter"
)]
pub struct NotAField;

impl FieldName {
    /// The additional field with this key.
    pub fn additional(key: &str) -> Result<Self, NotAField> {
        let plain = key.len() <= KEY_CHARS_MAX
            && key.starts_with(|c: char| c.is_ascii_alphabetic())
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if plain {
            Ok(Self::Additional(key.to_owned()))
        } else {
            Err(NotAField)
        }
    }

    /// Whether a host may ask for this at this type of event.
    pub fn allowed_at(&self, event_type: EventType) -> bool {
        match self {
            Self::Standard(field) => allowed(event_type).contains(field),
            Self::Additional(_) => true,
        }
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standard(field) => f.write_str(field.as_str()),
            Self::Additional(key) => write!(f, "{ADDITIONAL}{key}"),
        }
    }
}

impl FromStr for FieldName {
    type Err = NotAField;

    fn from_str(text: &str) -> Result<Self, NotAField> {
        if let Some(field) = StandardField::parse(text) {
            return Ok(Self::Standard(field));
        }
        Self::additional(text.strip_prefix(ADDITIONAL).ok_or(NotAField)?)
    }
}

/// The table of event types and the data they may ask for, as Markdown, for the privacy page.
pub fn table() -> String {
    let mut out = String::from("| kind of event | a host may ask for |\n| --- | --- |\n");
    for event_type in EventType::ALL {
        let fields = allowed(*event_type).iter().map(|field| field.label());
        let fields: Vec<_> = fields.chain(["what the host declares"]).collect();
        out.push_str(&["| ", event_type.label(), " | ", &fields.join(", "), " |\n"].concat());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The union of the two lists in the requirements, type by type.
    #[test]
    fn the_allowed_fields_are_those_of_the_requirements() {
        let expected = [
            (EventType::Reservation, "name phoneNumber email birthday"),
            (EventType::CommunityEvent, "name phoneNumber email"),
            (EventType::ClubEvent, "name email"),
            (EventType::ExpertEvent, "name phoneNumber email"),
            (EventType::BusinessEvent, "name phoneNumber email birthday"),
            (EventType::CompanyEvent, "name email companyAffiliation"),
        ];
        for (event_type, fields) in expected {
            let names: Vec<_> = allowed(event_type)
                .iter()
                .map(|field| field.as_str())
                .collect();
            assert_eq!(names.join(" "), fields, "{event_type}");
        }
    }

    #[test]
    fn field_names_read_back() {
        for text in [
            "name",
            "companyAffiliation",
            "additionalData.diet",
            "additionalData.a_1",
        ] {
            assert_eq!(text.parse::<FieldName>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "agentId",
            "additionalData.",
            "additionalData.1a",
            "additionalData.a-b",
        ] {
            assert!(text.parse::<FieldName>().is_err(), "{text}");
        }
    }
}
