//! What the log says of a request: method, route, status, duration. No address, no query, no id of
//! a person: the route is the pattern, not the path.

use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use tower_http::classify::{ServerErrorsAsFailures, SharedClassifier};
use tower_http::trace::TraceLayer;
use tracing::Span;

use super::finish::RequestId;

type MakeSpan = fn(&Request) -> Span;
type OnResponse = fn(&Response, Duration, &Span);
type Layer =
    TraceLayer<SharedClassifier<ServerErrorsAsFailures>, MakeSpan, (), OnResponse, (), (), ()>;

pub(crate) fn layer() -> Layer {
    TraceLayer::new_for_http()
        .make_span_with(span as MakeSpan)
        .on_request(())
        .on_response(answered as OnResponse)
        .on_body_chunk(())
        .on_eos(())
        .on_failure(())
}

fn span(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("(none)", MatchedPath::as_str);
    let id = request.extensions().get::<RequestId>();
    let id = id.map_or("", RequestId::as_str);
    tracing::info_span!("request", method = %request.method(), route, id)
}

fn answered(response: &Response, took: Duration, _span: &Span) {
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    tracing::info!(status = response.status().as_u16(), took_us, "answered");
}
