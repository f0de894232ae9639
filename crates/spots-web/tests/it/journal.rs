//! The journal over HTTP: what is taken, placed, refused, and who reads.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use spots_booking::Stream;
use spots_clock::{NodeIdentity, TimestampId, rfc3339};
use spots_testkit::app::{Client, Person, TestApp};
use spots_web::Settings;
use spots_web::service::Operators;

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;
const TOKEN: &str = "the token of an operator";

struct World {
    app: TestApp,
    ada: Person,
    operator: Client,
}

async fn world() -> World {
    let settings = Settings {
        operators: Operators::parse(&Operators::line("desk", TOKEN)).unwrap(),
        ..Settings::default()
    };
    let app = TestApp::with_settings(settings).unwrap();
    let ada = app.person("Ada").await.unwrap();
    let operator = app.bearer(TOKEN);
    World { app, ada, operator }
}

impl World {
    async fn now(&self) -> u64 {
        let time = self.app.anonymous().get("/api/v1/time").await.unwrap();
        let text = time.json(200).unwrap()["nanoseconds"]
            .as_str()
            .unwrap()
            .to_owned();
        text.parse().unwrap()
    }

    async fn read(&self, stream: &str) -> Vec<Value> {
        let answer = self
            .operator
            .get(&format!("/api/v1/journal/{stream}"))
            .await
            .unwrap();
        answer.json(200).unwrap()["entries"]
            .as_array()
            .unwrap()
            .clone()
    }

    async fn add(&self, stream: &str, entry: Value) -> Value {
        let body = json!({"entries": [entry]});
        let path = format!("/api/v1/journal/{stream}");
        let answer = self.ada.client.post(&path, &body).await.unwrap();
        answer.json(200).unwrap()["entries"][0].clone()
    }

    /// The field and the code of the first problem; nothing may have been stored.
    async fn refused(&self, stream: &str, entries: Value) -> (String, String) {
        let before = self.app.fingerprint().unwrap();
        let path = format!("/api/v1/journal/{stream}");
        let answer = self
            .ada
            .client
            .post(&path, &json!({"entries": entries}))
            .await
            .unwrap();
        let problem = answer.json(422).unwrap();
        assert_eq!(self.app.fingerprint().unwrap(), before, "{problem}");
        let text = |name: &str| {
            problem["errors"][0][name]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        (text("field"), text("code"))
    }
}

/// A stamp of a device's own clock.
fn stamp(at: u64, bound: Option<u64>) -> Value {
    let id = TimestampId::new(at, NodeIdentity::new(9, 9).unwrap()).unwrap();
    json!({
        "timestampId": id.to_string(), "nanoseconds": at.to_string(), "deviceTime": rfc3339(at),
        "errorBound": bound.map(|bound| bound.to_string()),
    })
}

fn used(key: &str) -> Value {
    json!({"key": key, "kind": "used", "body": {"feature": "map", "count": 1}})
}

fn with(mut entry: Value, name: &str, value: Value) -> Value {
    entry[name] = value;
    entry
}

#[tokio::test]
async fn what_happened_offline_is_placed_between_its_receipt_and_its_arrival() {
    let world = world().await;
    let nonce = json!({"nonce": "00112233445566778899aabbccddeeff"});
    let sync = world
        .app
        .anonymous()
        .post("/api/v1/time/sync", &nonce)
        .await
        .unwrap();
    let sync = sync.json(200).unwrap();
    let receipted: u64 = sync["receivedAt"].as_str().unwrap().parse().unwrap();
    world.app.advance_hours(2);
    let now = world.now().await;
    // It says an hour ago, give or take: three hours would reach below the receipt and above now.
    let wide = with(
        used("wide-0001"),
        "stamp",
        stamp(now - HOUR, Some(3 * HOUR)),
    );
    world
        .add("analytics", with(wide, "receipt", sync["receipt"].clone()))
        .await;
    let narrow = stamp(now - HOUR, Some(SECOND));
    world
        .add(
            "analytics",
            with(used("narrow-01"), "stamp", narrow.clone()),
        )
        .await;
    // What was learned afterwards goes before the stamp's own bound: the device was a minute slow.
    let offset = (60 * SECOND).to_string();
    let after = json!({"at": (now - HOUR).to_string(), "low": offset, "high": offset});
    let corrected = with(used("corrected"), "stamp", narrow.clone());
    let corrected = with(
        corrected,
        "correction",
        json!({"before": null, "after": after}),
    );
    world.add("analytics", corrected).await;
    world.add("analytics", used("plain-001")).await;

    let read = world.read("analytics").await;
    let [wide, narrow_read, corrected, plain] = &read[..] else {
        panic!("four entries, not {read:?}")
    };
    let moment = |entry: &Value, name: &str| {
        let text = entry[name].as_str().unwrap().to_owned();
        let moment: jiff::Timestamp = text.parse().unwrap();
        u64::try_from(moment.as_nanosecond()).unwrap()
    };
    assert!(moment(wide, "earliest").abs_diff(receipted) < SECOND);
    assert!(moment(wide, "latest") >= now && moment(wide, "latest") < now + SECOND);
    assert!(wide["receipt"].is_string());
    assert_eq!(moment(narrow_read, "earliest"), now - HOUR - SECOND);
    assert_eq!(moment(narrow_read, "latest"), now - HOUR + SECOND);
    assert_eq!(narrow_read["stamp"], narrow, "as it came");
    let true_time = now - HOUR + 60 * SECOND;
    assert!(moment(corrected, "earliest") <= true_time && true_time <= moment(corrected, "latest"));
    assert!(moment(corrected, "latest") - moment(corrected, "earliest") < SECOND);
    assert_eq!(plain["earliest"], Value::Null);
    assert_eq!(plain["actor"].as_str().unwrap(), world.ada.agent_id);
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table, one case a line")]
async fn what_cannot_be_is_refused_by_name_and_stores_nothing() {
    let world = world().await;
    let now = world.now().await;
    let at = |at, bound| with(used("refused-1"), "stamp", stamp(at, bound));
    let body = |body: Value| with(used("refused-1"), "body", body);
    let mut forged = stamp(now, None);
    forged["nanoseconds"] = json!((now + 1).to_string());
    let receipt = URL_SAFE_NO_PAD.encode([b's'; 120]);
    let cases = [
        (
            "analytics",
            at(now + HOUR, Some(1)),
            "stamp",
            "in-the-future",
        ),
        (
            "analytics",
            at(now - 31 * 24 * HOUR, Some(1)),
            "stamp",
            "too-late",
        ),
        (
            "analytics",
            with(used("refused-1"), "stamp", forged),
            "stamp",
            "invalid",
        ),
        (
            "analytics",
            with(used("refused-1"), "receipt", json!(receipt)),
            "receipt",
            "invalid",
        ),
        (
            "analytics",
            with(used("refused-1"), "receipt", json!("x")),
            "receipt",
            "invalid",
        ),
        (
            "analytics",
            with(used("a:b:c:d:e"), "kind", json!("used")),
            "key",
            "invalid",
        ),
        (
            "analytics",
            with(used("refused-1"), "kind", json!("booked")),
            "kind",
            "invalid",
        ),
        (
            "reservations",
            with(used("refused-1"), "kind", json!("booked")),
            "kind",
            "invalid",
        ),
        (
            "analytics",
            body(json!({"feature": "map", "count": 1, "phoneNumber": "+493012345"})),
            "body.phoneNumber",
            "personal-field",
        ),
        (
            "analytics",
            body(json!({"feature": "map", "count": 1, "mood": 1})),
            "body.mood",
            "unknown-field",
        ),
        (
            "analytics",
            body(json!({"feature": "map"})),
            "body.count",
            "required",
        ),
        (
            "analytics",
            body(json!({"feature": "Ada Lovelace", "count": 1})),
            "body",
            "invalid",
        ),
        (
            "ai2ai",
            json!({"key": "refused-1", "kind": "connected",
                   "body": {"connectionId": world.ada.agent_id}}),
            "body",
            "invalid",
        ),
        (
            "ai2ai",
            json!({"key": "refused-1", "kind": "connected",
                   "body": {"connectionId": "conn_0123456789ab",
                            "peerStamp": stamp(now + HOUR, None)["timestampId"]}}),
            "body.peerStamp",
            "too-far-ahead",
        ),
        (
            "live-tracker",
            json!({"key": "refused-1", "kind": "position",
                   "body": {"trackId": "track_0123456789", "cell": "u33db2m9"}}),
            "body",
            "invalid",
        ),
    ];
    for (stream, entry, field, code) in cases {
        // Behind one that is right, where the stream takes such: the whole batch is refused.
        let (entries, index) = if stream == "analytics" {
            (json!([used("before-01"), entry]), 1)
        } else {
            (json!([entry]), 0)
        };
        let (at, said) = world.refused(stream, entries).await;
        let place = format!("entries[{index}].{field}");
        assert_eq!(
            (at.as_str(), said.as_str()),
            (place.as_str(), code),
            "{entry}"
        );
    }
    let (field, code) = world
        .refused("analytics", json!([used("same-0001"), used("same-0001")]))
        .await;
    assert_eq!(
        (field.as_str(), code.as_str()),
        ("entries[1].key", "repeated")
    );
    let many: Vec<_> = (0..101)
        .map(|number| used(&format!("many-{number:04}")))
        .collect();
    assert_eq!(
        world.refused("analytics", json!(many)).await.1,
        "limit-reached"
    );
    assert_eq!(
        world.refused("analytics", json!([])).await.1,
        "limit-reached"
    );
}

#[tokio::test]
async fn an_effect_sorts_after_its_cause() {
    let world = world().await;
    let ahead = world.now().await + SECOND / 4;
    let body = json!({"connectionId": "conn_0123456789ab", "peerStamp": stamp(ahead, None)["timestampId"]});
    let entry = json!({"key": "connected", "kind": "connected", "body": body});
    let added = world.add("ai2ai", entry).await;
    let id: TimestampId = added["timestampId"].as_str().unwrap().parse().unwrap();
    assert!(id.nanoseconds() > ahead);
}

#[tokio::test]
#[expect(
    clippy::too_many_lines,
    reason = "one reading after the other, each seen by the next"
)]
async fn only_operators_read_and_their_reading_is_entered() {
    let world = world().await;
    world.add("analytics", used("used-0001")).await;
    let mira = world.app.person("Mira").await.unwrap();
    mira.add_host("Café Mira", "business").await.unwrap();
    let path = "/api/v1/journal/analytics";
    for (client, status, code) in [
        (&world.ada.client, 403, "not-an-operator"),
        (&mira.client, 403, "not-an-operator"),
        (&world.app.anonymous(), 401, "not-signed-in"),
        (&world.app.bearer("something else"), 401, "not-signed-in"),
    ] {
        let answer = client.get(path).await.unwrap();
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (status, code)
        );
    }
    assert!(
        world.read("admin").await.is_empty(),
        "nobody has read anything"
    );
    assert_eq!(world.read("analytics").await.len(), 1);
    let performed = json!({"key": "prices-01", "kind": "performed",
                           "body": {"operation": "price-list-published"}});
    let body = json!({"entries": [performed]});
    let admin = "/api/v1/journal/admin";
    assert_eq!(
        world.ada.client.post(admin, &body).await.unwrap().code(),
        "not-an-operator"
    );
    world
        .operator
        .post(admin, &body)
        .await
        .unwrap()
        .json(200)
        .unwrap();
    let told: Vec<_> = world.read("admin").await;
    let told: Vec<_> = told
        .iter()
        .map(|entry| {
            (
                entry["actor"].as_str().unwrap(),
                entry["body"]["operation"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("operator:desk", "journal-read"),
            ("operator:desk", "price-list-published")
        ]
    );
    for (query, status) in [
        ("limit=0", 422),
        ("limit=501", 422),
        ("after=x", 400),
        ("page=1", 400),
    ] {
        let answer = world
            .operator
            .get(&format!("{path}?{query}"))
            .await
            .unwrap();
        assert_eq!(answer.status, status, "{query}");
    }
    assert_eq!(
        world
            .operator
            .get("/api/v1/journal/diary")
            .await
            .unwrap()
            .status,
        404
    );
    // An operator is no person, and adds nothing in anybody's name.
    let body = json!({"entries": [used("used-0002")]});
    assert_eq!(
        world.operator.post(path, &body).await.unwrap().code(),
        "not-an-operator"
    );
    assert_eq!(
        world
            .operator
            .get("/api/v1/me/profile")
            .await
            .unwrap()
            .status,
        401
    );
}

#[tokio::test]
async fn a_time_exchange_is_refused_without_a_nonce() {
    let world = world().await;
    for nonce in [
        json!("00"),
        json!("+0112233445566778899aabbccddeeff"),
        json!("é".repeat(16)),
    ] {
        let body = json!({"nonce": nonce});
        let nobody = world.app.anonymous();
        let answer = nobody.post("/api/v1/time/sync", &body).await.unwrap();
        assert_eq!(answer.fields(), ["nonce"], "{nonce}");
    }
    let keys = world
        .app
        .anonymous()
        .get("/api/v1/time/keys")
        .await
        .unwrap();
    let keys = keys.json(200).unwrap();
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
    let other = TestApp::new().unwrap().with_randomness(std::sync::Arc::new(
        spots_testkit::app::SeededRandomness::new(2),
    ));
    let nonce = json!({"nonce": "00112233445566778899aabbccddeeff"});
    let foreign = other
        .unwrap()
        .anonymous()
        .post("/api/v1/time/sync", &nonce)
        .await
        .unwrap();
    let foreign = foreign.json(200).unwrap()["receipt"].clone();
    let (field, _) = world
        .refused(
            "analytics",
            json!([with(used("refused-1"), "receipt", foreign)]),
        )
        .await;
    assert_eq!(field, "entries[0].receipt", "another platform's receipt");
}

/// What the API itself says that it takes stands in the guide of the stream, and the rules of the
/// stream in the table of all.
#[tokio::test]
async fn the_guides_say_what_the_streams_take() {
    let world = world().await;
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    let page = |name: &str| std::fs::read_to_string(format!("{docs}/{name}")).unwrap();
    let table = page("journal.md");
    for stream in Stream::ALL {
        let guide = page(&format!("integration-{stream}.md"));
        let asked = async |entry: Value| {
            let client = match stream {
                Stream::Admin => &world.operator,
                _ => &world.ada.client,
            };
            let path = format!("/api/v1/journal/{stream}");
            let answer = client.post(&path, &json!({"entries": [entry]})).await;
            let problem = answer.unwrap().json(422).unwrap();
            problem["errors"][0]["message"].as_str().unwrap().to_owned()
        };
        let taken = asked(json!({"key": "key-00001", "kind": "nonsense", "body": {}})).await;
        let kinds = taken.split_once("takes: ").unwrap().1.trim_end_matches('.');
        for kind in kinds.split(", ") {
            assert!(
                guide.contains(kind),
                "{kind} is not in the guide of {stream}"
            );
            let body = json!({"nonsense": 1});
            let fields = asked(json!({"key": "key-00001", "kind": kind, "body": body})).await;
            let fields: Vec<_> = fields.split('`').skip(1).step_by(2).collect();
            assert!(!fields.is_empty());
            for field in fields {
                let said = guide.contains(field);
                assert!(said, "{field} of {kind} is not in the guide of {stream}");
            }
        }
        let row = table
            .lines()
            .find(|line| line.starts_with(&format!("| `{stream}` |")));
        let cells: Vec<_> = row.unwrap().split('|').map(str::trim).collect();
        let days = |days: u16| match days {
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        assert_eq!(cells[4], days(stream.late_days_max()), "{stream}");
        let kept = stream.kept_days();
        assert_eq!(cells[5], kept.map_or("stays".to_owned(), days), "{stream}");
        assert!(
            kept.is_none_or(|kept| kept > stream.late_days_max()),
            "{stream}"
        );
        assert!(
            cells[6].ends_with(&format!("(integration-{stream}.md)")),
            "{stream}"
        );
    }
}
