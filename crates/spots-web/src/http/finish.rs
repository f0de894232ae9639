//! What every answer carries: a request id, security headers, and a problem document where
//! something inside answered with a bare status.

use std::any::Any;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use spots_host::Problem;
use spots_host::browser::show_as;
use spots_host::view::{ProblemPage, Reader};
use spots_privacy::random;

use super::session::session_token;
use crate::pages::assets::{CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_HTTPS};
use crate::platform::{Platform, Settings};

/// Random bytes of a request id.
const REQUEST_ID_BYTES: usize = 12;

/// Names one request in the log and in its problem document. Random: it joins nothing.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

pub(crate) async fn finish(
    State(platform): State<Platform>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = random::bytes::<REQUEST_ID_BYTES>(platform.random());
    let id = RequestId(URL_SAFE_NO_PAD.encode(id));
    request.extensions_mut().insert(id.clone());
    let browser = browser(&request, platform.settings());
    let mut response = explain(next.run(request).await, &id, browser);
    add_headers(response.headers_mut(), platform.settings());
    response
}

/// Turns a bare error into a problem document, and names the request in either.
fn explain(response: Response, id: &RequestId, browser: Option<Reader>) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let media = response.headers().get(header::CONTENT_TYPE);
    let is_page = media.is_some_and(|media| media.as_bytes().starts_with(b"text/html"));
    if is_page {
        return response;
    }
    let problem = response.extensions().get::<Problem>().cloned();
    let problem = Problem {
        instance: Some(format!("urn:spots:request:{}", id.as_str()).into()),
        ..problem.unwrap_or_else(|| Problem::of_status(status))
    };
    let mut explained = match browser {
        Some(reader) => problem_page(&problem, status, id, reader),
        None => problem.into_response(),
    };
    for kept in [header::ALLOW, header::SET_COOKIE, header::RETRY_AFTER] {
        if let Some(value) = response.headers().get(&kept) {
            explained.headers_mut().insert(kept, value.clone());
        }
    }
    explained
}

/// The reader, if a person asks for a page with a browser. The API always answers programs.
fn browser(request: &Request, settings: &Settings) -> Option<Reader> {
    let accept = request.headers().get(header::ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok());
    let wants_page = accept.is_some_and(|media| media.contains("text/html"));
    if !wants_page || request.uri().path().starts_with("/api/") {
        return None;
    }
    Some(match session_token(request.headers(), settings) {
        Some(_) => Reader::Person,
        None => Reader::Visitor,
    })
}

/// The same problem for a person; failures of ours name the request.
fn problem_page(problem: &Problem, status: StatusCode, id: &RequestId, reader: Reader) -> Response {
    let mut page = ProblemPage::of(problem, reader);
    page.reference = status.is_server_error().then(|| id.as_str().to_owned());
    show_as(status, &page)
}

fn add_headers(headers: &mut HeaderMap, settings: &Settings) {
    let always = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: browsers would then say `Origin: null` even on our own forms.
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if settings.https {
        let sealed = HeaderValue::from_static(CONTENT_SECURITY_POLICY_HTTPS);
        headers.insert(header::CONTENT_SECURITY_POLICY, sealed);
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// Answers for a handler that panicked. The panic hook logged where; the text stays inside.
pub(crate) fn panicked(_cause: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("failed to answer: a handler panicked");
    Problem::of_status(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}
