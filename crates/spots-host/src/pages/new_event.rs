//! `GET|POST /hosts/{hostId}/events/new`: a host adds an event.

use axum::http::StatusCode;
use axum::response::Response;
use spots_booking::{EventType, NewEvent, Refusal};

use super::schedule::{number, set_times, table_hours};
use super::visit::{Visit, trouble};
use crate::browser::{Form, Trouble, see_other, show, show_as};
use crate::error::ServiceError;
use crate::view::{FormErrors, HostTab, NewEventForm, NewEventPage, SetTimesForm, TableHoursForm};

/// The largest party that the empty form proposes.
const PARTY_PROPOSED: &str = "10";

pub(super) async fn begin(visit: Visit) -> Response {
    let form = Form::from_iter([
        ("partyMax".to_owned(), PARTY_PROPOSED.to_owned()),
        ("tables.everyMinutes".to_owned(), "30".to_owned()),
        ("tables.stayMinutes".to_owned(), "120".to_owned()),
        ("tables.daysAhead".to_owned(), "60".to_owned()),
    ]);
    show(&page(&visit, &form, FormErrors::none()))
}

pub(super) async fn add(visit: Visit, form: Form) -> Result<Response, Trouble> {
    let errors = match offer(&visit, &form) {
        Ok(offer) => match visit.desk.add_events(vec![(offer, None)]).await {
            Ok(_) => {
                let address = format!("{}/events?done=event-added", visit.address());
                return Ok(see_other(&address));
            }
            Err(error) => refused(error)?,
        },
        Err(errors) => errors,
    };
    let page = page(&visit, &form, errors);
    Ok(show_as(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

fn offer(visit: &Visit, form: &Form) -> Result<NewEvent, FormErrors> {
    let mut errors = FormErrors::none();
    let event_type: EventType = form.get("eventType").parse().unwrap_or_else(|_| {
        errors.add("eventType", "Choose the type of the event.");
        EventType::Reservation
    });
    let schedule = match form.get("schedule") {
        "tables" => table_hours(form, &mut errors),
        _ => set_times(form, visit.now(), &mut errors),
    };
    let capacity = form.given("capacity").map(|_| {
        let mend = "Enter a whole number of places, or leave it empty for no limit.";
        number(form, "capacity", mend, &mut errors)
    });
    let mend = "Enter how many places one booking may take, for example 8.";
    let party_max = number(form, "partyMax", mend, &mut errors);
    match schedule {
        Some(schedule) if errors.is_empty() => Ok(NewEvent {
            event_type,
            title: form.get("title").to_owned(),
            description: form.get("description").to_owned(),
            place: form.get("place").to_owned(),
            time_zone: form.get("timeZone").to_owned(),
            schedule,
            capacity,
            party_max,
        }
        .check()
        .map_err(of_refusal)?),
        _ => Err(errors),
    }
}

fn refused(error: ServiceError) -> Result<FormErrors, Trouble> {
    match error {
        ServiceError::Refused(refusal @ Refusal::Fields(_)) => Ok(of_refusal(refusal)),
        error => Err(trouble(error)),
    }
}

fn of_refusal(refusal: Refusal) -> FormErrors {
    let mut errors = FormErrors::none();
    match refusal {
        Refusal::Fields(problems) => {
            for problem in problems {
                let input = match problem.field.as_str() {
                    "occurrences" => "times".to_owned(),
                    _ => problem.field,
                };
                errors.add(input, problem.message);
            }
        }
        refusal => errors.add("", refusal.to_string()),
    }
    errors
}

fn page(visit: &Visit, form: &Form, errors: FormErrors) -> NewEventPage {
    let text = |name: &str| form.get(name).to_owned();
    let schedule = form.given("schedule").unwrap_or("occurrences");
    NewEventPage {
        page: visit.page("Add an event"),
        host: visit.head(HostTab::Events),
        form: NewEventForm {
            types: visit.type_choices(form.get("eventType")),
            title: text("title"),
            description: text("description"),
            place: text("place"),
            zones: visit.zone_choices(form.get("timeZone")),
            schedules: NewEventForm::schedules(schedule),
            times: SetTimesForm {
                first_date: text("firstDate"),
                last_date: text("lastDate"),
                weekdays: NewEventForm::weekdays(&form.all("weekdays")),
                times: text("times"),
                duration_minutes: text("durationMinutes"),
            },
            tables: TableHoursForm {
                weekdays: NewEventForm::weekdays(&form.all("tables.weekdays")),
                opens: text("tables.opens"),
                closes: text("tables.closes"),
                every_minutes: text("tables.everyMinutes"),
                stay_minutes: text("tables.stayMinutes"),
                days_ahead: text("tables.daysAhead"),
            },
            capacity: text("capacity"),
            party_max: text("partyMax"),
        },
        errors,
    }
}
