//! All routes, and what surrounds every one of them.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router, middleware};
use spots_host::{FrontDoor, Problem};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::api;
use crate::front_door::Door;
use crate::http::{finish, guard, metrics, trace};
use crate::pages;
use crate::platform::Platform;
use crate::service::stored;

/// The most bytes of one request's body.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Routes for programs that are not part of the API's description.
pub const PLAIN_ROUTES: [&str; 4] = ["/openapi.json", "/healthz", "/readyz", METRICS];
/// What an operator's monitoring reads.
const METRICS: &str = "/metrics";
/// Where the API's paths begin.
const API_ROOT: &str = "/api/v1";

/// The whole service: API, document, health, and the layers around them.
pub fn router(platform: Platform) -> Router {
    let door: Arc<dyn FrontDoor> = Arc::new(Door::new(platform.clone()));
    let (people, hosts) = api_routers();
    let document = Json(document(&people, &hosts));
    let [description, alive, readiness, measured] = PLAIN_ROUTES;
    let timeout = platform.settings().request_timeout;
    Router::new()
        .route(description, get(async move || document.clone()))
        .route(alive, get(async || "alive\n"))
        .route(readiness, get(ready))
        .route(measured, get(metrics::show_at_home))
        .merge(pages::routes())
        .merge(Router::from(people))
        .with_state(platform.clone())
        .merge(Router::from(hosts).with_state(Arc::clone(&door)))
        .merge(spots_host::pages::routes().with_state(door))
        .fallback(async || Problem::of_status(StatusCode::NOT_FOUND))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn(guard::refuse_cross_origin))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            timeout,
        ))
        .layer(CatchPanicLayer::custom(finish::panicked))
        .layer(trace::layer())
        .layer(middleware::from_fn_with_state(
            platform.clone(),
            metrics::measure,
        ))
        .layer(middleware::from_fn_with_state(platform, finish::finish))
        .layer(CompressionLayer::new())
}

/// The metrics alone, for an address of their own.
pub fn metrics_router(platform: Platform) -> Router {
    Router::new()
        .route(METRICS, get(metrics::show))
        .with_state(platform)
        .fallback(async || Problem::of_status(StatusCode::NOT_FOUND))
}

/// The API's description, generated from the routes themselves.
pub fn openapi() -> OpenApi {
    let (people, hosts) = api_routers();
    document(&people, &hosts)
}

fn api_routers() -> (OpenApiRouter<Platform>, OpenApiRouter<Arc<dyn FrontDoor>>) {
    (
        OpenApiRouter::with_openapi(api::base_document()).nest(API_ROOT, api::routes()),
        OpenApiRouter::new().nest(API_ROOT, spots_host::api::routes()),
    )
}

fn document(
    people: &OpenApiRouter<Platform>,
    hosts: &OpenApiRouter<Arc<dyn FrontDoor>>,
) -> OpenApi {
    let mut document = people.get_openapi().clone();
    document.merge(hosts.get_openapi().clone());
    api::add_problems(&mut document);
    document
}

/// Whether the database answers.
async fn ready(State(platform): State<Platform>) -> Result<&'static str, Problem> {
    match platform.store().ping().await {
        Ok(()) => Ok("ready\n"),
        Err(error) => {
            // Logs the cause; the answer tells a balancer to look elsewhere.
            let _logged = Problem::from(stored(error));
            let detail = "The database does not answer.";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Err(Problem::new(status, "not-ready", "Not ready", detail))
        }
    }
}
