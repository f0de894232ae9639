//! Answers that are not what was hoped for, as RFC 9457 problem documents.

use std::error::Error;
use std::fmt::Write as _;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use spots_booking::{FieldProblem, Refusal};
use utoipa::ToSchema;

use crate::error::ServiceError;

/// The media type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was not done (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Names the kind of problem; the same for every problem of one code.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "urn:spots:problem:event-full")]
    pub kind: Box<str>,
    /// The kind of problem in a few words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time, and what to do.
    pub detail: String,
    /// A stable word for scripts.
    #[schema(example = "event-full")]
    pub code: &'static str,
    /// Which fields need attention.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// Names this occurrence; an operator finds it in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub instance: Option<Box<str>>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The field's name in the request.
    pub field: String,
    /// A stable word for scripts.
    pub code: String,
    /// How to mend it.
    pub message: String,
}

impl From<FieldProblem> for FieldError {
    fn from(problem: FieldProblem) -> Self {
        Self {
            field: problem.field,
            code: problem.code.to_owned(),
            message: problem.message,
        }
    }
}

impl Problem {
    /// A problem without fields.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind: format!("urn:spots:problem:{code}").into(),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code,
            errors: Vec::new(),
            instance: None,
        }
    }

    /// The same problem with what is wrong with fields.
    #[must_use]
    pub fn with_errors(self, errors: Vec<FieldError>) -> Self {
        Self { errors, ..self }
    }

    /// What the status alone says.
    pub fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => ("not-found", "There is nothing at this address."),
            StatusCode::METHOD_NOT_ALLOWED => (
                "method-not-allowed",
                "This address does not take this method.",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => (
                "body-too-large",
                "Send less at once; the limit is in the API's description.",
            ),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ("unsupported-media-type", "Send JSON as application/json.")
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => {
                ("timeout", "This took too long and was given up; try again.")
            }
            status if status.is_server_error() => (
                "internal-error",
                "Something broke on our side. Nothing was stored; try again later.",
            ),
            _ => ("bad-request", "This request cannot be understood."),
        };
        let title = status.canonical_reason().unwrap_or("Problem");
        Self::new(status, code, title, detail)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, title) = class(&refusal);
        let problem = Self::new(
            status,
            refusal.code(),
            title,
            sentence(&refusal.to_string()),
        );
        match refusal {
            Refusal::Fields(problems) => {
                problem.with_errors(problems.into_iter().map(FieldError::from).collect())
            }
            Refusal::Required { field, purpose } => problem.with_errors(vec![FieldError {
                field: field.to_string(),
                code: "required".to_owned(),
                message: format!("The host requires this. Why: {purpose}"),
            }]),
            Refusal::Party { most } => problem.with_errors(vec![FieldError {
                field: "partySize".to_owned(),
                code: "party-size".to_owned(),
                message: format!("Give 1 to {most} people."),
            }]),
            _ => problem,
        }
    }
}

fn class(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::Fields(_) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Some fields need attention",
        ),
        Refusal::Required { .. } => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "A required field is missing",
        ),
        Refusal::Full { .. } => (StatusCode::CONFLICT, "Full"),
        Refusal::NoSuchSlot => (StatusCode::UNPROCESSABLE_ENTITY, "No such time"),
        Refusal::Past => (StatusCode::GONE, "Over"),
        Refusal::Party { .. } => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "Too many or too few people",
        ),
        Refusal::RequirementsChanged => (StatusCode::CONFLICT, "The host's questions changed"),
        Refusal::CalledOff => (StatusCode::GONE, "Called off"),
        Refusal::NotFound(_) => (StatusCode::NOT_FOUND, "Not found"),
        Refusal::NotCancellable => (StatusCode::CONFLICT, "Too late to cancel"),
        Refusal::KeyReused => (StatusCode::CONFLICT, "Idempotency key reused"),
        Refusal::Taken(_) => (StatusCode::CONFLICT, "Taken"),
        Refusal::Limit { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "Limit reached"),
    }
}

/// A refusal's words as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    sentence.push_str(letters.as_str());
    if !sentence.ends_with('.') {
        sentence.push('.');
    }
    sentence
}

/// A failure is logged here, once, with its causes; its problem says nothing inside.
impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        let detail = sentence(&error.to_string());
        let (status, code, title) = match error {
            ServiceError::Refused(refusal) => return refusal.into(),
            ServiceError::NotSignedIn => {
                (StatusCode::UNAUTHORIZED, "not-signed-in", "Not signed in")
            }
            ServiceError::WrongCredentials => (
                StatusCode::UNAUTHORIZED,
                "wrong-credentials",
                "Wrong e-mail or password",
            ),
            ServiceError::NotAMember => (StatusCode::FORBIDDEN, "not-a-member", "Not yours"),
            ServiceError::NotAnOperator => (
                StatusCode::FORBIDDEN,
                "not-an-operator",
                "Only for operators",
            ),
            ServiceError::NoMail => (StatusCode::NOT_IMPLEMENTED, "no-mail", "No mail here"),
            ServiceError::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "Busy"),
            ServiceError::Altered { place, cause } => {
                tracing::error!(place, causes = causes(cause.as_ref()), "does not open");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                (status, "altered", "Stored data was altered")
            }
            ServiceError::Failed { doing, cause } => {
                tracing::error!(causes = causes(cause.as_ref()), "failed to {doing}");
                return Self::of_status(StatusCode::INTERNAL_SERVER_ERROR);
            }
        };
        Self::new(status, code, title, detail)
    }
}

fn causes(cause: &(dyn Error + 'static)) -> String {
    let mut text = cause.to_string();
    let mut next = cause.source();
    while let Some(cause) = next {
        write!(text, ": {cause}").expect("a string takes all text");
        next = cause.source();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer realm=\"spots\"");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        // Pages show the same problem to people, as HTML.
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_code_and_names_the_field() {
        let problem = Problem::from(Refusal::Required {
            field: "name".parse().unwrap(),
            purpose: "To find your table.".to_owned(),
        });
        assert_eq!(
            (problem.status, problem.code),
            (422, "required-field-withheld")
        );
        assert_eq!(problem.errors[0].field, "name");
        assert!(problem.errors[0].message.contains("To find your table."));
    }

    #[test]
    fn a_failure_says_nothing_inside() {
        let failed = ServiceError::failed("open the vault", "disk on fire");
        let text = serde_json::to_string(&Problem::from(failed)).unwrap();
        assert!(!text.contains("vault") && !text.contains("fire"), "{text}");
    }
}
