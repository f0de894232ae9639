//! The API's description: complete, and changed only knowingly.

use std::collections::BTreeSet;

use serde_json::Value;
use spots_testkit::app::TestApp;

/// Every operation that was promised.
const PROMISED: &[&str] = &[
    "POST /accounts",
    "POST /sessions",
    "DELETE /sessions/current",
    "GET /me/profile",
    "PUT /me/profile",
    "GET /me/sharing-defaults/{eventType}",
    "PUT /me/sharing-defaults/{eventType}",
    "GET /me/sharing-defaults/hosts/{hostId}",
    "PUT /me/sharing-defaults/hosts/{hostId}",
    "GET /me/bookings",
    "GET /me/bookings/{bookingId}",
    "DELETE /me/bookings/{bookingId}",
    "GET /me/shares",
    "GET /me/shares/{shareId}/receipt",
    "GET /ledger/checkpoint",
    "GET /ledger/inclusion",
    "GET /ledger/consistency",
    "GET /ledger/erasures/{erased}",
    "GET /me/email-confirmation",
    "POST /me/email-confirmation",
    "PUT /me/email-confirmation",
    "GET /hosts/{hostId}/members",
    "PUT /hosts/{hostId}/members",
    "DELETE /me/shares",
    "DELETE /me/shares/{shareId}",
    "GET /me/openings",
    "GET /me/hosts",
    "GET /me/export",
    "DELETE /me",
    "POST /hosts",
    "GET /hosts/{hostId}",
    "GET /hosts/{hostId}/requirements/{eventType}",
    "PUT /hosts/{hostId}/requirements/{eventType}",
    "POST /hosts/{hostId}/events",
    "GET /hosts/{hostId}/events",
    "GET /hosts/{hostId}/events/{eventId}/guests",
    "GET /events",
    "GET /events/{eventId}",
    "POST /events/{eventId}/bookings",
    "GET /time",
    "POST /me/agent",
    "DELETE /hosts/{hostId}/events/{eventId}",
    "GET /hosts/{hostId}/events/{eventId}/guests.csv",
    "POST /time/sync",
    "GET /time/keys",
    "POST /journal/{stream}",
    "GET /journal/{stream}",
];

/// Method, path and description of every operation of the document.
pub(crate) fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .iter()
                .map(|(method, operation)| (method.to_uppercase(), path.clone(), operation.clone()))
        })
        .collect()
}

#[tokio::test]
async fn the_document_holds_what_was_promised_and_no_less() {
    let app = TestApp::new().unwrap();
    let document = app
        .anonymous()
        .get("/openapi.json")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(
        document,
        serde_json::to_value(spots_web::openapi()).unwrap()
    );
    assert_eq!(document["openapi"], "3.1.0");
    let operations = operations(&document);
    let held: BTreeSet<_> = operations
        .iter()
        .map(|(method, path, _)| format!("{method} {}", path.strip_prefix("/api/v1").unwrap()))
        .collect();
    let promised: BTreeSet<_> = PROMISED.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(held, promised);

    let ids: BTreeSet<_> = operations
        .iter()
        .map(|(_, _, operation)| operation["operationId"].to_string())
        .collect();
    assert_eq!(ids.len(), operations.len(), "operation ids repeat");
    for (method, path, operation) in &operations {
        let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
        assert_eq!(
            problem["schema"]["$ref"], "#/components/schemas/Problem",
            "{method} {path}"
        );
        assert!(
            operation["summary"].is_string() && operation["tags"].is_array(),
            "{method} {path}"
        );
    }
}

/// Every reference in the document leads somewhere.
#[test]
fn no_reference_dangles() {
    let document = serde_json::to_value(spots_web::openapi()).unwrap();
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"].get(name).is_some(),
            "{name}"
        );
    }
}

#[test]
fn the_document_changes_only_knowingly() {
    let text = serde_json::to_string_pretty(&spots_web::openapi()).unwrap();
    insta::assert_snapshot!("openapi", text);
}

/// Where the plan freezes the API from.
const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");

fn published() -> String {
    let text = serde_json::to_string_pretty(&spots_web::openapi()).unwrap();
    format!("{text}\n")
}

#[test]
fn the_published_document_is_current() {
    let text = std::fs::read_to_string(PUBLISHED).unwrap();
    assert!(
        text == published(),
        "docs/openapi.json is stale; write it with \
         `cargo nextest run -p spots-web --run-ignored only write_the_published_document`, \
         then `spots plan check` says which version the API needs"
    );
}

#[test]
#[ignore = "writes docs/openapi.json"]
fn write_the_published_document() {
    std::fs::write(PUBLISHED, published()).unwrap();
}
