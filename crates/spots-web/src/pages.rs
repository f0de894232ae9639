//! The pages that people read, rendered on the server.
//!
//! One file a page or flow, get and post together; every form works without scripts, is answered
//! with a redirect when it is done, and with the page and its errors when it is not.

mod account;
pub mod assets;
mod book;
mod bookings;
mod email;
mod event;
mod events;
mod preferences;
mod prose;
mod receipt;
mod request;
mod sharing;
pub mod view;
mod words;

use axum::Router;
use axum::routing::{get, post};

use crate::platform::Platform;

/// The routes of all pages for visitors and attendees.
pub(crate) fn routes() -> Router<Platform> {
    Router::new()
        .route("/", get(events::list))
        .route("/events/{eventId}", get(event::show_event))
        .route("/events/{eventId}/book", get(book::begin).post(book::book))
        .route("/events/{eventId}/book/preview", post(book::preview))
        .route("/bookings/{bookingId}", get(bookings::show_booking))
        .route("/bookings/{bookingId}/cancel", post(bookings::cancel))
        .route("/me/bookings", get(bookings::list))
        .route("/me/sharing", get(sharing::list))
        .route("/me/sharing/revoke", post(sharing::revoke))
        .route("/me/shares/{shareId}", get(receipt::show_receipt))
        .route(
            "/me/shares/{shareId}/receipt",
            get(crate::api::ledger::find_receipt),
        )
        .route(
            "/me/preferences",
            get(preferences::list).post(preferences::save),
        )
        .route(
            "/me/profile",
            get(account::profile).post(account::post_profile),
        )
        .route(
            "/me/delete",
            get(account::delete).post(account::post_delete),
        )
        .route("/me/email", get(email::look).post(email::confirm))
        .route("/me/agent", post(account::post_agent))
        .route("/me/export", get(crate::api::export::find_export))
        .route(
            "/sign-in",
            get(account::sign_in).post(account::post_sign_in),
        )
        .route(
            "/sign-up",
            get(account::sign_up).post(account::post_sign_up),
        )
        .route("/sign-out", post(account::post_sign_out))
        .route("/privacy", get(prose::privacy))
        .route("/docs/api", get(prose::api))
        .route("/assets/{name}", get(prose::asset))
}
