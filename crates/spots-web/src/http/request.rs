//! Who asks, and when: what handlers take.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use spots_host::{Problem, ServiceError};

use super::session::session_token;
use crate::platform::Platform;
use crate::service::{self, Ctx, Person};

/// One timestamp a request, however many parts of it ask.
impl FromRequestParts<Platform> for Ctx {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, Problem> {
        if let Some(ctx) = parts.extensions.get::<Self>() {
            return Ok(ctx.clone());
        }
        let ctx = Self::begin(platform)?;
        parts.extensions.insert(ctx.clone());
        Ok(ctx)
    }
}

/// The person who signed in; anyone else is refused.
#[derive(Debug)]
pub struct Me(pub Person);

impl FromRequestParts<Platform> for Me {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, Problem> {
        let ctx = Ctx::from_request_parts(parts, platform).await?;
        let token =
            session_token(&parts.headers, platform.settings()).ok_or(ServiceError::NotSignedIn)?;
        Ok(Self(service::person(&ctx, token).await?))
    }
}

/// The person who signed in, if someone did.
#[derive(Debug)]
pub struct MaybeMe(pub Option<Person>);

impl FromRequestParts<Platform> for MaybeMe {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, platform: &Platform) -> Result<Self, Problem> {
        let ctx = Ctx::from_request_parts(parts, platform).await?;
        let Some(token) = session_token(&parts.headers, platform.settings()) else {
            return Ok(Self(None));
        };
        match service::person(&ctx, token).await {
            Ok(person) => Ok(Self(Some(person))),
            Err(ServiceError::NotSignedIn) => Ok(Self(None)),
            Err(error) => Err(error.into()),
        }
    }
}
