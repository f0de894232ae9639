//! The API for hosts: `hosts/{hostId}/…`.

mod events;
mod guests;
mod hosts;
mod members;
mod requirements;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::desk::FrontDoor;

/// The routes, each in the OpenAPI document by construction. Paths are relative to the API's root.
pub fn routes() -> OpenApiRouter<Arc<dyn FrontDoor>> {
    OpenApiRouter::new()
        .routes(routes!(hosts::find_host))
        .routes(routes!(
            requirements::find_requirements,
            requirements::update_requirements
        ))
        .routes(routes!(
            members::find_member_list,
            members::update_member_list
        ))
        .routes(routes!(events::create_host_event, events::list_host_events))
        .routes(routes!(events::call_off_event))
        .routes(routes!(guests::list_guests))
        .routes(routes!(guests::copy_guests))
}
