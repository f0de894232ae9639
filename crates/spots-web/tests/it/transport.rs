//! What holds for every answer: headers, limits, problems, and who may write from where.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use spots_privacy::Randomness;
use spots_testkit::app::{SeededRandomness, TestApp};
use spots_web::Settings;

#[tokio::test]
async fn every_answer_is_guarded() {
    let app = TestApp::new().unwrap();
    for path in ["/api/v1/time", "/nowhere", "/healthz", "/openapi.json"] {
        let reply = app.anonymous().get(path).await.unwrap();
        let header = |name: &str| reply.headers[name].to_str().unwrap().to_owned();
        assert!(
            header("content-security-policy").contains("frame-ancestors 'none'"),
            "{path}"
        );
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert!(
            !reply.headers.contains_key("strict-transport-security"),
            "{path}"
        );
    }
    let https = Settings {
        https: true,
        ..Settings::default()
    };
    let app = TestApp::with_settings(https).unwrap();
    let reply = app.anonymous().get("/api/v1/time").await.unwrap();
    assert!(reply.headers.contains_key("strict-transport-security"));
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let app = TestApp::new().unwrap();
    let nobody = app.anonymous();
    let nowhere = nobody.get("/api/v1/nowhere").await.unwrap();
    assert_eq!(
        (nowhere.status.as_u16(), nowhere.code().as_str()),
        (404, "not-found")
    );
    let method = nobody.delete("/api/v1/time").await.unwrap();
    assert_eq!(
        (method.status.as_u16(), method.code().as_str()),
        (405, "method-not-allowed")
    );
    assert_eq!(method.headers["allow"], "GET,HEAD");
    assert_eq!(method.headers["content-type"], "application/problem+json");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(nobody.get(path).await.unwrap().status, 200, "{path}");
    }
}

#[tokio::test]
async fn time_never_repeats() {
    let app = TestApp::new().unwrap();
    let mut last = 0;
    for _ in 0..10 {
        let time = app
            .anonymous()
            .get("/api/v1/time")
            .await
            .unwrap()
            .json(200)
            .unwrap();
        let now: u64 = time["nanoseconds"].as_str().unwrap().parse().unwrap();
        assert!(now > last);
        last = now;
    }
}

#[tokio::test]
async fn a_cookie_writes_only_from_its_own_site() {
    let app = TestApp::new().unwrap();
    let ada = app.person("Ada").await.unwrap();
    let write = |from: Option<(&'static str, &'static str)>| {
        let mut request = Request::put("/api/v1/me/profile")
            .header("host", "spots.example")
            .header("content-type", "application/json")
            .header("cookie", format!("spots_session={}", ada.token));
        if let Some((name, value)) = from {
            request = request.header(name, value);
        }
        request
            .body(Body::from(json!({"name": "Ada"}).to_string()))
            .unwrap()
    };
    for (from, status) in [
        (None, 200),
        (Some(("sec-fetch-site", "same-origin")), 200),
        (Some(("origin", "https://spots.example")), 200),
        (Some(("sec-fetch-site", "cross-site")), 403),
        (Some(("origin", "https://evil.example")), 403),
    ] {
        let reply = app.anonymous().send(write(from)).await.unwrap();
        assert_eq!(reply.status.as_u16(), status, "{from:?}: {}", reply.text());
        // A bearer token was not sent by a browser on its own accord.
        let reply = ada.client.send(write(from)).await.unwrap();
        assert_eq!(reply.status, 200, "{from:?}");
    }
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_ask() {
    let app = TestApp::new().unwrap();
    let request = Request::get("/openapi.json").header("accept-encoding", "gzip");
    let reply = app
        .anonymous()
        .send(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    assert_eq!(reply.headers["content-encoding"], "gzip");
}

#[tokio::test]
async fn what_takes_too_long_is_given_up() {
    let hasty = Settings {
        request_timeout: Duration::from_millis(1),
        ..Settings::default()
    };
    let app = TestApp::with_settings(hasty).unwrap();
    let session = json!({"email": "nobody@example.org", "password": "correct horse battery"});
    let reply = app
        .anonymous()
        .post("/api/v1/sessions", &session)
        .await
        .unwrap();
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str()),
        (504, "timeout")
    );
}

/// Fails where an account draws its ids, once told to.
struct Broken(SeededRandomness, AtomicBool);

impl Randomness for Broken {
    fn fill(&self, bytes: &mut [u8]) {
        let ids = self.1.load(Ordering::Relaxed);
        assert!(!(ids && bytes.len() == 16), "the secret inside");
        self.0.fill(bytes);
    }
}

#[tokio::test]
async fn a_panic_is_an_answer_that_says_nothing_inside() {
    let app = TestApp::new().unwrap();
    let random = Arc::new(Broken(SeededRandomness::new(2), AtomicBool::new(false)));
    let app = app
        .with_randomness(Arc::clone(&random) as Arc<dyn Randomness>)
        .unwrap();
    random.1.store(true, Ordering::Relaxed);
    let host = app.anonymous().get("/api/v1/time").await.unwrap();
    assert_eq!(host.status, 200);
    let account = json!({"email": "ada@example.org", "password": "correct horse battery"});
    let reply = app
        .anonymous()
        .post("/api/v1/accounts", &account)
        .await
        .unwrap();
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str()),
        (500, "internal-error")
    );
    assert!(!reply.text().contains("secret inside"), "{}", reply.text());
}
