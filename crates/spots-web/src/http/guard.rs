//! Writes that a browser sends for another site are refused.
//!
//! Browsers say where a request comes from: `Sec-Fetch-Site`, or in older ones `Origin`. A request
//! with neither comes from no browser; one with `Authorization` was not sent by a browser on its
//! own accord. So forms need no token.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use spots_host::Problem;

pub(crate) async fn refuse_cross_origin(request: Request, next: Next) -> Response {
    if is_cross_origin(request.method(), request.uri(), request.headers()) {
        let detail =
            "A browser sent this for another site. Open the page on this site and try again.";
        return Problem::new(
            StatusCode::FORBIDDEN,
            "cross-origin",
            "From another site",
            detail,
        )
        .into_response();
    }
    next.run(request).await
}

fn is_cross_origin(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    if method.is_safe() || headers.contains_key(header::AUTHORIZATION) {
        return false;
    }
    let text = |name| {
        headers
            .get(name)
            .map(|value: &header::HeaderValue| value.to_str().ok())
    };
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site")) {
        return !matches!(site, Some("same-origin" | "none"));
    }
    let Some(origin) = text(header::ORIGIN) else {
        return false;
    };
    let origin = origin
        .and_then(|origin| origin.split_once("://"))
        .map(|(_, host)| host);
    let own = uri.authority().map(Authority::as_str);
    let own = own.or_else(|| text(header::HOST).flatten());
    origin.is_none() || origin != own
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn judged(method: &Method, pairs: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("spots.example:8080"));
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        is_cross_origin(method, &Uri::from_static("/bookings"), &headers)
    }

    #[test]
    fn writes_from_elsewhere_are_seen() {
        for pairs in [
            [("sec-fetch-site", "cross-site")],
            [("sec-fetch-site", "same-site")],
            [("origin", "https://evil.example")],
            [("origin", "null")],
            [("origin", "http://spots.example")],
        ] {
            assert!(judged(&Method::POST, &pairs), "{pairs:?}");
            assert!(!judged(&Method::GET, &pairs), "{pairs:?}");
            let bearer = [pairs[0], ("authorization", "Bearer x")];
            assert!(!judged(&Method::DELETE, &bearer), "{bearer:?}");
        }
    }

    #[test]
    fn own_writes_and_programs_pass() {
        for pairs in [
            vec![
                ("sec-fetch-site", "same-origin"),
                ("origin", "https://evil.example"),
            ],
            vec![("sec-fetch-site", "none")],
            vec![("origin", "http://spots.example:8080")],
            vec![],
        ] {
            assert!(!judged(&Method::POST, &pairs), "{pairs:?}");
        }
    }
}
