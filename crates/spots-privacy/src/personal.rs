//! Personal data that cannot be printed by accident.

use std::fmt;

use zeroize::Zeroizing;

/// Text about a person: no `Display`, a `Debug` without content, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal(Zeroizing<String>);

impl Personal {
    /// Takes the text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. Call it only where it is sealed, checked, or handed to someone with a
    /// right to it.
    pub fn disclose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(…)")
    }
}
