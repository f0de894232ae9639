//! The API under `/api/v1`: one file a resource. The part for hosts is in [`spots_host::api`].

mod accounts;
mod bookings;
mod defaults;
mod document;
mod email_confirmation;
mod events;
pub(crate) mod export;
mod hosts;
mod journal;
pub(crate) mod ledger;
mod profile;
mod sessions;
mod shares;
mod time;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::platform::Platform;

pub(crate) use document::{add_problems, base_document};

/// The routes, each in the OpenAPI document by construction. Paths are relative to the API's root.
pub(crate) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new()
        .routes(routes!(accounts::create_account))
        .routes(routes!(sessions::create_session))
        .routes(routes!(sessions::delete_current_session))
        .routes(routes!(accounts::delete_account))
        .routes(routes!(accounts::rotate_agent))
        .routes(routes!(profile::find_profile, profile::update_profile))
        .routes(routes!(
            email_confirmation::find_email_confirmation,
            email_confirmation::begin_email_confirmation,
            email_confirmation::confirm_email
        ))
        .routes(routes!(
            defaults::find_sharing_defaults,
            defaults::update_sharing_defaults
        ))
        .routes(routes!(
            defaults::find_sharing_defaults_at_host,
            defaults::update_sharing_defaults_at_host
        ))
        .routes(routes!(bookings::list_bookings))
        .routes(routes!(bookings::find_booking, bookings::cancel_booking))
        .routes(routes!(shares::list_shares, shares::revoke_shares))
        .routes(routes!(shares::revoke_share))
        .routes(routes!(shares::list_openings))
        .routes(routes!(ledger::find_receipt))
        .routes(routes!(ledger::find_checkpoint))
        .routes(routes!(ledger::find_inclusion))
        .routes(routes!(ledger::find_consistency))
        .routes(routes!(ledger::find_erasure))
        .routes(routes!(hosts::list_own_hosts))
        .routes(routes!(export::find_export))
        .routes(routes!(hosts::create_host))
        .routes(routes!(events::list_events))
        .routes(routes!(events::find_event))
        .routes(routes!(bookings::create_booking))
        .routes(routes!(time::find_time))
        .routes(routes!(time::sync_time))
        .routes(routes!(time::list_time_keys))
        .routes(routes!(journal::append_journal, journal::list_journal))
}
