//! Requests, read strictly: what cannot be understood is refused with a problem that names where.

use std::fmt;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Visitor};

use crate::error::ServiceError;
use crate::problem::{FieldError, Problem};

/// A body of JSON.
#[derive(Clone, Copy, Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::of_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let bytes =
            Bytes::from_request(request, state)
                .await
                .map_err(|rejection| match rejection {
                    BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                        Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE)
                    }
                    _ => Problem::of_status(StatusCode::BAD_REQUEST),
                })?;
        parse(&bytes).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(media)) = headers
        .get(header::CONTENT_TYPE)
        .map(|value| value.to_str())
    else {
        return false;
    };
    let media = media.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // serde takes a list for an object, by position; people who read the description do not.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(ServiceError::field(".", "not-an-object", "Send one JSON object.").into());
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        problem(&path, error.inner())
    })?;
    reader.end().map_err(|error| problem(".", &error))?;
    Ok(value)
}

fn problem(path: &str, error: &serde_json::Error) -> Problem {
    if !error.is_data() {
        let detail = format!(
            "The body is not JSON: see line {}, column {}.",
            error.line(),
            error.column()
        );
        return Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed-json",
            "Malformed JSON",
            detail,
        );
    }
    let text = error.to_string();
    // serde ends its messages with the place, which the path already tells.
    let text = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(text, _)| text);
    let (field, code) = place(path, text);
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(
        status,
        "invalid-fields",
        "Some fields need attention",
        "The body does not have the form that is expected here; see `errors`.",
    )
    .with_errors(vec![FieldError {
        field,
        code: code.to_owned(),
        message: text.to_owned(),
    }])
}

/// The field that serde's message is about, and a word for what is wrong.
fn place(path: &str, text: &str) -> (String, &'static str) {
    let quoted = || text.split('`').nth(1).unwrap_or_default();
    let inside = |name: &str| match path {
        "." | "" | "?" => name.to_owned(),
        path if path.ends_with(name) => path.to_owned(),
        path => format!("{path}.{name}"),
    };
    if text.starts_with("unknown field") {
        (inside(quoted()), "unknown-field")
    } else if text.starts_with("missing field") {
        (inside(quoted()), "required")
    } else if text.starts_with("duplicate field") {
        (inside(quoted()), "repeated")
    } else {
        (path.to_owned(), "invalid")
    }
}

/// The parameters of the query.
#[derive(Clone, Copy, Debug)]
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => {
                let code = "invalid-query";
                let text = rejection.body_text();
                let what = text.rsplit_once("query string: ");
                let what = what.map_or(text.as_str(), |(_, what)| what);
                let detail = format!("A parameter of the query does not fit: {what}.");
                Err(Problem::new(
                    StatusCode::BAD_REQUEST,
                    code,
                    "Bad query",
                    detail,
                ))
            }
        }
    }
}

/// The segments of the path. An id that has not the form of one names nothing: 404.
#[derive(Clone, Copy, Debug)]
pub struct Segments<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Segments<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(segments)) => Ok(Self(segments)),
            Err(_) => Err(Problem::of_status(StatusCode::NOT_FOUND)),
        }
    }
}

/// A value that is written as one word: an id, an event type.
#[derive(Clone, Copy, Debug)]
pub struct Word<T>(pub T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Text<T>(std::marker::PhantomData<T>);

        impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
                text.parse().map_err(E::custom)
            }
        }

        reader
            .deserialize_str(Text(std::marker::PhantomData))
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[expect(dead_code, reason = "only its form matters")]
        inner: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only its form matters")]
        count: u32,
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, status, field, code) in [
            (r#"{"agentId": 1}"#, 422, "agentId", "unknown-field"),
            (
                r#"{"inner": {"count": 1, "x": 2}}"#,
                422,
                "inner.x",
                "unknown-field",
            ),
            (r#"{"inner": {}}"#, 422, "inner.count", "required"),
            (
                r#"{"inner": {"count": "many"}}"#,
                422,
                "inner.count",
                "invalid",
            ),
            (
                r#"{"inner": {"count": 1, "count": 1}}"#,
                422,
                "inner.count",
                "repeated",
            ),
        ] {
            let problem = parse::<Outer>(text.as_bytes()).unwrap_err();
            let error = &problem.errors[0];
            assert_eq!(
                (problem.status, error.field.as_str(), error.code.as_str()),
                (status, field, code),
                "{text}"
            );
        }
        for text in ["", "{", "{} {}", "\u{0}"] {
            let problem = parse::<Outer>(text.as_bytes()).unwrap_err();
            assert_eq!(
                (problem.status, problem.code),
                (400, "malformed-json"),
                "{text}"
            );
        }
    }
}
