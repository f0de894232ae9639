//! Example contexts: what tests render and what a designer looks at.

/// One example of a page's context.
#[derive(Debug, Clone)]
pub struct Sample<T> {
    /// What the example shows: `empty`, `typical`, `full`, `errors` …
    pub name: &'static str,
    /// The context itself.
    pub context: T,
}

impl<T> Sample<T> {
    /// Names an example.
    pub fn new(name: &'static str, context: T) -> Self {
        Self { name, context }
    }
}

/// A context that can show what it looks like.
pub trait Samples: Sized {
    /// The states a person can meet this page in, each with made-up data.
    fn samples() -> Vec<Sample<Self>>;
}
