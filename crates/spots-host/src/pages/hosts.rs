//! `GET|POST /host`: the hosts that someone acts for, and another one.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use spots_booking::HostKind;

use super::visit::trouble;
use crate::browser::{Form, Reading, of_form, see_other, show, show_as, sign_in_first};
use crate::desk::{FrontDoor, HostCard};
use crate::error::ServiceError;
use crate::view::{FormErrors, HostRow, HostsPage, NewHostForm, Page, Reader, Section};

/// Where these pages are.
const ADDRESS: &str = "/host";

pub(super) async fn list(State(door): State<Arc<dyn FrontDoor>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match door.own_hosts(&parts.headers).await {
        Ok(hosts) => {
            let form = NewHostForm::new("", "");
            let mut page = page(hosts, form, FormErrors::none());
            page.page.flash = Reading::of(&parts).flash;
            show(&page)
        }
        Err(error) => turned_away(error),
    }
}

pub(super) async fn add(
    State(door): State<Arc<dyn FrontDoor>>,
    headers: HeaderMap,
    form: Form,
) -> Response {
    match add_host(door.as_ref(), &headers, &form).await {
        Ok(host) => see_other(&format!("/hosts/{}?done=host-added", host.id)),
        Err(error) => {
            let Some(errors) = of_form(&error, str::to_owned) else {
                return turned_away(error);
            };
            match door.own_hosts(&headers).await {
                Ok(hosts) => {
                    let form = NewHostForm::new(form.get("name"), form.get("kind"));
                    let page = page(hosts, form, errors);
                    show_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
                }
                Err(error) => turned_away(error),
            }
        }
    }
}

async fn add_host(
    door: &dyn FrontDoor,
    headers: &HeaderMap,
    form: &Form,
) -> Result<HostCard, ServiceError> {
    let kind: HostKind = form.get("kind").parse().or(Err(ServiceError::field(
        "kind",
        "required",
        "Choose what you host as.",
    )))?;
    door.add_host(headers, form.get("name").to_owned(), kind)
        .await
}

fn turned_away(error: ServiceError) -> Response {
    match error {
        ServiceError::NotSignedIn => sign_in_first(ADDRESS),
        error => trouble(error).into_response(),
    }
}

fn page(hosts: Vec<HostCard>, form: NewHostForm, errors: FormErrors) -> HostsPage {
    let row = |host: HostCard| HostRow {
        id: host.id.to_string(),
        name: host.name,
        kind: host.kind,
    };
    HostsPage {
        page: Page::new("Hosting", Reader::Person, Section::Hosting),
        hosts: hosts.into_iter().map(row).collect(),
        form,
        errors,
    }
}
