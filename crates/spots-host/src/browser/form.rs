//! Forms and queries, as they were sent.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;

use super::Trouble;
use crate::error::ServiceError;

/// A form as it was sent: all values of each name, in order.
#[derive(Debug, Default)]
pub struct Form(BTreeMap<String, Vec<String>>);

impl Form {
    /// The last value of a name; empty where there is none.
    pub fn get(&self, name: &str) -> &str {
        self.all(name).last().copied().unwrap_or_default()
    }

    /// The last value of a name, if it is more than blanks.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|text| !text.trim().is_empty())
    }

    /// All values of a name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0.get(name).into_iter().flatten();
        values.map(String::as_str).collect()
    }

    /// Whether the form has the name at all, as it has that of a ticked box.
    pub fn ticked(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Form {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        let mut values: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, value) in pairs {
            values.entry(name).or_default().push(value);
        }
        Self(values)
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Trouble;

    async fn from_request(request: Request, state: &S) -> Result<Self, Trouble> {
        match axum::Form::<Vec<(String, String)>>::from_request(request, state).await {
            Ok(axum::Form(pairs)) => Ok(pairs.into_iter().collect()),
            Err(_) => Err(unreadable("form")),
        }
    }
}

/// The query of an address.
#[derive(Debug, Default)]
pub struct Query(Form);

impl std::ops::Deref for Query {
    type Target = Form;

    fn deref(&self) -> &Form {
        &self.0
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Trouble> {
        let query = axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, state);
        match query.await {
            Ok(axum::extract::Query(pairs)) => Ok(Self(pairs.into_iter().collect())),
            Err(_) => Err(unreadable("address")),
        }
    }
}

fn unreadable(what: &'static str) -> Trouble {
    ServiceError::field(
        what,
        "malformed",
        "It cannot be read; go back and try again.",
    )
    .into()
}
