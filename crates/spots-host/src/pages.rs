//! The pages for those who act for hosts, rendered on the server.
//!
//! One file a page or flow, get and post together; every form works without scripts, is answered
//! with a redirect when it is done, and with the page and its errors when it is not.

mod event_list;
mod event_row;
mod guests;
mod home;
mod hosts;
mod import;
mod members;
mod new_event;
mod requirements;
mod schedule;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::desk::FrontDoor;

/// The routes of all pages for hosts.
pub fn routes() -> Router<Arc<dyn FrontDoor>> {
    Router::new()
        .route("/host", get(hosts::list).post(hosts::add))
        .route("/hosts/{hostId}", get(home::show_host))
        .route(
            "/hosts/{hostId}/requirements/{eventType}",
            get(requirements::edit).post(requirements::save),
        )
        .route(
            "/hosts/{hostId}/members",
            get(members::show_list)
                .post(members::save)
                .layer(DefaultBodyLimit::max(members::BODY_BYTES_MAX)),
        )
        .route("/hosts/{hostId}/events", get(event_list::list))
        .route(
            "/hosts/{hostId}/events/new",
            get(new_event::begin).post(new_event::add),
        )
        .route("/hosts/{hostId}/events/{eventId}/guests", get(guests::list))
        .route(
            "/hosts/{hostId}/events/{eventId}/call-off",
            post(guests::call_off),
        )
        .route(
            "/hosts/{hostId}/import",
            get(import::begin)
                .post(import::import)
                .layer(DefaultBodyLimit::max(import::BODY_BYTES_MAX)),
        )
}
