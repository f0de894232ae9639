//! Access, correction, erasure: what the law gives a person, through the API.

use serde_json::{Value, json};
use spots_booking::EventType;
use spots_store::inventory::{Column, Export, tables};
use spots_testkit::app::{Person, TestApp};

use crate::host_pages::browser::Browser;

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

/// Whoever finds a session open cannot take the account away with it; on the page neither.
#[tokio::test]
async fn another_address_takes_the_password() {
    let app = TestApp::new().unwrap();
    let ada = app.person("Ada").await.unwrap();
    let set = async |body: Value| ada.client.put("/api/v1/me/profile", &body).await.unwrap();
    for (password, code) in [
        (Value::Null, "required"),
        (json!("wrong horse battery"), "wrong"),
        (json!("x".repeat(300)), "wrong"),
    ] {
        let body = json!({"name": "Eve", "email": "eve@example.org", "currentPassword": password});
        let refused = set(body).await;
        assert_eq!(refused.fields(), ["currentPassword"], "{}", refused.text());
        assert!(refused.text().contains(code), "{}", refused.text());
    }
    let profile = ada.client.get("/api/v1/me/profile").await.unwrap();
    let profile = profile.json(200).unwrap();
    assert_eq!(profile["name"], "Ada", "nothing was stored");
    assert_eq!(profile["email"], "ada@example.org");
    // The same address, however it is written, and none at all take nothing.
    for email in [json!("Ada@EXAMPLE.org"), Value::Null] {
        let body = json!({"name": "Ada L.", "email": email});
        set(body).await.json(200).unwrap();
    }
    let browser = Browser::of(&app, "ada@example.org").await;
    let form = [("name", "Ada"), ("email", "eve@example.org")];
    let refused = browser.post("/me/profile", &form).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("href=\"#currentPassword\""));
    let password = [("currentPassword", "correct horse battery")];
    let done = browser
        .post("/me/profile", &[&form[..], &password].concat())
        .await;
    assert_eq!(done.status, 303, "{}", done.text());
    let session = json!({"email": "eve@example.org", "password": "correct horse battery"});
    let signed_in = app.anonymous().post("/api/v1/sessions", &session).await;
    assert_eq!(signed_in.unwrap().status, 201);
}

/// The certificate leads to where anybody who has it sees when the last copy of the key is gone.
#[tokio::test]
async fn a_certificate_leads_to_when_the_key_is_gone_everywhere() {
    let app = TestApp::new().unwrap();
    let ada = known(&app).await;
    let gone = ada
        .client
        .delete("/api/v1/me")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    let certificate = gone["certificate"].as_str().unwrap();
    let path = certificate
        .lines()
        .find_map(|line| line.strip_prefix("gone from logs and backups: see "))
        .unwrap();
    assert!(
        path.starts_with("/api/v1/ledger/erasures/erased_"),
        "{path}"
    );
    let look = async |path: &str| app.anonymous().get(path).await.unwrap();
    let erased = look(path).await.json(200).unwrap();
    assert_eq!(
        erased["purgedAt"],
        Value::Null,
        "destroyed, and not yet everywhere"
    );
    let stamp = spots_web::service::Ctx::begin(app.platform())
        .unwrap()
        .stamp();
    let purge = spots_store::keys::Purge::Files;
    app.platform().store().purge(purge, stamp).await.unwrap();
    let erased = look(path).await.json(200).unwrap();
    let purged = erased["purgedAt"].as_str().unwrap();
    assert!(purged.starts_with("2026-11-22T17:00:00"), "{purged}");
    assert!(!erased.to_string().contains(&ada.user_id));
    assert_eq!(
        look("/api/v1/ledger/erasures/erased_none").await.status,
        404
    );
}
