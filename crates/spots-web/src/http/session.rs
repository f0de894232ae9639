//! Where a request carries its session.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::platform::Settings;
use crate::service::{SESSION_DAYS, SignedIn};

/// Bound to HTTPS, this host and the path `/` by its prefix (RFC 6265bis).
const SECURE_COOKIE: &str = "__Host-spots_session";
/// On plain HTTP browsers take no `__Host-` cookie.
const PLAIN_COOKIE: &str = "spots_session";

/// The token that a request presents: the bearer token if there is an `Authorization`, else the
/// session cookie.
pub fn session_token<'a>(headers: &'a HeaderMap, settings: &Settings) -> Option<&'a str> {
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim());
    }
    let name = cookie_name(settings);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, token)| token)
}

/// The cookie that begins a session in a browser.
pub fn session_cookie(settings: &Settings, session: &SignedIn) -> HeaderValue {
    cookie(settings, session.token.disclose(), SESSION_DAYS * 24 * 3600)
}

/// The cookie that ends it.
pub fn clear_session_cookie(settings: &Settings) -> HeaderValue {
    cookie(settings, "", 0)
}

fn cookie(settings: &Settings, token: &str, seconds: i64) -> HeaderValue {
    let name = cookie_name(settings);
    let secure = if settings.https { "; Secure" } else { "" };
    let text = format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text).expect("names and tokens are plain ASCII");
    value.set_sensitive(true);
    value
}

fn cookie_name(settings: &Settings) -> &'static str {
    if settings.https {
        SECURE_COOKIE
    } else {
        PLAIN_COOKIE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().cloned();
        pairs
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_bearer_token_goes_before_a_cookie() {
        let settings = Settings::default();
        let both = headers(&[
            (header::COOKIE, "theme=dark; spots_session=fromcookie"),
            (header::AUTHORIZATION, "Bearer fromheader"),
        ]);
        assert_eq!(session_token(&both, &settings), Some("fromheader"));
        let cookie = headers(&[(header::COOKIE, "theme=dark; spots_session=fromcookie")]);
        assert_eq!(session_token(&cookie, &settings), Some("fromcookie"));
        let basic = headers(&[
            (header::COOKIE, "spots_session=fromcookie"),
            (header::AUTHORIZATION, "Basic YTpi"),
        ]);
        assert_eq!(session_token(&basic, &settings), None);
    }

    #[test]
    fn over_https_only_the_bound_cookie_counts() {
        let settings = Settings {
            https: true,
            ..Settings::default()
        };
        let plain = headers(&[(header::COOKIE, "spots_session=x")]);
        assert_eq!(session_token(&plain, &settings), None);
        let cookie = clear_session_cookie(&settings);
        assert!(
            cookie
                .to_str()
                .unwrap()
                .starts_with("__Host-spots_session=;")
        );
        assert!(cookie.to_str().unwrap().ends_with("; Secure"));
    }
}
