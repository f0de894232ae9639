//! Nothing that a host can reach carries an agent id, or data that was not shared.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use spots_booking::EventType;
use spots_testkit::app::{Person, Reply, TestApp};

use crate::openapi::operations;

const CANARY_PHONE: &str = "+4930555010101";
const CANARY_COMPANY: &str = "Canary Holdings";
const CANARY_NAME: &str = "Zebulon Canarius";

/// A log that is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    fn of(guest: &Person) -> Self {
        let random = guest.agent_id.trim_start_matches("agent_").to_owned();
        Self(vec![
            ("agent id", random),
            (
                "user id",
                guest.user_id.trim_start_matches("user_").to_owned(),
            ),
            ("token", guest.token.clone()),
            ("phone number", CANARY_PHONE.to_owned()),
            ("company", CANARY_COMPANY.to_owned()),
            ("e-mail", "guest@example.org".to_owned()),
        ])
    }

    fn absent(&self, place: &str, text: &str) {
        for (what, secret) in &self.0 {
            assert!(
                !text.contains(secret.as_str()),
                "{place} holds the {what} of a guest"
            );
        }
    }

    fn absent_from(&self, place: &str, reply: &Reply) {
        self.absent(place, &reply.text());
        for (name, value) in &reply.headers {
            let header = format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()));
            self.absent(place, &header);
        }
    }
}

struct World {
    app: TestApp,
    mira: Person,
    guest: Person,
    ids: Vec<(&'static str, String)>,
}

/// A guest who shares a name once, has more that they do not share, and shared more elsewhere.
async fn world(app: TestApp) -> World {
    let mira = app.person("Mira").await.unwrap();
    let guest = app.person("Guest").await.unwrap();
    let profile = json!({
        "name": CANARY_NAME, "phoneNumber": CANARY_PHONE, "email": "guest@example.org",
        "companyAffiliation": CANARY_COMPANY,
    });
    guest
        .client
        .put("/api/v1/me/profile", &profile)
        .await
        .unwrap()
        .json(200)
        .unwrap();
    let host = mira.add_host("Café Mira", "business").await.unwrap();
    let asked = [("name", "optional"), ("phoneNumber", "optional")];
    mira.ask(&host, EventType::Reservation, &asked)
        .await
        .unwrap();
    let event = mira
        .add_event(&host, EventType::Reservation, Some(10))
        .await
        .unwrap();
    let other = guest.add_host("Elsewhere", "business").await.unwrap();
    guest
        .ask(&other, EventType::BusinessEvent, &asked)
        .await
        .unwrap();
    let elsewhere = guest
        .add_event(&other, EventType::BusinessEvent, None)
        .await
        .unwrap();
    let more = json!({"phoneNumber": CANARY_PHONE, "sharedWithHost": true});
    guest.book(&elsewhere, &more).await.unwrap();
    // A phone number that was shared here, too, and taken back.
    let both = json!({"name": CANARY_NAME, "phoneNumber": CANARY_PHONE, "sharedWithHost": true});
    let booking = guest.book(&event, &both).await.unwrap();
    let booking = booking["bookingId"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/me/shares?bookingId={booking}");
    let shares = guest.client.get(&path).await.unwrap().json(200).unwrap();
    let share = shares["items"][0]["shareId"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/me/shares/{share}?field=phoneNumber");
    guest.client.delete(&path).await.unwrap().json(200).unwrap();
    let ids = vec![
        ("{hostId}", host),
        ("{eventId}", event),
        ("{eventType}", "reservation".to_owned()),
        ("{stream}", "reservations".to_owned()),
        ("{bookingId}", booking),
        ("{shareId}", share),
    ];
    World {
        app,
        mira,
        guest,
        ids,
    }
}

fn body(operation: &str) -> Value {
    match operation {
        "create_account" => {
            json!({"email": "new@example.org", "password": "correct horse battery"})
        }
        "create_session" => {
            json!({"email": "mira@example.org", "password": "correct horse battery"})
        }
        "create_host" => json!({"name": "Another", "kind": "club"}),
        "create_host_event" => json!({
            "eventType": "reservation", "title": "Dinner",
            "startsAt": "2026-11-30T18:00:00Z", "endsAt": "2026-11-30T20:00:00Z",
        }),
        "update_profile" | "create_booking" => json!({}),
        _ => json!({"fields": []}),
    }
}

/// Routes that are not in the document, read from the sources that register them.
pub(crate) fn routes_in_sources() -> BTreeSet<String> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders = vec![crates.join("spots-web/src"), crates.join("spots-host/src")];
    let mut routes: BTreeSet<_> = spots_web::PLAIN_ROUTES.map(str::to_owned).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(path).unwrap();
            for rest in source.split(".route(").skip(1) {
                if let Some(literal) = rest.trim_start().strip_prefix('"') {
                    routes.insert(literal.split('"').next().unwrap().to_owned());
                }
            }
        }
    }
    routes
}

/// Every page and file, as a browser in which the host's member signed in.
async fn walk_pages(world: &World, secrets: &Secrets) {
    let mira = world.app.person("Mira2").await.unwrap();
    let routes = routes_in_sources();
    assert!(
        routes.len() > 20,
        "the sources register more routes than {routes:?}"
    );
    for route in routes {
        let path = world
            .ids
            .iter()
            .fold(route, |path, (name, id)| path.replace(name, id));
        let path = path.replace("{name}", "spots.css");
        for (method, token) in [("GET", &world.mira.token), ("POST", &mira.token)] {
            let request = Request::builder()
                .method(method)
                .uri(&path)
                .header("cookie", format!("spots_session={token}"))
                .header("content-type", "application/x-www-form-urlencoded");
            let request = request.body(Body::empty()).unwrap();
            let reply = world.app.anonymous().send(request).await.unwrap();
            assert_ne!(reply.status, 500, "{method} {path}: {}", reply.text());
            assert!(!path.contains('{'), "no value for a part of {path}");
            secrets.absent_from(&path, &reply);
        }
    }
}

#[tokio::test]
async fn a_host_finds_no_agent_id_on_any_route() {
    find_no_agent_id(TestApp::new().unwrap()).await;
}

#[tokio::test]
async fn a_host_finds_no_agent_id_on_any_route_on_postgres() {
    find_no_agent_id(TestApp::on_postgres().await.unwrap()).await;
}

async fn find_no_agent_id(app: TestApp) {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // Another test of this process may have set one; then only the answers are searched.
    let logged = tracing::subscriber::set_global_default(subscriber).is_ok();
    let world = world(app).await;
    let secrets = Secrets::of(&world.guest);

    walk_pages(&world, &secrets).await;
    let document = serde_json::to_value(spots_web::openapi()).unwrap();
    let mut visited = BTreeSet::new();
    let (mut saw_guest, mut saw_copy) = (false, false);
    // What takes away comes last.
    let mut operations = operations(&document);
    operations.sort_by_key(|(method, path, _)| (method == "DELETE", !path.ends_with("/shares")));
    for (method, path, operation) in &operations {
        let name = operation["operationId"].as_str().unwrap();
        let path = world
            .ids
            .iter()
            .fold(path.clone(), |path, (name, id)| path.replace(name, id));
        let method: Method = method.parse().unwrap();
        let body = matches!(method, Method::POST | Method::PUT).then(|| body(name));
        for client in [&world.mira.client, &world.app.anonymous()] {
            let reply = client
                .request(method.clone(), &path, body.as_ref())
                .await
                .unwrap();
            assert_ne!(reply.status, 500, "{name}: {}", reply.text());
            secrets.absent_from(name, &reply);
            saw_copy |= name == "copy_guests" && reply.text().contains(CANARY_NAME);
            saw_guest |= name == "list_guests" && reply.text().contains(CANARY_NAME);
        }
        visited.insert((method.to_string(), path));
    }
    assert!(
        saw_guest && saw_copy,
        "the walk must pass by what is shared, or it proves nothing"
    );
    assert_eq!(visited.len(), operations.len(), "a route was not visited");

    if logged {
        let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
        assert!(log.contains("answered"), "nothing was logged");
        secrets.absent("the log", &log);
        let words = ["{eventType}", "{stream}"];
        for (_, id) in world.ids.iter().filter(|(name, _)| !words.contains(name)) {
            assert!(!log.contains(id.as_str()), "the log holds an id of a path");
        }
        assert!(!log.contains(CANARY_NAME), "the log holds a name");
    }
}

#[tokio::test]
async fn no_personal_data_lies_open_in_the_database() {
    let world = world(TestApp::new().unwrap()).await;
    let bytes = world.app.database_bytes().unwrap();
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(
        holds("Elsewhere"),
        "the search must find what is public, or it proves nothing"
    );
    for canary in [
        CANARY_NAME,
        CANARY_PHONE,
        CANARY_COMPANY,
        "guest@example.org",
        &world.guest.token,
    ] {
        assert!(!holds(canary), "the database holds {canary}");
    }
}
