//! What forms share: their errors and their choices.

/// Everything that is wrong with a form, in the order of its fields.
///
/// Shown twice: in a summary on top that links to the fields, and beside each field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormErrors(Vec<FormError>);

/// One thing that is wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormError {
    /// The `id` of the input to mend, which is its `name`; empty for the form as a whole.
    pub target: String,
    /// How to mend it, as a sentence.
    pub message: String,
}

impl FormErrors {
    /// A form without errors.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds an error to an input, named by its `name`.
    pub fn add(&mut self, target: impl Into<String>, message: impl Into<String>) {
        self.0.push(FormError {
            target: target.into(),
            message: message.into(),
        });
    }

    /// Adds an error and hands the list on, to build one in an expression.
    #[must_use]
    pub fn with(mut self, target: impl Into<String>, message: impl Into<String>) -> Self {
        self.add(target, message);
        self
    }

    /// The first message for an input.
    pub fn on(&self, target: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|error| error.target == target)
            .map(|error| error.message.as_str())
    }

    /// Whether the form may be accepted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, FormError> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a FormErrors {
    type Item = &'a FormError;
    type IntoIter = std::slice::Iter<'a, FormError>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// One entry of a list to choose from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the form sends.
    pub value: String,
    /// What the reader sees.
    pub label: String,
    /// Whether it is chosen now.
    pub chosen: bool,
}

impl Choice {
    /// A list of choices from (value, label) pairs, one of them chosen.
    pub fn list<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        chosen: &str,
    ) -> Vec<Self> {
        pairs
            .into_iter()
            .map(|(value, label)| Self {
                value: value.to_owned(),
                label: label.to_owned(),
                chosen: value == chosen,
            })
            .collect()
    }
}
