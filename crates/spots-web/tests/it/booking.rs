//! The main job through the API, for all six event types.

use serde_json::{Value, json};
use spots_booking::EventType;
use spots_testkit::app::{Person, TestApp};

/// What differs between the six types: who hosts, what is asked optionally, how the model looks.
struct Case {
    event_type: EventType,
    kind: &'static str,
    optional: &'static str,
    attendees: bool,
}

const CASES: [Case; 6] = [
    Case {
        event_type: EventType::Reservation,
        kind: "business",
        optional: "phoneNumber",
        attendees: false,
    },
    Case {
        event_type: EventType::CommunityEvent,
        kind: "community",
        optional: "phoneNumber",
        attendees: true,
    },
    Case {
        event_type: EventType::ClubEvent,
        kind: "club",
        optional: "email",
        attendees: false,
    },
    Case {
        event_type: EventType::ExpertEvent,
        kind: "expert",
        optional: "phoneNumber",
        attendees: true,
    },
    Case {
        event_type: EventType::BusinessEvent,
        kind: "business",
        optional: "birthday",
        attendees: false,
    },
    Case {
        event_type: EventType::CompanyEvent,
        kind: "company",
        optional: "companyAffiliation",
        attendees: false,
    },
];

struct World {
    app: TestApp,
    mira: Person,
    ada: Person,
    host: String,
    event: String,
    guests: String,
}

impl World {
    async fn of(case: &Case) -> Self {
        let app = TestApp::new().unwrap();
        let mira = app.person("Mira").await.unwrap();
        let ada = app.person("Ada").await.unwrap();
        let host = mira.add_host("Café Mira", case.kind).await.unwrap();
        let asked = [
            ("name", "required"),
            (case.optional, "optional"),
            ("additionalData.diet", "optional"),
        ];
        mira.ask(&host, case.event_type, &asked).await.unwrap();
        let event = mira
            .add_event(&host, case.event_type, Some(10))
            .await
            .unwrap();
        let guests = format!("/api/v1/hosts/{host}/events/{event}/guests");
        Self {
            app,
            mira,
            ada,
            host,
            event,
            guests,
        }
    }

    /// The only guest, as the host sees them.
    async fn guest(&self) -> Value {
        let list = self
            .mira
            .client
            .get(&self.guests)
            .await
            .unwrap()
            .json(200)
            .unwrap();
        assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
        assert_eq!(list["nextPage"], Value::Null);
        list["items"][0].clone()
    }
}

/// The person's data in a booking, wherever the model of its type keeps it.
fn own_data<'a>(case: &Case, agent: &str, booking: &'a Value) -> &'a Value {
    assert_eq!(booking["eventType"], case.event_type.as_str());
    if case.attendees {
        assert_eq!(booking["attendeeAgentIds"], json!([agent]));
        assert!(booking.get("agentId").is_none());
        booking["attendeeUserData"]
            .get(agent)
            .unwrap_or(&Value::Null)
    } else {
        assert_eq!(booking["agentId"], agent);
        assert!(booking.get("attendeeAgentIds").is_none());
        &booking["userData"]
    }
}

async fn book_share_and_take_back(case: &Case) {
    let world = World::of(case).await;
    let (ada, agent) = (&world.ada, world.ada.agent_id.as_str());

    let offer = ada
        .client
        .get(&format!("/api/v1/events/{}", world.event))
        .await
        .unwrap();
    let offer = offer.json(200).unwrap();
    assert_eq!(offer["slots"][0]["placesLeft"], 10);
    assert_eq!(offer["requirements"]["version"], 1);
    assert_eq!(offer["requirements"]["fields"].as_array().unwrap().len(), 3);

    let data = json!({"name": "Ada", "additionalData": {"diet": "vegan"}, "sharedWithHost": true});
    let booking = ada.book(&world.event, &data).await.unwrap();
    let own = own_data(case, agent, &booking);
    assert_eq!(
        (&own["name"], &own["sharedWithHost"]),
        (&json!("Ada"), &json!(true))
    );
    assert_eq!(own["eventType"], case.event_type.as_str());
    assert!(
        own["sharedAt"].is_string() && own.get("revokedAt").is_none(),
        "{own}"
    );
    assert_eq!(booking["position"], 1);
    let stamp = &booking["atomicTimestamp"];
    assert!(
        stamp["nanoseconds"].is_string() && stamp["timestampId"].is_string(),
        "{stamp}"
    );
    assert_eq!(
        stamp["errorBoundNanoseconds"],
        Value::Null,
        "nobody synchronised the clock"
    );

    let guest = world.guest().await;
    assert_eq!(guest["userData"]["name"], "Ada");
    assert_eq!(
        guest["userData"]["additionalData"],
        json!({"diet": "vegan"})
    );
    assert!(guest["userData"].get(case.optional).is_none(), "{guest}");
    assert_eq!(guest["guestCode"], booking["guestCode"]);

    let openings = ada
        .client
        .get("/api/v1/me/openings")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(openings["items"][0]["hostId"], world.host);
    assert_eq!(openings["items"][0]["channel"], "api");

    take_back(case, &world, &booking).await;
    cancel_and_leave(&world, &booking).await;
}

/// One field, then the rest.
async fn take_back(case: &Case, world: &World, booking: &Value) {
    let ada = &world.ada;
    let shares = ada
        .client
        .get("/api/v1/me/shares")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    let share = shares["items"][0]["shareId"].as_str().unwrap();
    let field = format!("/api/v1/me/shares/{share}?field=additionalData.diet");
    let ended = ada.client.delete(&field).await.unwrap().json(200).unwrap();
    assert_eq!(ended, json!({"revokedFields": 1}));
    let guest = world.guest().await;
    assert_eq!(guest["userData"]["name"], "Ada");
    assert!(guest["userData"].get("additionalData").is_none(), "{guest}");

    let path = format!(
        "/api/v1/me/shares?bookingId={}",
        booking["bookingId"].as_str().unwrap()
    );
    ada.client.delete(&path).await.unwrap().json(200).unwrap();
    let guest = world.guest().await;
    assert_eq!(guest["userData"], Value::Null);
    assert_eq!(guest["cancelled"], false, "the booking remains");

    let list = ada
        .client
        .get("/api/v1/me/bookings")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    let own = own_data(case, &ada.agent_id, &list["items"][0]);
    assert_eq!(own["sharedWithHost"], false);
    assert!(
        own["revokedAt"].is_string() && own.get("name").is_none(),
        "{own}"
    );
    let left = ada
        .client
        .get("/api/v1/me/shares")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(left["items"], json!([]));
    let ended = ada
        .client
        .get("/api/v1/me/shares?ended=true")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(ended["items"].as_array().unwrap().len(), 2);
}

async fn cancel_and_leave(world: &World, booking: &Value) {
    let ada = &world.ada;
    let path = format!(
        "/api/v1/me/bookings/{}",
        booking["bookingId"].as_str().unwrap()
    );
    assert_eq!(ada.client.delete(&path).await.unwrap().status, 204);
    assert!(ada.client.get(&path).await.unwrap().json(200).unwrap()["cancelledAt"].is_string());
    assert_eq!(world.guest().await["cancelled"], true);
    let event = world
        .app
        .anonymous()
        .get(&format!("/api/v1/events/{}", world.event))
        .await;
    assert_eq!(
        event.unwrap().json(200).unwrap()["slots"][0]["placesLeft"],
        10
    );

    let export = ada
        .client
        .get("/api/v1/me/export")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(export["profile"]["email"], "ada@example.org");
    assert_eq!(export["bookings"].as_array().unwrap().len(), 1);
    assert_eq!(export["shares"].as_array().unwrap().len(), 2);
    assert_eq!(export["agentId"], ada.agent_id);

    assert_eq!(ada.client.delete("/api/v1/me").await.unwrap().status, 200);
    assert_eq!(
        ada.client.get("/api/v1/me/profile").await.unwrap().status,
        401
    );
    let again = json!({"email": "ada@example.org", "password": "correct horse battery"});
    let again = world
        .app
        .anonymous()
        .post("/api/v1/sessions", &again)
        .await
        .unwrap();
    assert_eq!(
        (again.status.as_u16(), again.code().as_str()),
        (401, "wrong-credentials")
    );
}

#[tokio::test]
async fn all_six_types_go_from_booking_to_taking_back() {
    for case in &CASES {
        book_share_and_take_back(case).await;
    }
}

#[tokio::test]
async fn a_repeated_request_is_done_once() {
    let world = World::of(&CASES[0]).await;
    let path = format!("/api/v1/events/{}/bookings", world.event);
    let request = |name: &str| {
        let body = json!({"userData": {"name": name, "sharedWithHost": true}});
        axum::http::Request::post(&path)
            .header("content-type", "application/json")
            .header("idempotency-key", "first-attempt")
            .body(axum::body::Body::from(body.to_string()))
            .unwrap()
    };
    let first = world.ada.client.send(request("Ada")).await.unwrap();
    let again = world.ada.client.send(request("Ada")).await.unwrap();
    assert_eq!(first.json(201).unwrap(), again.json(201).unwrap());
    assert!(!first.headers.contains_key("idempotent-replayed"));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(first.headers["location"], again.headers["location"]);
    world.guest().await;

    let other = world.ada.client.send(request("Grace")).await.unwrap();
    assert_eq!(
        (other.status.as_u16(), other.code().as_str()),
        (409, "idempotency-key-reused")
    );
    // The key is the person's own: another may use the same words.
    let other = world.mira.client.send(request("Mira")).await.unwrap();
    assert_eq!(other.status, 201, "{}", other.text());
}

#[tokio::test]
async fn a_host_who_asks_for_more_gets_no_more_from_an_old_look() {
    let world = World::of(&CASES[0]).await;
    let more = [("name", "required"), ("phoneNumber", "required")];
    world
        .mira
        .ask(&world.host, EventType::Reservation, &more)
        .await
        .unwrap();
    let path = format!("/api/v1/events/{}/bookings", world.event);
    let body = json!({
        "requirementsVersion": 1, "userData": {"name": "Ada", "sharedWithHost": true},
    });
    let stale = world.ada.client.post(&path, &body).await.unwrap();
    assert_eq!(
        (stale.status.as_u16(), stale.code().as_str()),
        (409, "requirements-changed")
    );
}

#[tokio::test]
async fn two_hosts_know_one_guest_by_two_handles() {
    let world = World::of(&CASES[0]).await;
    let data = json!({"name": "Ada", "sharedWithHost": true});
    world.ada.book(&world.event, &data).await.unwrap();
    let here = world.guest().await;

    let other = world.mira.add_host("Bar Mira", "business").await.unwrap();
    let event = world
        .mira
        .add_event(&other, EventType::BusinessEvent, None)
        .await
        .unwrap();
    let booking = world.ada.book(&event, &Value::Null).await.unwrap();
    assert_eq!(
        booking["position"],
        Value::Null,
        "unlimited places have no order"
    );
    assert_eq!(booking["userData"], Value::Null);
    let path = format!("/api/v1/hosts/{other}/events/{event}/guests");
    let list = world
        .mira
        .client
        .get(&path)
        .await
        .unwrap()
        .json(200)
        .unwrap();
    let there = &list["items"][0];
    assert_eq!(there["userData"], Value::Null);
    assert_ne!(here["guestId"], there["guestId"]);
}

#[tokio::test]
async fn old_words_for_consent_are_understood() {
    let world = World::of(&CASES[0]).await;
    let data = json!({"name": "Ada", "sharedWithBusiness": true, "eventType": "reservation"});
    let booking = world.ada.book(&world.event, &data).await.unwrap();
    assert_eq!(booking["userData"]["sharedWithHost"], true);
}

#[tokio::test]
async fn defaults_hold_per_type_and_per_host() {
    let world = World::of(&CASES[0]).await;
    let client = &world.ada.client;
    let by_type = "/api/v1/me/sharing-defaults/reservation";
    let by_host = format!("/api/v1/me/sharing-defaults/hosts/{}", world.host);
    let unset = client.get(by_type).await.unwrap().json(200).unwrap();
    assert_eq!(unset, json!({"fields": null}));
    for (path, fields) in [
        (by_type, json!(["name", "email"])),
        (by_host.as_str(), json!([])),
    ] {
        let set = client.put(path, &json!({"fields": fields})).await.unwrap();
        assert_eq!(set.json(200).unwrap(), json!({"fields": fields}));
    }
    let removed = client
        .put(&by_host, &json!({"fields": null}))
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(removed, json!({"fields": null}));
    let kept = client.get(by_type).await.unwrap().json(200).unwrap();
    assert_eq!(kept, json!({"fields": ["name", "email"]}));
}

#[tokio::test]
async fn retention_ends_a_share_by_itself() {
    let world = World::of(&CASES[0]).await;
    let data = json!({"name": "Ada", "sharedWithHost": true});
    world.ada.book(&world.event, &data).await.unwrap();
    // The event ends in seven days and three hours; the host may read for two days more.
    world.app.advance_hours(9 * 24 + 2);
    assert_eq!(world.guest().await["userData"]["name"], "Ada");
    world.app.advance_hours(2);
    assert_eq!(world.guest().await["userData"], Value::Null);
}
