//! What a person gives, for how long, what they are told of it, and what a host gets instead.

use serde_json::{Value, json};
use spots_booking::EventType;
use spots_testkit::app::{Person, TestApp};

use crate::host_pages::browser::{Browser, value_of};

struct World {
    app: TestApp,
    mira: Person,
    ada: Person,
    host: String,
    event: String,
}

/// A host that asks these fields at a business event.
async fn world(fields: Value) -> World {
    let app = TestApp::new().unwrap();
    let mira = app.person("Mira").await.unwrap();
    let ada = app.person("Ada").await.unwrap();
    let host = mira.add_host("Café Mira", "business").await.unwrap();
    let path = format!("/api/v1/hosts/{host}/requirements/business_event");
    let asked = json!({"fields": fields});
    mira.client
        .put(&path, &asked)
        .await
        .unwrap()
        .json(200)
        .unwrap();
    let event = mira
        .add_event(&host, EventType::BusinessEvent, None)
        .await
        .unwrap();
    World {
        app,
        mira,
        ada,
        host,
        event,
    }
}

fn question(key: &str, kind: &str, names: &[&str]) -> Value {
    json!({
        "field": format!("additionalData.{key}"), "ask": "optional", "label": key,
        "purpose": "We serve wine.", "retentionDays": 1, "valueType": kind, "choices": names,
    })
}

fn name() -> Value {
    json!({"field": "name", "ask": "optional", "purpose": "To greet you.", "retentionDays": 5})
}

impl World {
    async fn guests(&self) -> Value {
        let path = format!("/api/v1/hosts/{}/events/{}/guests", self.host, self.event);
        self.mira
            .client
            .get(&path)
            .await
            .unwrap()
            .json(200)
            .unwrap()
    }

    async fn copy(&self) -> String {
        let path = format!(
            "/api/v1/hosts/{}/events/{}/guests.csv",
            self.host, self.event
        );
        let reply = self.mira.client.get(&path).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.headers["content-type"], "text/csv; charset=utf-8");
        reply.text()
    }

    async fn shares(&self, query: &str) -> Value {
        let path = format!("/api/v1/me/shares{query}");
        self.ada.client.get(&path).await.unwrap().json(200).unwrap()
    }

    async fn try_book(&self, body: &Value) -> spots_testkit::app::Reply {
        let path = format!("/api/v1/events/{}/bookings", self.event);
        self.ada.client.post(&path, body).await.unwrap()
    }
}

async fn only_a_birthday_makes_one_of_age(world: &World) {
    // Twenty years old on the day of the test.
    let profile = json!({"name": "Ada", "birthday": "2006-11-22"});
    world
        .ada
        .client
        .put("/api/v1/me/profile", &profile)
        .await
        .unwrap();
    let both = json!({"userData": {
        "additionalData": {"adult": true, "senior": true}, "sharedWithHost": true,
    }});
    let reply = world.try_book(&both).await;
    assert_eq!(
        reply.fields(),
        ["userData.additionalData.senior"],
        "{}",
        reply.text()
    );
    let typed = json!({"userData": {
        "additionalData": {"adult": "yes: I swear"}, "sharedWithHost": true,
    }});
    assert_eq!(
        world.try_book(&typed).await.status,
        422,
        "nobody types the answer"
    );
}

#[tokio::test]
async fn a_host_gets_an_age_without_the_date() {
    let world = world(json!([
        question("adult", "over_18", &[]),
        question("senior", "over_21", &[]),
    ]))
    .await;
    let adult = json!({"userData": {"additionalData": {"adult": true}, "sharedWithHost": true}});
    let reply = world.try_book(&adult).await;
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str()),
        (422, "invalid-fields"),
        "{}",
        reply.text()
    );
    assert!(
        reply.text().contains("profile"),
        "the person is told how to mend it: {}",
        reply.text()
    );
    only_a_birthday_makes_one_of_age(&world).await;
    world.try_book(&adult).await.json(201).unwrap();

    let guests = world.guests().await;
    let answer = guests["items"][0]["userData"]["additionalData"]["adult"]
        .as_str()
        .unwrap();
    assert_eq!(
        answer,
        "yes: 18 or over, by the birthday in the guest's sealed profile, which is the guest's own \
         word (2026-11-22 17:00 UTC)"
    );
    assert!(!guests.to_string().contains("2006"), "no date: {guests}");
    assert!(!world.copy().await.contains("2006"));
    // The person sees the same answer, and takes it back like any field.
    let shares = world.shares("").await;
    assert_eq!(shares["items"][0]["value"], answer);
    world
        .ada
        .client
        .delete("/api/v1/me/shares?all=true")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(world.guests().await["items"][0]["userData"], Value::Null);
}

#[tokio::test]
async fn a_membership_is_a_yes_with_who_vouches() {
    let world = world(json!([
        question("club", "club_member", &["Ruderclub am Nordufer"]),
        question("company", "company_member", &["Nordlicht AG"]),
    ]))
    .await;
    let no = json!({"userData": {"additionalData": {"club": false}, "sharedWithHost": true}});
    assert_eq!(world.try_book(&no).await.status, 422, "a no is never told");
    let yes = json!({"userData": {
        "additionalData": {"club": true, "company": true}, "sharedWithHost": true,
    }});
    world.try_book(&yes).await.json(201).unwrap();
    let guests = world.guests().await;
    let data = &guests["items"][0]["userData"]["additionalData"];
    assert_eq!(
        data["club"],
        "yes: member of Ruderclub am Nordufer, by the guest's own word (2026-11-22 17:00 UTC)"
    );
    assert!(
        data["company"]
            .as_str()
            .unwrap()
            .starts_with("yes: affiliated with Nordlicht AG")
    );
    let path = format!("/api/v1/hosts/{}/requirements/business_event", world.host);
    for (kind, names) in [
        ("club_member", &[][..]),
        ("club_member", &["A", "B"]),
        ("over_18", &["A"]),
    ] {
        let bad = json!({"fields": [question("x", kind, names)]});
        let reply = world.mira.client.put(&path, &bad).await.unwrap();
        assert_eq!(reply.status, 422, "{kind} {names:?}: {}", reply.text());
    }
}

#[tokio::test]
async fn the_sooner_end_wins() {
    let world = world(json!([name()])).await;
    let with = |until: &str| json!({"shareUntil": until, "userData": {"name": "Ada", "sharedWithHost": true}});
    let past = world.try_book(&with("2026-11-22T16:59:59Z")).await;
    assert_eq!(past.fields(), ["shareUntil"], "{}", past.text());
    // The host's five days end on 4 December.
    for (until, ends) in [
        ("2026-11-23T17:00:00Z", "2026-11-23T17:00:00Z"),
        ("2027-11-23T17:00:00Z", "2026-12-04T20:00:00Z"),
    ] {
        world.try_book(&with(until)).await.json(201).unwrap();
        let shares = world.shares("").await;
        assert_eq!(shares["items"][0]["expiresAt"], ends);
        world
            .ada
            .client
            .delete("/api/v1/me/shares?all=true")
            .await
            .unwrap();
    }
    world
        .try_book(&with("2026-11-23T17:00:00Z"))
        .await
        .json(201)
        .unwrap();
    world.app.advance_hours(24);
    let read = world.guests().await.to_string();
    assert!(!read.contains("Ada"), "{read}");
}

#[tokio::test]
async fn a_copy_is_marked_and_shown_to_whom_it_is_about() {
    let world = world(json!([name()])).await;
    let data = json!({"name": "=HYPERLINK(\"x\")", "sharedWithHost": true});
    world.ada.book(&world.event, &data).await.unwrap();
    world.guests().await;
    assert_eq!(
        world.shares("").await["items"][0]["lastDownloadedAt"],
        Value::Null
    );
    let copy = world.copy().await;
    let shares = world.shares("").await;
    let share = &shares["items"][0];
    let grant = share["shareId"].as_str().unwrap();
    assert!(
        copy.contains(&format!("\"{grant}\",\"2026-11-22T17:00:00Z\"")),
        "{copy}"
    );
    assert!(
        copy.contains("\"'=HYPERLINK(\"\"x\"\")\""),
        "no cell is a formula: {copy}"
    );
    assert!(share["lastDownloadedAt"].is_string());
    assert_eq!(share["openings"], 2);
    let openings = world
        .ada
        .client
        .get("/api/v1/me/openings")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(openings["items"][0]["channel"], "download");
    world
        .ada
        .client
        .delete("/api/v1/me/shares?all=true")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert!(!world.copy().await.contains("HYPERLINK"));
    let ended = world.shares("?ended=true").await;
    let share = &ended["items"][0];
    assert!(
        share["lastDownloadedAt"].is_string(),
        "the copy is still named"
    );
    assert!(
        share["revokedAt"].is_string() && share["purgedAt"].is_null(),
        "two facts: {share}"
    );
}

#[tokio::test]
async fn an_event_called_off_ends_what_was_shared_for_it() {
    let world = world(json!([name()])).await;
    world
        .ada
        .book(
            &world.event,
            &json!({"name": "Ada", "sharedWithHost": true}),
        )
        .await
        .unwrap();
    let path = format!("/api/v1/hosts/{}/events/{}", world.host, world.event);
    let done = world
        .mira
        .client
        .delete(&path)
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(done, json!({"cancelledBookings": 1, "endedFields": 1}));
    let again = world
        .mira
        .client
        .delete(&path)
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert_eq!(again, json!({"cancelledBookings": 0, "endedFields": 0}));
    assert_eq!(world.guests().await["items"][0]["userData"], Value::Null);
    assert_eq!(world.shares("").await["items"], json!([]));
    let refused = world.try_book(&json!({})).await;
    assert_eq!(refused.code(), "event-called-off");
    let ada = Browser::of(&world.app, "ada@example.org").await;
    let list = ada.page("/me/bookings").await;
    let (_, link) = list.split_once("href=\"/bookings/").unwrap();
    let (id, _) = link.split_once('"').unwrap();
    for page in [list.clone(), ada.page(&format!("/bookings/{id}")).await] {
        assert!(
            page.contains("Called off"),
            "it was not she who cancelled: {page}"
        );
    }
}

#[tokio::test]
async fn a_new_agent_keeps_everything_and_the_host_notices_nothing() {
    let world = world(json!([name()])).await;
    world
        .ada
        .book(
            &world.event,
            &json!({"name": "Ada", "sharedWithHost": true}),
        )
        .await
        .unwrap();
    let before = world.guests().await;
    let new = world
        .ada
        .client
        .post("/api/v1/me/agent", &json!({}))
        .await
        .unwrap();
    let new = new.json(201).unwrap();
    assert_ne!(new["agentId"], world.ada.agent_id);
    let openings = async || {
        let metrics = world.app.anonymous().get("/metrics").await.unwrap().text();
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("spots_mapping_openings_total "));
        line.unwrap().parse::<u64>().unwrap()
    };
    let counted = openings().await;
    world.shares("").await;
    assert_eq!(
        openings().await,
        counted + 1,
        "access to the mapping is counted"
    );
    assert_eq!(world.guests().await, before);
    assert_eq!(world.shares("").await["items"].as_array().unwrap().len(), 1);
    let bookings = world
        .ada
        .client
        .get("/api/v1/me/bookings")
        .await
        .unwrap()
        .json(200)
        .unwrap();
    assert!(
        bookings
            .to_string()
            .contains(new["agentId"].as_str().unwrap())
    );
    assert!(!bookings.to_string().contains(&world.ada.agent_id));
}

async fn both_look_the_same(person: &Person, method: &str, there: &str, not_there: &str) {
    let mut seen = Vec::new();
    for path in [there, not_there] {
        let reply = person
            .client
            .request(method.parse().unwrap(), path, None)
            .await
            .unwrap();
        let headers = reply
            .headers
            .iter()
            .filter(|(name, _)| *name != "x-request-id");
        let headers: Vec<_> = headers
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut body: Value = serde_json::from_slice(&reply.body).unwrap();
        // The request's own number.
        body.as_object_mut().unwrap().remove("instance");
        seen.push((reply.status, body, headers));
    }
    assert_eq!(seen[0].0, 404, "{method} {there}: {}", seen[0].1);
    assert_eq!(seen[0], seen[1], "{method} {there}");
}

/// What is not there and what is somebody else's are told in the same words, from the same code.
#[tokio::test]
async fn what_is_not_yours_looks_like_what_is_not_there() {
    let world = world(json!([name()])).await;
    let eve = world.app.person("Eve").await.unwrap();
    let elsewhere = eve.add_host("Elsewhere", "business").await.unwrap();
    let data = json!({"name": "Ada", "sharedWithHost": true});
    let booking = world.ada.book(&world.event, &data).await.unwrap();
    let booking = booking["bookingId"].as_str().unwrap();
    let shares = world.shares("").await;
    let share = shares["items"][0]["shareId"].as_str().unwrap();
    let other = |id: &str| {
        let (prefix, random) = id.split_once('_').unwrap();
        let first = if random.starts_with('A') { "B" } else { "A" };
        format!("{prefix}_{first}{}", &random[1..])
    };
    let event = &world.event;
    for (method, there, not_there) in [
        (
            "DELETE",
            format!("/api/v1/me/shares/{share}"),
            format!("/api/v1/me/shares/{}", other(share)),
        ),
        (
            "GET",
            format!("/api/v1/me/bookings/{booking}"),
            format!("/api/v1/me/bookings/{}", other(booking)),
        ),
        (
            "DELETE",
            format!("/api/v1/me/bookings/{booking}"),
            format!("/api/v1/me/bookings/{}", other(booking)),
        ),
        (
            "GET",
            format!("/api/v1/hosts/{elsewhere}/events/{event}/guests"),
            format!("/api/v1/hosts/{elsewhere}/events/{}/guests", other(event)),
        ),
        (
            "GET",
            format!("/api/v1/hosts/{elsewhere}/events/{event}/guests.csv"),
            format!(
                "/api/v1/hosts/{elsewhere}/events/{}/guests.csv",
                other(event)
            ),
        ),
        (
            "DELETE",
            format!("/api/v1/hosts/{elsewhere}/events/{event}"),
            format!("/api/v1/hosts/{elsewhere}/events/{}", other(event)),
        ),
    ] {
        both_look_the_same(&eve, method, &there, &not_there).await;
    }
    assert_eq!(
        world.shares("").await["items"].as_array().unwrap().len(),
        1,
        "nothing happened"
    );
}

/// A host that turns every page and tries every id that it can make meets its own guests alone.
#[tokio::test]
async fn a_host_paging_through_ids_meets_its_own_guests_alone() {
    let world = world(json!([name()])).await;
    let data = json!({"name": "Ada", "sharedWithHost": true});
    world.ada.book(&world.event, &data).await.unwrap();
    let theirs = world.guests().await["items"][0].clone();
    let eve = world.app.person("Eve").await.unwrap();
    let own = eve.add_host("Elsewhere", "business").await.unwrap();
    let event = eve.add_event(&own, EventType::BusinessEvent, None).await;
    let event = event.unwrap();
    for guest in ["Ben", "Cleo", "Dan"] {
        let guest = world.app.person(guest).await.unwrap();
        guest.book(&event, &json!({})).await.unwrap();
    }
    let list = format!("/api/v1/hosts/{own}/events/{event}/guests");
    let read = async |query: &str| {
        let reply = eve.client.get(&format!("{list}?{query}")).await.unwrap();
        let page = reply.json(200).unwrap();
        page["items"].as_array().unwrap().clone()
    };
    let mut met = std::collections::BTreeSet::new();
    for page in 1..=6 {
        let items = read(&format!("perPage=1&page={page}")).await;
        assert_eq!(items.len(), usize::from(page <= 3), "page {page}");
        met.extend(items.iter().map(|guest| guest["guestId"].to_string()));
    }
    assert_eq!(met.len(), 3);
    assert!(!met.contains(&theirs["guestId"].to_string()));
    // The ids of a guest elsewhere lead nowhere here, in any place of a path.
    for id in [
        &theirs["guestId"],
        &theirs["bookingId"],
        &json!(world.event),
    ] {
        let id = id.as_str().unwrap();
        for path in [
            format!("/api/v1/hosts/{own}/events/{id}/guests"),
            format!("/api/v1/me/bookings/{id}"),
            format!("/api/v1/me/shares/{id}/receipt"),
        ] {
            let reply = eve.client.get(&path).await.unwrap();
            assert_eq!(reply.status, 404, "{path}: {}", reply.text());
        }
    }
    // Pages and numbers that no list has.
    for query in ["perPage=0", "perPage=101", "page=0", "page=1001"] {
        let reply = eve.client.get(&format!("{list}?{query}")).await.unwrap();
        assert_eq!(reply.status, 422, "{query}: {}", reply.text());
    }
    let shares = world.shares("").await;
    assert_eq!(
        shares["items"][0]["openings"], 1,
        "nothing of hers was opened"
    );
}

#[tokio::test]
async fn names_that_play_tricks_and_answers_that_are_too_much_are_refused() {
    let world = world(json!([name(), question("diet", "text", &[])])).await;
    for name in [
        "Ada\u{202e}ecalevoL",
        "A\u{200b}da",
        "Ada\u{feff}",
        "Ada\u{2066}x\u{2069}",
        "Ada\u{0}",
        "Ada\nBen",
        "\u{200f}",
        "\u{3164}",
        "Ada\u{e0042}",
        "A\u{ad}da",
        &format!("Ada{}", "\u{301}".repeat(5)),
        &format!("Ada{}", "\u{301}".repeat(10_000)),
        "",
        " ",
        &"a".repeat(201),
    ] {
        let data = json!({"userData": {"name": name, "sharedWithHost": true}});
        let reply = world.try_book(&data).await;
        assert_eq!(
            reply.fields(),
            ["userData.name"],
            "{name:?}: {}",
            reply.text()
        );
    }
    for diet in ["x".repeat(1_001), "\u{1f95c}".repeat(1_001)] {
        let data = json!({"userData": {"additionalData": {"diet": diet}, "sharedWithHost": true}});
        assert_eq!(
            world.try_book(&data).await.fields(),
            ["userData.additionalData.diet"]
        );
    }
    let many: serde_json::Map<_, _> = (0..5_000)
        .map(|key| (format!("k{key}"), json!("x")))
        .collect();
    let data = json!({"userData": {"additionalData": many, "sharedWithHost": true}});
    assert_eq!(world.try_book(&data).await.status, 422);
    let huge = json!({"userData": {"additionalData": {"diet": "x".repeat(300_000)}, "sharedWithHost": true}});
    assert_eq!(world.try_book(&huge).await.status, 413);
    assert_eq!(
        world.guests().await["items"],
        json!([]),
        "nothing was taken"
    );
    // What only looks unusual is a name.
    for name in ["Zoë", "Nguyễn Thị Minh", "李小龙", "Ó Súilleabháin", "محمد"] {
        let data = json!({"userData": {"name": name, "sharedWithHost": true}});
        world.try_book(&data).await.json(201).unwrap();
    }
}

/// A clear refusal to the host; the guest sees that it is there, and mends it.
#[tokio::test]
async fn an_altered_value_is_refused_with_the_next_step() {
    let world = world(json!([name()])).await;
    let data = json!({"userData": {"name": "Ada", "sharedWithHost": true}});
    world.try_book(&data).await.json(201).unwrap();
    let file = rusqlite::Connection::open(world.app.folder().join("spots.sqlite")).unwrap();
    let altered = "UPDATE reservation_user_data_fields SET sealed = zeroblob(length(sealed))";
    assert_eq!(file.execute(altered, []).unwrap(), 1);
    let path = format!("/hosts/{}/events/{}/guests", world.host, world.event);
    let api = format!("/api/v1{path}");
    let told = world.mira.client.get(&api).await.unwrap();
    assert_eq!(told.code(), "altered");
    let mira = Browser::of(&world.app, "mira@example.org").await;
    for reply in [told, mira.get(&path).await] {
        let text = reply.text();
        assert_eq!(reply.status, 500, "{text}");
        assert!(text.contains("take it back and share it anew"), "{text}");
        assert!(
            !text.contains("share_"),
            "only the operator is told which: {text}"
        );
    }
    assert_eq!(world.shares("").await["items"][0]["value"], Value::Null);
    let ada = Browser::of(&world.app, "ada@example.org").await;
    let sharing = ada.page("/me/sharing").await;
    assert!(sharing.contains("altered in the database"), "{sharing}");
    let share = value_of(&sharing, "shareId");
    let form = [("shareId", share.as_str()), ("field", "name")];
    assert_eq!(ada.post("/me/sharing/revoke", &form).await.status, 303);
    let guests = world.guests().await;
    assert_eq!(guests["items"].as_array().unwrap().len(), 1, "{guests}");
}
