//! Operators: a bearer token of the operators' file, and nothing else.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use spots_host::{Problem, ServiceError};

use super::request::MaybeMe;
use crate::platform::Platform;
use crate::service::Operator;

/// The operator who asks; anyone else is refused, people who signed in and hosts too.
#[derive(Debug)]
pub struct MeOperator(pub Operator);

impl FromRequestParts<Platform> for MeOperator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, Problem> {
        if let Some(operator) = operator(parts, platform) {
            return Ok(Self(operator));
        }
        let MaybeMe(person) = MaybeMe::from_request_parts(parts, platform).await?;
        Err(match person {
            Some(_) => ServiceError::NotAnOperator.into(),
            None => ServiceError::NotSignedIn.into(),
        })
    }
}

/// The operator who asks, if one does.
#[derive(Debug)]
pub struct MaybeOperator(pub Option<Operator>);

impl FromRequestParts<Platform> for MaybeOperator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, Problem> {
        Ok(Self(operator(parts, platform)))
    }
}

fn operator(parts: &Parts, platform: &Platform) -> Option<Operator> {
    let authorization = parts.headers.get(header::AUTHORIZATION)?;
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    let operators = &platform.settings().operators;
    is_bearer.then(|| operators.find(token.trim()))?
}
