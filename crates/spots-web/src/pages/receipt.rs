//! `GET /me/shares/{shareId}`: the receipt that is downloaded beside it, in words.

use axum::extract::Path;
use axum::response::Response;
use jiff::Timestamp;
use spots_booking::{FieldName, HostKind, ShareId};
use spots_host::ServiceError;
use spots_host::browser::{Trouble, show};
use spots_host::view::Section;
use spots_privacy::ledger::Checkpoint;
use spots_privacy::ledger::receipt::{Event, Processing, Proof};

use super::bookings::field;
use super::request::SignedIn;
use super::view::{ReceiptEvent, ReceiptField, ReceiptPage};
use crate::service::{self, Issued};

pub(super) async fn show_receipt(
    signed_in: SignedIn,
    Path(id): Path<String>,
) -> Result<Response, Trouble> {
    let trouble = |error| signed_in.visitor.trouble(error);
    let missing = || trouble(ServiceError::not_found("share"));
    let share: ShareId = id.parse().or(Err(missing()))?;
    let issued = service::receipt(signed_in.ctx(), signed_in.person(), share).await;
    let issued = issued.map_err(trouble)?;
    let receipt = &issued.receipt;
    let host = receipt.party_identification.first().ok_or_else(missing)?;
    let fields = receipt.pii_processing.iter();
    let fields = fields.filter_map(|processing| of_field(&signed_in, &issued, processing));
    let key = signed_in.ctx().platform().ledger_key().public();
    let checkpoint = receipt.ledger.checkpoint.as_deref();
    let checkpoint = checkpoint.and_then(|note| Checkpoint::open(note, key).ok());
    Ok(show(&ReceiptPage {
        page: signed_in.page("Your receipt", Section::Sharing),
        share_id: share.to_string(),
        handle: receipt.pii_principal_id.clone(),
        host_name: host.party_name.clone(),
        host_kind: host
            .party_type
            .parse()
            .map_or(String::new(), |kind: HostKind| kind.label().to_owned()),
        event_title: receipt
            .pii_processing
            .first()
            .map_or(String::new(), |processing| processing.service.clone()),
        fields: fields.collect(),
        ledger_size: checkpoint.map(|checkpoint| checkpoint.size),
        included_by: signed_in.moment(at(&receipt.ledger.included_by)),
        key: receipt.ledger.key.clone(),
    }))
}

fn of_field(
    signed_in: &SignedIn,
    Issued { receipt, asked }: &Issued,
    processing: &Processing,
) -> Option<ReceiptField> {
    let information = processing.pii_information.first()?;
    let name: FieldName = information.pii_type.parse().ok()?;
    let rule = asked.rules().iter().find(|rule| rule.field == name);
    let happened = receipt.events.iter().zip(&receipt.ledger.entries);
    let happened: Vec<_> = happened
        .filter(|(_, proof)| proof.field == information.pii_type)
        .collect();
    let until = happened
        .iter()
        .find_map(|(event, _)| event.valid_until.as_deref());
    let days = &processing.retention_period;
    Some(ReceiptField {
        field: field(&name, rule.map(|rule| rule.label.as_str())),
        optional: information.pii_optional,
        purpose: processing.purpose.clone(),
        retention_days: days.trim_matches(['P', 'D']).to_owned(),
        until: until.map(|until| signed_in.moment(at(until))),
        events: happened
            .iter()
            .map(|(event, proof)| of_event(signed_in, event, proof))
            .collect(),
    })
}

fn of_event(signed_in: &SignedIn, event: &Event, proof: &Proof) -> ReceiptEvent {
    let (what, ends) = match proof.kind.as_str() {
        "granted" => ("You agreed", false),
        "revoked" => ("You took it back", true),
        "cancelled" => ("The booking was cancelled", true),
        "removed" => ("The account was deleted", true),
        "expired" => ("Its time was over", true),
        "replayed" => ("Ended again after a restore", true),
        _ => ("Ended", true),
    };
    ReceiptEvent {
        what,
        ends,
        at: signed_in.moment(at(&event.event_time)),
        position: proof.inclusion.as_ref().map(|it| it.leaf_index),
    }
}

/// A moment that this server wrote.
fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_default()
}
