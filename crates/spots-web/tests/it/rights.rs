//! Access, correction, erasure: what the law gives a person, through the API.

use serde_json::{Value, json};
use spots_booking::EventType;
use spots_store::inventory::{Column, Export, tables};
use spots_testkit::app::{Person, TestApp};

/// Somebody of whom the platform holds one of everything.
async fn known(app: &TestApp) -> Person {
    let mira = app.person("Mira").await.unwrap();
    let ada = app.person("Ada").await.unwrap();
    ada.add_host("Ada's own", "expert").await.unwrap();
    let host = mira.add_host("Café Mira", "business").await.unwrap();
    mira.ask(&host, EventType::Reservation, &[("name", "optional")])
        .await
        .unwrap();
    let event = mira.add_event(&host, EventType::Reservation, None).await;
    let event = event.unwrap();
    let data = json!({"name": "Ada", "sharedWithHost": true});
    ada.book(&event, &data).await.unwrap();
    let guests = format!("/api/v1/hosts/{host}/events/{event}/guests");
    mira.client.get(&guests).await.unwrap().json(200).unwrap();
    let defaults = json!({"fields": ["name"]});
    let path = "/api/v1/me/sharing-defaults/reservation";
    ada.client
        .put(path, &defaults)
        .await
        .unwrap()
        .json(200)
        .unwrap();
    ada
}

#[tokio::test]
async fn every_declared_place_stands_in_the_export() {
    let app = TestApp::new().unwrap();
    let ada = known(&app).await;
    let reply = ada.client.get("/api/v1/me/export").await.unwrap();
    let export = reply.json(200).unwrap();
    for table in tables() {
        for Column(column, _, place) in table.columns {
            let Export::At(place) = place else { continue };
            let pointer = format!("/{}", place.replace('.', "/"));
            let value = export.pointer(&pointer);
            assert!(value.is_some(), "{}.{column}: no {place}", table.name);
        }
    }
    let filled = [
        "/profile/email",
        "/bookings/0",
        "/shares/0",
        "/openings/0",
        "/hosts/0",
    ];
    let held = [
        "/held/account/id",
        "/held/sessions/0",
        "/held/guests/0",
        "/held/ledger/0",
    ];
    for pointer in filled.iter().chain(&held).chain(&["/held/messages/0"]) {
        let value = export.pointer(pointer);
        assert!(
            value.is_some_and(|value| !value.is_null()),
            "{pointer} is empty"
        );
    }
    assert_eq!(export["userId"], ada.user_id.as_str());
    assert_eq!(export["agentId"], ada.agent_id.as_str());
}

#[tokio::test]
async fn a_corrected_address_is_the_one_that_signs_in() {
    let app = TestApp::new().unwrap();
    let ada = app.person("Ada").await.unwrap();
    app.person("Bob").await.unwrap();
    let sign_in = async |email: &str| {
        let body = json!({"email": email, "password": "correct horse battery"});
        let reply = app
            .anonymous()
            .post("/api/v1/sessions", &body)
            .await
            .unwrap();
        reply.status.as_u16()
    };
    let set = async |email: Option<&str>| {
        let body = json!({
            "name": "Ada", "email": email, "currentPassword": "correct horse battery",
        });
        ada.client.put("/api/v1/me/profile", &body).await.unwrap()
    };
    set(Some("new@example.org")).await.json(200).unwrap();
    assert_eq!(sign_in("new@example.org").await, 201);
    assert_eq!(sign_in("ada@example.org").await, 401);

    let taken = set(Some("Bob@example.org")).await;
    assert_eq!(taken.status, 409, "{}", taken.text());
    let profile = ada
        .client
        .get("/api/v1/me/profile")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(profile["email"], "new@example.org", "nothing was stored");
    assert_eq!(sign_in("bob@example.org").await, 201);

    set(None).await.json(200).unwrap();
    assert_eq!(
        sign_in("new@example.org").await,
        201,
        "leaving it out changes nothing"
    );
}

#[tokio::test]
async fn the_certificate_of_an_erasure_names_what_remains() {
    let app = TestApp::new().unwrap();
    let ada = known(&app).await;
    let reply: Value = ada
        .client
        .delete("/api/v1/me")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(
        (&reply["destroyedKeys"], &reply["cancelledBookings"]),
        (&json!(1), &json!(1))
    );
    let note = reply["certificate"].as_str().unwrap();
    let text = app.platform().ledger_key().public().open(note).unwrap();
    for line in [
        "destroyed: 1 keys of shared fields",
        "destroyed: 1 of user_keys",
        "destroyed: 1 of user_agent_mappings",
        "cancelled: 1 bookings to come",
        "remains: copies that hosts downloaded",
        "remains: backups made before",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert_eq!(
        ada.client.get("/api/v1/me/profile").await.unwrap().status,
        401
    );
}
