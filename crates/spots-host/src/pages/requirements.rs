//! `GET|POST /hosts/{hostId}/requirements/{eventType}`: what a host asks of its guests.

mod typed;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use spots_booking::requirement::{ADDITIONAL_MAX, RETENTION_DAYS_MAX};
use spots_booking::{EventType, Refusal};

use self::typed::Typed;
use super::visit::{Visit, trouble};
use crate::browser::{Form, Trouble, see_other, sentence, show, show_as};
use crate::desk::FrontDoor;
use crate::error::ServiceError;
use crate::view::{FormErrors, HostTab, RequirementsPage};

pub(super) async fn edit(
    State(door): State<Arc<dyn FrontDoor>>,
    visit: Visit,
    Path((_, event_type)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let event_type = known(&event_type)?;
    let host = visit.desk.host().id;
    let asked = door.asked(host, event_type).await.map_err(trouble)?;
    let typed = Typed::from_rules(event_type, asked.requirements.rules());
    Ok(show(&page(&visit, event_type, typed, FormErrors::none())))
}

pub(super) async fn save(
    visit: Visit,
    Path((_, event_type)): Path<(String, String)>,
    form: Form,
) -> Result<Response, Trouble> {
    let event_type = known(&event_type)?;
    let mut typed = Typed::from_form(event_type, &form);
    if form.get("action") == "add" {
        typed.add_row();
        return Ok(show(&page(&visit, event_type, typed, FormErrors::none())));
    }
    let errors = match typed.rules() {
        Ok(rules) => match visit.desk.ask(event_type, rules).await {
            Ok(_) => {
                let address = format!("{}/requirements/{event_type}", visit.address());
                return Ok(see_other(&format!("{address}?done=saved")));
            }
            Err(error) => refused(&typed, error)?,
        },
        Err(errors) => errors,
    };
    let page = page(&visit, event_type, typed, errors);
    Ok(show_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

fn known(event_type: &str) -> Result<EventType, Trouble> {
    let unknown = trouble(ServiceError::not_found("event type"));
    event_type.parse().or(Err(unknown))
}

/// The errors of the form, if that is what the refusal is about.
fn refused(typed: &Typed, error: ServiceError) -> Result<FormErrors, Trouble> {
    let mut errors = FormErrors::none();
    match &error {
        ServiceError::Refused(Refusal::Fields(problems)) => {
            for problem in problems {
                errors.add(
                    typed.input(&problem.field, problem.code),
                    problem.message.clone(),
                );
            }
        }
        ServiceError::Refused(Refusal::Limit { .. }) => errors.add("", sentence(&error)),
        _ => return Err(trouble(error)),
    }
    Ok(errors)
}

fn page(
    visit: &Visit,
    event_type: EventType,
    typed: Typed,
    errors: FormErrors,
) -> RequirementsPage {
    RequirementsPage {
        page: visit.page(format!("What {} asks", visit.desk.host().name)),
        host: visit.head(HostTab::Requirements),
        event_type,
        types: visit.types(),
        fields: typed.fields,
        can_add: typed.additional.len() < ADDITIONAL_MAX,
        additional: typed.additional,
        in_force_since: None,
        retention_days_max: u32::from(RETENTION_DAYS_MAX),
        errors,
    }
}
