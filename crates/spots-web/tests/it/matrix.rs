//! Every operation × who asks.

use axum::http::Method;
use serde_json::{Value, json};
use spots_booking::EventType;
use spots_testkit::app::{Client, TestApp};

use crate::openapi::operations;

/// Operation, then the statuses for nobody, a stranger, a member of the host, and the person whose
/// booking it is. In this order: what takes away comes after what looks.
const EXPECTED: &[(&str, [u16; 4])] = &[
    ("create_account", [201, 409, 409, 409]),
    ("create_session", [201, 201, 201, 201]),
    ("find_profile", [401, 200, 200, 200]),
    ("update_profile", [401, 200, 200, 200]),
    ("find_email_confirmation", [401, 200, 200, 200]),
    // The server of this test sends no mail.
    ("begin_email_confirmation", [401, 501, 501, 501]),
    ("confirm_email", [401, 422, 422, 422]),
    ("find_sharing_defaults", [401, 200, 200, 200]),
    ("update_sharing_defaults", [401, 200, 200, 200]),
    ("find_sharing_defaults_at_host", [401, 200, 200, 200]),
    ("update_sharing_defaults_at_host", [401, 200, 200, 200]),
    ("list_bookings", [401, 200, 200, 200]),
    ("find_booking", [401, 404, 404, 200]),
    ("list_shares", [401, 200, 200, 200]),
    ("list_openings", [401, 200, 200, 200]),
    ("find_receipt", [401, 404, 404, 200]),
    ("find_checkpoint", [200, 200, 200, 200]),
    ("find_inclusion", [404, 404, 404, 404]),
    ("find_consistency", [422, 422, 422, 422]),
    ("find_erasure", [404, 404, 404, 404]),
    ("list_own_hosts", [401, 200, 200, 200]),
    ("find_export", [401, 200, 200, 200]),
    ("create_host", [401, 201, 201, 201]),
    ("find_host", [200, 200, 200, 200]),
    ("find_requirements", [200, 200, 200, 200]),
    ("update_requirements", [401, 403, 200, 403]),
    ("find_member_list", [401, 403, 200, 403]),
    ("update_member_list", [401, 403, 200, 403]),
    ("create_host_event", [401, 403, 201, 403]),
    ("list_host_events", [401, 403, 200, 403]),
    ("list_guests", [401, 403, 200, 403]),
    ("copy_guests", [401, 403, 200, 403]),
    ("list_events", [200, 200, 200, 200]),
    ("find_event", [200, 200, 200, 200]),
    ("create_booking", [401, 201, 201, 201]),
    ("find_time", [200, 200, 200, 200]),
    ("sync_time", [200, 200, 200, 200]),
    ("list_time_keys", [200, 200, 200, 200]),
    ("append_journal", [401, 200, 200, 200]),
    ("list_journal", [401, 403, 403, 403]),
    ("revoke_share", [401, 404, 404, 200]),
    ("revoke_shares", [401, 200, 200, 200]),
    ("cancel_booking", [401, 404, 404, 204]),
    ("rotate_agent", [401, 201, 201, 201]),
    ("call_off_event", [401, 403, 200, 403]),
    ("delete_account", [401, 200, 200, 200]),
    ("delete_current_session", [401, 401, 401, 401]),
];

fn body(operation: &str) -> Option<Value> {
    Some(match operation {
        "create_account" => {
            json!({"email": "new@example.org", "password": "correct horse battery"})
        }
        "create_session" => {
            json!({"email": "ada@example.org", "password": "correct horse battery"})
        }
        "update_profile" => json!({"name": "Someone"}),
        "update_sharing_defaults" | "update_sharing_defaults_at_host" => {
            json!({"fields": ["name"]})
        }
        "create_host" => json!({"name": "Another", "kind": "club"}),
        "confirm_email" => json!({"token": "none"}),
        "update_member_list" => json!({"entries": ["RC-2026-0042"]}),
        "update_requirements" => json!({"fields": []}),
        "create_host_event" => json!({
            "eventType": "reservation", "title": "Dinner",
            "startsAt": "2026-11-30T18:00:00Z", "endsAt": "2026-11-30T20:00:00Z",
        }),
        "create_booking" => json!({}),
        "sync_time" => json!({"nonce": "00112233445566778899aabbccddeeff"}),
        "append_journal" => json!({"entries": [
            {"key": "used-0001", "kind": "used", "body": {"feature": "map", "count": 1}},
        ]}),
        _ => return None,
    })
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table, one case a line")]
async fn every_operation_answers_everyone_as_it_should() {
    let app = TestApp::new().unwrap();
    let mira = app.person("Mira").await.unwrap();
    let ada = app.person("Ada").await.unwrap();
    let eve = app.person("Eve").await.unwrap();
    let host = mira.add_host("Café Mira", "business").await.unwrap();
    mira.ask(&host, EventType::Reservation, &[("name", "optional")])
        .await
        .unwrap();
    let event = mira
        .add_event(&host, EventType::Reservation, None)
        .await
        .unwrap();
    let data = json!({"name": "Ada", "sharedWithHost": true});
    let booking = ada.book(&event, &data).await.unwrap();
    let shares = ada
        .client
        .get("/api/v1/me/shares")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    let ids = [
        ("{hostId}", host.as_str()),
        ("{eventId}", &event),
        ("{eventType}", "reservation"),
        ("{stream}", "analytics"),
        ("{bookingId}", booking["bookingId"].as_str().unwrap()),
        ("{shareId}", shares["items"][0]["shareId"].as_str().unwrap()),
    ];
    let askers: [(&str, &Client); 4] = [
        ("nobody", &app.anonymous()),
        ("stranger", &eve.client),
        ("member", &mira.client),
        ("owner", &ada.client),
    ];

    let document = serde_json::to_value(spots_web::openapi()).unwrap();
    let operations = operations(&document);
    assert_eq!(
        operations.len(),
        EXPECTED.len(),
        "an operation is missing in the table"
    );
    for (name, statuses) in EXPECTED {
        let (method, path, _) = operations
            .iter()
            .find(|(_, _, operation)| operation["operationId"] == *name)
            .unwrap_or_else(|| panic!("there is no {name}"));
        let mut path = ids
            .iter()
            .fold(path.clone(), |path, (name, id)| path.replace(name, id));
        if *name == "revoke_shares" {
            path.push_str("?all=true");
        }
        if *name == "find_inclusion" {
            path.push_str("?leaf=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        }
        if *name == "find_consistency" {
            path.push_str("?from=1&to=2");
        }
        let method: Method = method.parse().unwrap();
        for ((who, client), expected) in askers.iter().zip(statuses) {
            let reply = client
                .request(method.clone(), &path, body(name).as_ref())
                .await
                .unwrap();
            assert_eq!(
                reply.status.as_u16(),
                *expected,
                "{name} by {who}: {}",
                reply.text()
            );
        }
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_told_to_and_after_thirty_days() {
    let app = TestApp::new().unwrap();
    let ada = app.person("Ada").await.unwrap();
    let eve = app.person("Eve").await.unwrap();
    assert_eq!(
        ada.client
            .delete("/api/v1/sessions/current")
            .await
            .unwrap()
            .status,
        204
    );
    assert_eq!(
        ada.client.get("/api/v1/me/profile").await.unwrap().status,
        401
    );
    app.advance_hours(30 * 24 - 1);
    assert_eq!(
        eve.client.get("/api/v1/me/profile").await.unwrap().status,
        200
    );
    app.advance_hours(2);
    let over = eve.client.get("/api/v1/me/profile").await.unwrap();
    assert_eq!(
        (over.status.as_u16(), over.code().as_str()),
        (401, "not-signed-in")
    );
    assert!(over.headers.contains_key("www-authenticate"));
}
