//! Bad input: a clear problem, and nothing stored.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use spots_booking::EventType;
use spots_testkit::app::{Person, Reply, TestApp};

struct World {
    app: TestApp,
    mira: Person,
    ada: Person,
    eve: Person,
    host: String,
    event: String,
    past: String,
    booking: String,
    share: String,
}

async fn world() -> World {
    let app = TestApp::new().unwrap();
    let mira = app.person("Mira").await.unwrap();
    let ada = app.person("Ada").await.unwrap();
    let eve = app.person("Eve").await.unwrap();
    let host = mira.add_host("Café Mira", "business").await.unwrap();
    let fields = [
        ("name", "required"),
        ("phoneNumber", "optional"),
        ("birthday", "optional"),
        ("email", "optional"),
    ];
    mira.ask(&host, EventType::Reservation, &fields)
        .await
        .unwrap();
    let event = mira
        .add_event(&host, EventType::Reservation, Some(2))
        .await
        .unwrap();
    let past = json!({
        "eventType": "community_event", "title": "Yesterday",
        "startsAt": "2026-11-21T18:00:00Z", "endsAt": "2026-11-21T20:00:00Z",
    });
    let path = format!("/api/v1/hosts/{host}/events");
    let past = mira
        .client
        .post(&path, &past)
        .await
        .unwrap()
        .json(201)
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
    World {
        past: past["eventId"].as_str().unwrap().to_owned(),
        booking: booking["bookingId"].as_str().unwrap().to_owned(),
        share: shares["items"][0]["shareId"].as_str().unwrap().to_owned(),
        app,
        mira,
        ada,
        eve,
        host,
        event,
    }
}

/// Who asks for what, and which status, code and field come back.
type Row = (Method, String, Value, u16, &'static str, &'static str);

fn row(method: Method, path: &str, body: Value, status: u16, code: &'static str) -> Row {
    (method, path.to_owned(), body, status, code, "")
}

fn field(method: Method, path: &str, body: Value, code: &'static str, field: &'static str) -> Row {
    (method, path.to_owned(), body, 422, code, field)
}

fn check(what: &str, reply: &Reply, status: u16, code: &str, field: &str) {
    let seen = (reply.status.as_u16(), reply.code());
    assert_eq!(seen, (status, code.to_owned()), "{what}: {}", reply.text());
    assert_eq!(
        reply.headers["content-type"], "application/problem+json",
        "{what}"
    );
    let problem: Value = serde_json::from_slice(&reply.body).unwrap();
    for key in ["type", "title", "detail", "instance"] {
        let text = problem[key].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{what}: no {key}");
    }
    assert_eq!(problem["status"], status, "{what}");
    if !field.is_empty() {
        assert!(
            reply.fields().iter().any(|named| named == field),
            "{what}: {:?}",
            reply.fields()
        );
    }
}

/// Sends every row as this person; the database is the same before and after.
async fn refused(world: &World, person: &Person, rows: Vec<Row>) {
    let before = world.app.fingerprint().unwrap();
    for (method, path, body, status, code, field) in rows {
        let what = format!("{method} {path} {body}");
        let body = (!body.is_null()).then_some(&body);
        let reply = person.client.request(method, &path, body).await.unwrap();
        check(&what, &reply, status, code, field);
        assert!(
            world.app.fingerprint().unwrap() == before,
            "{what}: something was stored"
        );
    }
}

#[tokio::test]
async fn accounts_and_profiles() {
    let world = world().await;
    let account = |email: &str, password: &str| json!({"email": email, "password": password, "name": "Grace"});
    let (accounts, profile) = ("/api/v1/accounts", "/api/v1/me/profile");
    let (post, put) = (Method::POST, Method::PUT);
    let invalid = "invalid-fields";
    let long = "x".repeat(257);
    refused(&world, &world.eve, vec![
        field(post.clone(), accounts, account("grace", "correct horse"), invalid, "email"),
        field(post.clone(), accounts, account("grace@localhost", "correct horse"), invalid, "email"),
        field(post.clone(), accounts, account("grace@example.org", "too short"), invalid, "password"),
        field(post.clone(), accounts, account("grace@example.org", &long), invalid, "password"),
        field(post.clone(), accounts, json!({"email": "grace@example.org"}), invalid, "password"),
        field(post.clone(), accounts, json!({"email": "g@example.org", "password": "correct horse", "agentId": "agent_x"}), invalid, "agentId"),
        row(post.clone(), accounts, account("ADA@example.org", "correct horse"), 409, "taken"),
        row(post.clone(), "/api/v1/sessions", json!({"email": "ada@example.org", "password": "wrong horse battery"}), 401, "wrong-credentials"),
        row(post.clone(), "/api/v1/sessions", json!({"email": "nobody@example.org", "password": "wrong horse battery"}), 401, "wrong-credentials"),
        field(put.clone(), profile, json!({"phoneNumber": "call me"}), invalid, "phoneNumber"),
        field(put.clone(), profile, json!({"email": "a b@example.org"}), invalid, "email"),
        field(put.clone(), profile, json!({"birthday": "2026-11-23"}), invalid, "birthday"),
        field(put.clone(), profile, json!({"birthday": "23.11.1990"}), invalid, "birthday"),
        field(put.clone(), profile, json!({"name": "a\u{202e}b"}), invalid, "name"),
        field(put.clone(), profile, json!({"name": 7}), invalid, "name"),
        field(put.clone(), profile, json!({"shoeSize": "43"}), invalid, "shoeSize"),
        field(put.clone(), "/api/v1/me/sharing-defaults/club_event", json!({"fields": ["birthday"]}), invalid, "birthday"),
        field(put.clone(), "/api/v1/me/sharing-defaults/club_event", json!({"fields": ["additionalData.diet"]}), invalid, "additionalData.diet"),
        field(put.clone(), "/api/v1/me/sharing-defaults/club_event", json!({"fields": ["agentId"]}), invalid, "fields[0]"),
        row(put.clone(), "/api/v1/me/sharing-defaults/garden_party", json!({"fields": []}), 404, "not-found"),
        row(put, "/api/v1/me/sharing-defaults/hosts/host_AAAAAAAAAAAAAAAAAAAAAA", json!({"fields": []}), 404, "not-found"),
    ]).await;
}

#[tokio::test]
async fn bookings() {
    let world = world().await;
    let path = format!("/api/v1/events/{}/bookings", world.event);
    let post = Method::POST;
    let data = |data: Value| json!({"userData": data});
    let consent =
        |key: &str, value: &str| data(json!({"name": "Eve", key: value, "sharedWithHost": true}));
    let more =
        |more: Value| data(json!({"name": "Eve", "sharedWithHost": true, "additionalData": more}));
    let many = (0..1_000).map(|key| (format!("k{key}"), json!("x")));
    let many: serde_json::Map<_, _> = many.collect();
    let invalid = "invalid-fields";
    let gone = format!("/api/v1/events/{}/bookings", world.past);
    refused(&world, &world.eve, vec![
        field(post.clone(), &path, json!({}), "required-field-withheld", "userData.name"),
        field(post.clone(), &path, data(json!({"name": "Eve"})), invalid, "userData.sharedWithHost"),
        field(post.clone(), &path, data(json!({"name": "Eve", "sharedWithHost": true, "revokedAt": "2026-11-20T00:00:00Z"})), invalid, "userData.revokedAt"),
        field(post.clone(), &path, consent("phoneNumber", "12"), invalid, "userData.phoneNumber"),
        field(post.clone(), &path, consent("email", "eve@"), invalid, "userData.email"),
        field(post.clone(), &path, consent("birthday", "2027-01-01"), invalid, "userData.birthday"),
        field(post.clone(), &path, consent("companyAffiliation", "ACME"), invalid, "userData.companyAffiliation"),
        field(post.clone(), &path, consent("shoeSize", "43"), invalid, "userData.shoeSize"),
        field(post.clone(), &path, consent("agentId", "agent_x"), invalid, "userData.agentId"),
        field(post.clone(), &path, data(json!({"name": "Eve", "sharedWithHost": true, "additionalData": {"diet": "vegan"}})), invalid, "userData.additionalData.diet"),
        field(post.clone(), &path, more(json!({"diet": ["vegan"]})), invalid, "userData.additionalData.diet"),
        field(post.clone(), &path, more(json!({"not a key".repeat(500): "x"})), invalid, "userData.additionalData"),
        field(post.clone(), &path, more(many.into()), invalid, "userData.additionalData"),
        field(post.clone(), &path, data(json!({"name": "Eve", "sharedWithHost": true, "eventType": "club_event"})), invalid, "userData.eventType"),
        field(post.clone(), &path, data(json!({"name": "Eve", "sharedWithHost": true, "eventType": "garden_party"})), invalid, "userData.eventType"),
        field(post.clone(), &path, json!({"partySize": 0, "userData": {"name": "Eve", "sharedWithHost": true}}), "party-size", "partySize"),
        field(post.clone(), &path, json!({"partySize": 11, "userData": {"name": "Eve", "sharedWithHost": true}}), "party-size", "partySize"),
        field(post.clone(), &path, json!({"partySize": -1}), invalid, "partySize"),
        field(post.clone(), &path, json!({"startsAt": "tomorrow"}), invalid, "startsAt"),
        row(post.clone(), &path, json!({"partySize": 2, "userData": {"name": "Eve", "sharedWithHost": true}}), 409, "event-full"),
        row(post.clone(), &path, json!({"startsAt": "2026-11-29T18:00:01Z", "userData": {"name": "Eve", "sharedWithHost": true}}), 422, "no-such-slot"),
        row(post.clone(), &path, json!({"startsAt": "2026-11-20T18:00:00Z", "userData": {"name": "Eve", "sharedWithHost": true}}), 410, "slot-past"),
        row(post.clone(), &gone, json!({}), 410, "slot-past"),
        row(post.clone(), "/api/v1/events/event_AAAAAAAAAAAAAAAAAAAAAA/bookings", json!({}), 404, "not-found"),
        row(post, "/api/v1/events/nonsense/bookings", json!({}), 404, "not-found"),
    ]).await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table, one case a line")]
async fn other_peoples_ids() {
    let world = world().await;
    let World {
        host,
        event,
        booking,
        share,
        ..
    } = &world;
    let rules = json!({"fields": []});
    let new_event = json!({"eventType": "reservation", "title": "x", "startsAt": "2026-11-29T18:00:00Z", "endsAt": "2026-11-29T20:00:00Z"});
    let of_mira = format!("/api/v1/hosts/{host}");
    refused(
        &world,
        &world.eve,
        vec![
            row(
                Method::GET,
                &format!("/api/v1/me/bookings/{booking}"),
                Value::Null,
                404,
                "not-found",
            ),
            row(
                Method::DELETE,
                &format!("/api/v1/me/bookings/{booking}"),
                Value::Null,
                404,
                "not-found",
            ),
            row(
                Method::DELETE,
                &format!("/api/v1/me/shares/{share}"),
                Value::Null,
                404,
                "not-found",
            ),
            row(
                Method::DELETE,
                &format!("/api/v1/me/shares/{share}?field=name"),
                Value::Null,
                404,
                "not-found",
            ),
            row(
                Method::GET,
                &format!("{of_mira}/events"),
                Value::Null,
                403,
                "not-a-member",
            ),
            row(
                Method::POST,
                &format!("{of_mira}/events"),
                new_event,
                403,
                "not-a-member",
            ),
            row(
                Method::PUT,
                &format!("{of_mira}/requirements/reservation"),
                rules,
                403,
                "not-a-member",
            ),
            row(
                Method::GET,
                &format!("{of_mira}/events/{event}/guests"),
                Value::Null,
                403,
                "not-a-member",
            ),
        ],
    )
    .await;
    // Another host's event is no event of this host, also for a member of this one.
    let other = world.eve.add_host("Eve's", "club").await.unwrap();
    let path = format!("/api/v1/hosts/{other}/events/{event}/guests");
    refused(
        &world,
        &world.eve,
        vec![row(Method::GET, &path, Value::Null, 404, "not-found")],
    )
    .await;
    // What Eve takes back is hers alone.
    let nothing = world
        .eve
        .client
        .delete("/api/v1/me/shares?all=true")
        .await
        .unwrap();
    assert_eq!(nothing.json(200).unwrap(), json!({"revokedFields": 0}));
    let kept = world
        .ada
        .client
        .get("/api/v1/me/shares")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(kept["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_hosts_send() {
    let world = world().await;
    let rules = format!("/api/v1/hosts/{}/requirements/club_event", world.host);
    let events = format!("/api/v1/hosts/{}/events", world.host);
    let (put, post) = (Method::PUT, Method::POST);
    let rule = |name: &str, purpose: &str, days: u32| json!({"fields": [{"field": name, "ask": "required", "purpose": purpose, "retentionDays": days}]});
    let event = |more: Value| {
        let mut event = json!({"eventType": "club_event", "title": "Night"});
        let both = event.as_object_mut().unwrap();
        both.extend(more.as_object().unwrap().clone());
        event
    };
    let invalid = "invalid-fields";
    let unknown = format!("/api/v1/hosts/{}/requirements/garden_party", world.host);
    refused(&world, &world.mira, vec![
        field(put.clone(), &rules, rule("birthday", "To give you a cake.", 1), invalid, "birthday"),
        field(put.clone(), &rules, rule("phoneNumber", "To call you.", 1), invalid, "phoneNumber"),
        field(put.clone(), &rules, rule("name", " ", 1), invalid, "name"),
        field(put.clone(), &rules, rule("name", "To greet you.", 366), invalid, "name"),
        field(put.clone(), &rules, rule("agentId", "To follow you.", 1), invalid, "fields[0].field"),
        field(put.clone(), &rules, json!({"fields": [{"field": "name", "ask": "perhaps"}]}), invalid, "fields[0].ask"),
        row(put, &unknown, json!({"fields": []}), 404, "not-found"),
        field(post.clone(), &events, event(json!({})), invalid, "startsAt"),
        field(post.clone(), &events, event(json!({"startsAt": "2026-12-01T18:00:00Z"})), invalid, "endsAt"),
        field(post.clone(), &events, event(json!({"occurrences": []})), invalid, "occurrences"),
        field(post.clone(), &events, event(json!({"occurrences": [{"startsAt": "2026-12-01T18:00:00Z", "endsAt": "2026-12-01T17:00:00Z"}]})), invalid, "occurrences"),
        field(post.clone(), &events, event(json!({"startsAt": "2026-12-01T18:00:00Z", "endsAt": "2026-12-01T20:00:00Z", "timeZone": "Mars/Olympus"})), invalid, "timeZone"),
        field(post.clone(), &events, event(json!({"startsAt": "2026-12-01T18:00:00Z", "endsAt": "2026-12-01T20:00:00Z", "capacity": 0})), invalid, "capacity"),
        field(post.clone(), &events, event(json!({"tables": {"weekdays": [], "opens": "18:00", "closes": "17:00", "everyMinutes": 30, "stayMinutes": 90, "daysAhead": 30}})), invalid, "tables.closes"),
        field(post.clone(), &events, json!({"eventType": "garden_party", "title": "x"}), invalid, "eventType"),
        field(post.clone(), &events, event(json!({"title": "x".repeat(201)})), invalid, "startsAt"),
        field(post.clone(), "/api/v1/hosts", json!({"name": "", "kind": "club"}), invalid, "name"),
        field(post, "/api/v1/hosts", json!({"name": "x", "kind": "garden"}), invalid, "kind"),
    ]).await;
}

#[tokio::test]
async fn queries_say_exactly_one_thing() {
    let world = world().await;
    let host = &world.host;
    let bad = |path: &str| row(Method::DELETE, path, Value::Null, 400, "invalid-query");
    let mut rows = vec![
        bad("/api/v1/me/shares"),
        bad("/api/v1/me/shares?all=false"),
        bad("/api/v1/me/shares?all=perhaps"),
        bad(&format!("/api/v1/me/shares?all=true&hostId={host}")),
        bad(&format!(
            "/api/v1/me/shares?hostId={host}&bookingId={}",
            world.booking
        )),
        bad("/api/v1/me/shares?hostId=nonsense"),
        bad("/api/v1/me/shares?everything=true"),
        bad(&format!("/api/v1/me/shares/{}?field=agentId", world.share)),
    ];
    for path in [
        "/api/v1/me/bookings?page=0",
        "/api/v1/events?perPage=101",
        "/api/v1/me/openings?page=1001",
    ] {
        rows.push(row(Method::GET, path, Value::Null, 422, "invalid-fields"));
    }
    for path in [
        "/api/v1/events?eventType=garden_party",
        "/api/v1/events?colour=red",
        "/api/v1/me/shares?page=two",
    ] {
        rows.push(row(Method::GET, path, Value::Null, 400, "invalid-query"));
    }
    let long = format!("/api/v1/events?q={}", "x".repeat(101));
    rows.push(row(Method::GET, &long, Value::Null, 422, "invalid-fields"));
    refused(&world, &world.ada, rows).await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table, one case a line")]
async fn bodies_that_are_none() {
    let world = world().await;
    let path = format!("/api/v1/events/{}/bookings", world.event);
    let before = world.app.fingerprint().unwrap();
    let json = "application/json";
    let deep = [
        "{\"userData\": {\"additionalData\": {\"x\": ",
        &"[".repeat(10_000),
    ]
    .concat();
    for (media, key, body, status, code) in [
        (json, "", String::new(), 400, "malformed-json"),
        (json, "", "{".to_owned(), 400, "malformed-json"),
        (json, "", "{} trailing".to_owned(), 400, "malformed-json"),
        (json, "", deep, 400, "malformed-json"),
        (json, "", "[]".to_owned(), 422, "invalid-fields"),
        (
            json,
            "",
            format!("{{\"startsAt\": \"{}\"}}", "x".repeat(256 * 1024)),
            413,
            "body-too-large",
        ),
        (
            "text/plain",
            "",
            "{}".to_owned(),
            415,
            "unsupported-media-type",
        ),
        ("", "", "{}".to_owned(), 415, "unsupported-media-type"),
        (json, "short", "{}".to_owned(), 422, "invalid-fields"),
        (json, "with a space", "{}".to_owned(), 422, "invalid-fields"),
        (json, "ünïcödé-kéy", "{}".to_owned(), 422, "invalid-fields"),
        (
            json,
            &"x".repeat(129),
            "{}".to_owned(),
            422,
            "invalid-fields",
        ),
    ] {
        let mut request = Request::post(&path);
        if !media.is_empty() {
            request = request.header("content-type", media);
        }
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        let request = request.body(Body::from(body)).unwrap();
        let reply = world.eve.client.send(request).await.unwrap();
        let field = if key.is_empty() {
            ""
        } else {
            "Idempotency-Key"
        };
        check(&format!("{media} {key}"), &reply, status, code, field);
    }
    assert!(
        world.app.fingerprint().unwrap() == before,
        "something was stored"
    );
}
