//! Personal fields as pages name them.

/// A field that a person may share, as pages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name in forms, after `share.` and `value.`: `phoneNumber`, or `x.diet` for a declared one.
    pub key: String,
    /// The name in words.
    pub label: String,
}

impl Field {
    /// One of the five fields that every account has.
    pub fn personal(field: PersonalField) -> Self {
        Self {
            key: field.key().to_owned(),
            label: field.label().to_owned(),
        }
    }

    /// A field that a host declared for its events; its key gets the prefix `x.`.
    pub fn additional(key: &str, label: impl Into<String>) -> Self {
        Self {
            key: format!("x.{key}"),
            label: label.into(),
        }
    }
}

/// The five fields that every account has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PersonalField {
    /// The name a person goes by.
    Name,
    /// A telephone number.
    PhoneNumber,
    /// An e-mail address.
    Email,
    /// The date of birth.
    Birthday,
    /// The company a person works for.
    CompanyAffiliation,
}

impl PersonalField {
    /// All five, in the order in which pages list them.
    pub const ALL: [Self; 5] = [
        Self::Name,
        Self::PhoneNumber,
        Self::Email,
        Self::Birthday,
        Self::CompanyAffiliation,
    ];

    /// The name on the wire and in forms.
    pub fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::PhoneNumber => "phoneNumber",
            Self::Email => "email",
            Self::Birthday => "birthday",
            Self::CompanyAffiliation => "companyAffiliation",
        }
    }

    /// The field with a name on the wire.
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.key() == key)
    }

    /// The name in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::PhoneNumber => "Phone number",
            Self::Email => "E-mail address",
            Self::Birthday => "Birthday",
            Self::CompanyAffiliation => "Company",
        }
    }

    /// The token that lets a browser fill the input (HTML, "Autofill").
    pub fn autocomplete(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::PhoneNumber => "tel",
            Self::Email => "email",
            Self::Birthday => "bday",
            Self::CompanyAffiliation => "organization",
        }
    }
}
