//! `GET|POST /me/preferences`: what a person shares by default.

use std::collections::BTreeMap;

use axum::response::Response;
use spots_booking::field::allowed;
use spots_booking::{EventType, FieldName, HostId, StandardField};
use spots_host::ServiceError;
use spots_host::browser::{Form, Trouble, see_other, show};
use spots_host::view::{Field, Section};
use spots_store::PageRequest;
use spots_store::model::Host;

use super::request::SignedIn;
use super::view::{DefaultTick, HostDefaults, PreferencesPage, TypeDefaults};
use crate::service::{self, Scope};

pub(super) async fn list(signed_in: SignedIn) -> Result<Response, Trouble> {
    let (ctx, person) = (signed_in.ctx(), signed_in.person());
    let mut types = Vec::new();
    for event_type in EventType::ALL {
        let scope = Scope::EventType(*event_type);
        let shared = service::sharing_default(ctx, person, scope)
            .await?
            .unwrap_or_default();
        types.push(TypeDefaults {
            event_type: *event_type,
            ticks: ticks(allowed(*event_type), &shared),
        });
    }
    let mut hosts = Vec::new();
    for host in booked_hosts(&signed_in).await? {
        let own = service::sharing_default(ctx, person, Scope::Host(host.id)).await?;
        hosts.push(HostDefaults {
            host_id: host.id.to_string(),
            host_name: host.name,
            kind: host.kind,
            overrides: own.is_some(),
            ticks: ticks(StandardField::ALL, &own.unwrap_or_default()),
        });
    }
    Ok(show(&PreferencesPage {
        page: signed_in.page("Your preferences", Section::Account),
        types,
        hosts,
    }))
}

fn ticks(fields: &[StandardField], shared: &[FieldName]) -> Vec<DefaultTick> {
    fields
        .iter()
        .map(|field| DefaultTick {
            field: Field::standard(*field),
            shared: shared.contains(&FieldName::Standard(*field)),
        })
        .collect()
}

/// The hosts of a person's latest bookings, by name.
async fn booked_hosts(signed_in: &SignedIn) -> Result<Vec<Host>, ServiceError> {
    let (ctx, person) = (signed_in.ctx(), signed_in.person());
    let found = service::bookings(ctx, person, PageRequest::FIRST).await?;
    let hosts: BTreeMap<HostId, Host> = found
        .items
        .into_iter()
        .map(|details| (details.record.host.id, details.record.host))
        .collect();
    let mut hosts: Vec<_> = hosts.into_values().collect();
    hosts.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    Ok(hosts)
}

pub(super) async fn save(signed_in: SignedIn, form: Form) -> Result<Response, Trouble> {
    let (ctx, person) = (signed_in.ctx(), signed_in.person());
    let trouble = |error| signed_in.visitor.trouble(error);
    if form.get("scope") == "host" {
        let host = form.get("hostId").parse();
        let host = host.or(Err(trouble(ServiceError::not_found("host"))))?;
        let fields = (form.get("action") != "clear").then(|| ticked(&form, "share."));
        service::update_sharing_default(ctx, person, Scope::Host(host), fields)
            .await
            .map_err(trouble)?;
    } else {
        for event_type in EventType::ALL {
            let fields = ticked(&form, &format!("share.{event_type}."));
            let scope = Scope::EventType(*event_type);
            service::update_sharing_default(ctx, person, scope, Some(fields))
                .await
                .map_err(trouble)?;
        }
    }
    Ok(see_other("/me/preferences?done=saved"))
}

/// The standard fields whose boxes under this prefix are ticked.
fn ticked(form: &Form, prefix: &str) -> Vec<FieldName> {
    form.names()
        .filter_map(|name| StandardField::parse(name.strip_prefix(prefix)?))
        .map(FieldName::Standard)
        .collect()
}
