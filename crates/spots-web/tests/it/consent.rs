//! A consent is what it was when it was given, whatever the host asks later; on both databases.

use serde_json::{Value, json};
use spots_booking::EventType;
use spots_testkit::app::{Person, TestApp};

use crate::host_pages::browser::Browser;

#[tokio::test]
async fn a_widened_requirement_never_widens_an_old_consent() {
    widen(&TestApp::new().unwrap()).await;
}

#[tokio::test]
async fn a_widened_requirement_never_widens_an_old_consent_on_postgres() {
    widen(&TestApp::on_postgres().await.unwrap()).await;
}

fn field(name: &str, ask: &str, purpose: &str, days: u16) -> Value {
    json!({"field": name, "ask": ask, "purpose": purpose, "retentionDays": days})
}

async fn widen(app: &TestApp) {
    let (mira, ada) = (
        app.person("Mira").await.unwrap(),
        app.person("Ada").await.unwrap(),
    );
    let host = mira.add_host("Café Mira", "business").await.unwrap();
    let ask = async |fields: Value| {
        let path = format!("/api/v1/hosts/{host}/requirements/reservation");
        let asked = mira.client.put(&path, &json!({"fields": fields})).await;
        asked.unwrap().json(200).unwrap()
    };
    let first = ask(json!([
        field("name", "optional", "To greet you.", 2),
        field("phoneNumber", "optional", "To call you.", 2),
    ]))
    .await;
    let event = mira.add_event(&host, EventType::Reservation, None).await;
    let event = event.unwrap();
    // She has both in her profile, and gives one.
    let profile =
        json!({"name": "Ada", "phoneNumber": "+49 30 5550001", "email": "ada@example.org"});
    let saved = ada.client.put("/api/v1/me/profile", &profile).await;
    saved.unwrap().json(200).unwrap();
    let data = json!({"name": "Ada", "sharedWithHost": true});
    ada.book(&event, &data).await.unwrap();
    let (shares, receipt) = standing(&ada).await;

    // More fields, required; another purpose; kept for a year.
    let second = ask(json!([
        field("name", "required", "To sell your name.", 365),
        field("phoneNumber", "required", "To call you every day.", 365),
        field("email", "required", "To write to you.", 365),
    ]))
    .await;
    assert_eq!(
        (&first["version"], &second["version"]),
        (&json!(1), &json!(2))
    );
    assert_ne!(first["hash"], second["hash"]);
    let desk = Desk {
        page: Browser::of(app, "mira@example.org").await,
        mira,
        guests: format!("/hosts/{host}/events/{event}/guests"),
    };
    desk.reads_what_was_given().await;
    stands_as_it_was(&ada, (&shares, &receipt)).await;
    // The two days after the event are over, not the year.
    app.advance_hours((9 * 24) + 4);
    let (data, html) = desk.read().await;
    assert_eq!(data, Value::Null);
    assert!(!html.contains(">Ada<"), "{html}");
}

/// Where the host looks: over the API, on the page, in a copy.
struct Desk {
    mira: Person,
    page: Browser,
    guests: String,
}

impl Desk {
    async fn read(&self) -> (Value, String) {
        let path = format!("/api/v1{}", self.guests);
        let guests = self.mira.client.get(&path).await.unwrap();
        let guests = guests.json(200).unwrap();
        let data = guests["items"][0]["userData"].clone();
        (data, self.page.page(&self.guests).await)
    }

    async fn reads_what_was_given(&self) {
        let (data, html) = self.read().await;
        assert_eq!(data["name"], "Ada");
        for closed in ["phoneNumber", "email"] {
            assert!(data.get(closed).is_none_or(Value::is_null), "{data}");
        }
        assert!(html.contains(">Ada<"), "{html}");
        for secret in ["5550001", "ada@example.org"] {
            assert!(
                !html.contains(secret) && !data.to_string().contains(secret),
                "{secret}"
            );
        }
        let copy = self
            .mira
            .client
            .get(&format!("/api/v1{}.csv", self.guests))
            .await
            .unwrap()
            .text();
        assert!(copy.contains("Ada") && !copy.contains("5550001"), "{copy}");
    }
}

/// What she agreed to: purpose, end, version.
async fn stands_as_it_was(ada: &Person, (shares, receipt): (&Value, &Value)) {
    let (shares_now, receipt_now) = standing(ada).await;
    assert_eq!(shares_now["expiresAt"], shares["expiresAt"]);
    assert_eq!(shares_now["expiresAt"], "2026-12-01T20:00:00Z");
    assert_eq!(shares_now["requirementsVersion"], 1);
    assert_eq!(receipt_now["pii_processing"], receipt["pii_processing"]);
    assert_eq!(receipt_now["pii_processing"][0]["purpose"], "To greet you.");
    assert_eq!(receipt_now["pii_processing"][0]["retention_period"], "P2D");
}

/// Her one share, and its receipt.
async fn standing(ada: &Person) -> (Value, Value) {
    let shares = ada.client.get("/api/v1/me/shares").await.unwrap();
    let shares = shares.json(200).unwrap();
    let items = shares["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{shares}");
    let path = format!(
        "/api/v1/me/shares/{}/receipt",
        items[0]["shareId"].as_str().unwrap()
    );
    let receipt = ada.client.get(&path).await.unwrap().json(200).unwrap();
    (items[0].clone(), receipt)
}
