//! Pages that say what went wrong, and what to do next.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use spots_booking::Refusal;

use super::answer::{see_other, show_as};
use crate::error::ServiceError;
use crate::problem::Problem;
use crate::view::{FormErrors, ProblemPage, Reader};

/// An operation that was not done, on its way to a page.
#[derive(Debug)]
pub struct Trouble {
    /// Why.
    pub error: ServiceError,
    /// Who reads the page.
    pub reader: Reader,
}

impl Trouble {
    /// A request that could not even be begun; its cause is logged where it arose.
    pub fn from_problem(problem: Problem) -> Self {
        ServiceError::failed("begin a request", problem.detail).into()
    }
}

impl From<ServiceError> for Trouble {
    fn from(error: ServiceError) -> Self {
        Self {
            error,
            reader: Reader::Visitor,
        }
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        if matches!(self.error, ServiceError::NotSignedIn) {
            return see_other("/sign-in");
        }
        let status = status(&self.error);
        match &self.error {
            ServiceError::Failed { doing, cause } => tracing::error!(%cause, "failed to {doing}"),
            ServiceError::Altered { place, cause } => {
                tracing::error!(place, %cause, "does not open");
            }
            _ => {}
        }
        let mut page = ProblemPage::for_status(status.as_u16(), self.reader);
        if !matches!(self.error, ServiceError::Failed { .. }) {
            page.text = sentence(&self.error);
        }
        show_as(status, &page)
    }
}

/// The status under which an error is shown.
pub fn status(error: &ServiceError) -> StatusCode {
    match error {
        ServiceError::NotSignedIn | ServiceError::WrongCredentials => StatusCode::UNAUTHORIZED,
        ServiceError::NotAMember | ServiceError::NotAnOperator => StatusCode::FORBIDDEN,
        ServiceError::NoMail => StatusCode::NOT_IMPLEMENTED,
        ServiceError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        ServiceError::Altered { .. } | ServiceError::Failed { .. } => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        ServiceError::Refused(refusal) => match refusal {
            Refusal::NotFound(_) | Refusal::NoSuchSlot => StatusCode::NOT_FOUND,
            Refusal::Past | Refusal::CalledOff => StatusCode::GONE,
            Refusal::Fields(_) | Refusal::Required { .. } | Refusal::Party { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Refusal::Full { .. }
            | Refusal::RequirementsChanged
            | Refusal::NotCancellable
            | Refusal::KeyReused
            | Refusal::Taken(_)
            | Refusal::Limit { .. } => StatusCode::CONFLICT,
        },
    }
}

/// An error as a sentence.
pub fn sentence(error: &ServiceError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => text,
    }
}

/// The errors of a form, if that is what an error is about. `input` names the input of a field.
pub fn of_form(error: &ServiceError, input: impl Fn(&str) -> String) -> Option<FormErrors> {
    let mut errors = FormErrors::none();
    match error {
        ServiceError::Refused(Refusal::Fields(problems)) => {
            for problem in problems {
                errors.add(input(&problem.field), problem.message.clone());
            }
        }
        ServiceError::Refused(Refusal::Taken(_) | Refusal::Limit { .. })
        | ServiceError::WrongCredentials
        | ServiceError::NoMail
        | ServiceError::Busy => errors.add("", sentence(error)),
        _ => return None,
    }
    Some(errors)
}
