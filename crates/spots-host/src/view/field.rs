//! Personal fields as pages name them.

use spots_booking::{FieldName, StandardField};

/// A field that a person may share, as pages name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The name in forms, after `share.` and `value.`, spelled as a [`FieldName`].
    pub key: String,
    /// The name in words.
    pub label: String,
}

impl Field {
    /// A field by its name on the wire and in words.
    pub fn new(name: &FieldName, label: impl Into<String>) -> Self {
        Self {
            key: name.to_string(),
            label: label.into(),
        }
    }

    /// A field that every event type knows by name.
    pub fn standard(field: StandardField) -> Self {
        Self::new(&FieldName::Standard(field), field.label())
    }

    /// The name inside a sentence: what a host declared stands there in the host's own words.
    pub fn in_sentence(&self) -> String {
        match self.key.parse() {
            Ok(FieldName::Additional(_)) => format!("“{}”", self.label),
            _ => self.label.to_lowercase(),
        }
    }

    /// A field that a host declared, by its key.
    pub fn additional(key: &str, label: impl Into<String>) -> Self {
        Self::new(&FieldName::Additional(key.to_owned()), label)
    }
}
