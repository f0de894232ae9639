//! Who vouches for an answer: a confirmed e-mail domain, and the host's own list; on both databases,
//! over the API and on the pages.

use std::ops::Range;
use std::path::Path;

use serde_json::{Value, json};
use spots_booking::EventType;
use spots_testkit::app::{Person, Reply, TestApp};
use spots_web::{Carrier, Mail, Settings};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::host_pages::browser::Browser;

const CONFIRMATION: &str = "/api/v1/me/email-confirmation";

/// An app whose letters go into a folder.
struct Office {
    app: TestApp,
    letters: TempDir,
}

impl Office {
    fn settings(letters: &Path) -> Settings {
        let carrier = Carrier::Folder(letters.to_owned());
        Settings {
            mail: Mail::new(carrier, "spots@spots.example", "https://spots.example").ok(),
            ..Settings::default()
        }
    }

    fn sqlite() -> Self {
        let letters = tempfile::tempdir().unwrap();
        let app = TestApp::with_settings(Self::settings(letters.path())).unwrap();
        Self { app, letters }
    }

    async fn postgres() -> Self {
        let letters = tempfile::tempdir().unwrap();
        let app = TestApp::on_postgres_with(Self::settings(letters.path())).await;
        Self {
            app: app.unwrap(),
            letters,
        }
    }

    /// Takes the one letter that is there, and gives the token of its link.
    fn token(&self, to: &str) -> String {
        let mut files = std::fs::read_dir(self.letters.path()).unwrap();
        let path = files.next().expect("a letter went out").unwrap().path();
        assert!(files.next().is_none(), "one letter");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        assert!(text.contains(&format!("To: <{to}>\n")), "{text}");
        let (_, rest) = text
            .split_once("https://spots.example/me/email?token=")
            .unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }

    async fn confirm(&self, person: &Person, address: &str) {
        let sent = person.client.post(CONFIRMATION, &json!({})).await.unwrap();
        sent.json(202).unwrap();
        let body = json!({"token": self.token(address)});
        let done = person.client.put(CONFIRMATION, &body).await.unwrap();
        assert_eq!(done.json(200).unwrap()["confirmed"], true);
    }
}

/// A host that asks to belong to it, with who has to vouch.
struct Club {
    mira: Person,
    host: String,
    event: String,
}

impl Club {
    async fn asking(app: &TestApp, voucher: Value) -> Self {
        let mira = app.person("Mira").await.unwrap();
        let host = mira.add_host("Ruderclub", "club").await.unwrap();
        let mut question = json!({
            "field": "additionalData.member", "ask": "optional", "label": "Member",
            "purpose": "Members come in first.", "retentionDays": 1, "valueType": "club_member",
            "choices": ["Ruderclub"],
        });
        let question_body = question.as_object_mut().unwrap();
        question_body.extend(voucher.as_object().unwrap().clone());
        let path = format!("/api/v1/hosts/{host}/requirements/club_event");
        let asked = json!({"fields": [question]});
        let asked = mira.client.put(&path, &asked).await.unwrap();
        let asked = asked.json(200).unwrap();
        for (key, value) in voucher.as_object().unwrap() {
            assert_eq!(&asked["fields"][0][key], value, "{asked}");
        }
        let event = mira.add_event(&host, EventType::ClubEvent, None).await;
        Self {
            event: event.unwrap(),
            mira,
            host,
        }
    }

    async fn book(&self, person: &Person, answer: &Value) -> Reply {
        let path = format!("/api/v1/events/{}/bookings", self.event);
        let data = json!({"additionalData": {"member": answer}, "sharedWithHost": true});
        let body = json!({"userData": data});
        person.client.post(&path, &body).await.unwrap()
    }

    /// What the host is told, guest by guest.
    async fn told(&self) -> Vec<String> {
        let path = format!("/api/v1/hosts/{}/events/{}/guests", self.host, self.event);
        let guests = self.mira.client.get(&path).await.unwrap();
        let guests = guests.json(200).unwrap();
        let guests = guests["items"].as_array().unwrap().iter();
        let answer = |guest: &Value| {
            let answer = guest.pointer("/userData/additionalData/member")?;
            answer.as_str().map(str::to_owned)
        };
        guests.filter_map(answer).collect()
    }

    async fn list(&self) -> Value {
        let path = format!("/api/v1/hosts/{}/members", self.host);
        let list = self.mira.client.get(&path).await.unwrap();
        list.json(200).unwrap()
    }

    async fn set_list(&self, entries: &[&str]) -> Reply {
        let path = format!("/api/v1/hosts/{}/members", self.host);
        let body = json!({"entries": entries});
        self.mira.client.put(&path, &body).await.unwrap()
    }
}

const BY_DOMAIN: fn() -> Value =
    || json!({"vouchedBy": "email_domain", "emailDomain": "example.org"});

#[tokio::test]
async fn a_confirmed_domain_vouches() {
    vouch_by_domain(&Office::sqlite()).await;
}

#[tokio::test]
async fn a_confirmed_domain_vouches_on_postgres() {
    vouch_by_domain(&Office::postgres().await).await;
}

async fn vouch_by_domain(office: &Office) {
    let club = Club::asking(&office.app, BY_DOMAIN()).await;
    let ada = office.app.person("Ada").await.unwrap();
    let refused = club.book(&ada, &json!(true)).await;
    assert_eq!(
        refused.fields(),
        ["userData.additionalData.member"],
        "{}",
        refused.text()
    );
    assert!(refused.text().contains("Confirm your e-mail address"));
    office.confirm(&ada, "ada@example.org").await;
    club.book(&ada, &json!(true)).await.json(201).unwrap();
    assert_eq!(
        club.told().await,
        [
            "yes: member of Ruderclub, by a confirmed e-mail address at example.org (2026-11-22 17:00 \
          UTC)"
        ]
    );

    // An address elsewhere, confirmed, vouches for nothing here; a changed one is not confirmed.
    let body = json!({
        "email": "ada@elsewhere.example", "currentPassword": "correct horse battery",
    });
    let changed = ada.client.put("/api/v1/me/profile", &body).await.unwrap();
    changed.json(200).unwrap();
    let known = ada.client.get(CONFIRMATION).await.unwrap();
    assert_eq!(
        known.json(200).unwrap(),
        json!({"confirmed": false, "sentAt": null, "confirmedAt": null})
    );
    office.confirm(&ada, "ada@elsewhere.example").await;
    let refused = club.book(&ada, &json!(true)).await;
    assert!(
        refused.text().contains("not at example.org"),
        "{}",
        refused.text()
    );
    let export = ada.client.get("/api/v1/me/export").await.unwrap();
    let export = export.json(200).unwrap();
    assert!(export["held"]["emailConfirmation"]["confirmedAt"].is_string());
}

#[tokio::test]
async fn a_link_serves_its_person_once_and_for_a_day() {
    let office = Office::sqlite();
    let (ada, eve) = (
        office.app.person("Ada").await.unwrap(),
        office.app.person("Eve").await.unwrap(),
    );
    let send = async |person: &Person| person.client.post(CONFIRMATION, &json!({})).await.unwrap();
    let give = async |person: &Person, token: &str| {
        let body = json!({"token": token});
        person.client.put(CONFIRMATION, &body).await.unwrap()
    };
    send(&ada).await.json(202).unwrap();
    let first = office.token("ada@example.org");
    assert_eq!(first.len(), 43);
    let soon = send(&ada).await;
    assert_eq!(soon.fields(), ["email"], "{}", soon.text());
    assert!(soon.text().contains("too-soon"));
    office.app.advance_minutes(6);
    send(&ada).await.json(202).unwrap();
    let second = office.token("ada@example.org");
    for (who, token) in [
        (&ada, first.as_str()),
        (&eve, &second),
        (&ada, ""),
        (&ada, "x"),
    ] {
        let refused = give(who, token).await;
        assert_eq!(refused.fields(), ["token"], "{}", refused.text());
    }
    give(&ada, &second).await.json(200).unwrap();
    assert_eq!(give(&ada, &second).await.status, 422, "once");
    // Confirmed is confirmed: no other letter goes out.
    assert_eq!(send(&ada).await.json(202).unwrap()["confirmed"], true);
    assert_eq!(std::fs::read_dir(office.letters.path()).unwrap().count(), 0);

    send(&eve).await.json(202).unwrap();
    let late = office.token("eve@example.org");
    office.app.advance_hours(24);
    office.app.advance_minutes(1);
    assert_eq!(give(&eve, &late).await.status, 422, "a day is over");
}

#[tokio::test]
async fn a_server_without_mail_says_so_and_one_whose_mail_fails_keeps_nothing_of_it() {
    let app = TestApp::new().unwrap();
    let ada = app.person("Ada").await.unwrap();
    let refused = ada.client.post(CONFIRMATION, &json!({})).await.unwrap();
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (501, "no-mail")
    );
    let carrier = Carrier::Command("cat > /dev/null; exit 75".to_owned());
    let settings = Settings {
        mail: Mail::new(carrier, "spots@spots.example", "https://spots.example").ok(),
        ..Settings::default()
    };
    let app = TestApp::with_settings(settings).unwrap();
    let ada = app.person("Ada").await.unwrap();
    let failed = ada.client.post(CONFIRMATION, &json!({})).await.unwrap();
    assert_eq!(
        (failed.status.as_u16(), failed.code().as_str()),
        (500, "internal-error")
    );
    assert!(!failed.text().contains("example.org"), "{}", failed.text());
    let known = ada.client.get(CONFIRMATION).await.unwrap();
    assert_eq!(known.json(200).unwrap()["confirmed"], false);
}

#[tokio::test]
async fn the_hosts_own_list_vouches() {
    vouch_by_list(&Office::sqlite()).await;
}

#[tokio::test]
async fn the_hosts_own_list_vouches_on_postgres() {
    vouch_by_list(&Office::postgres().await).await;
}

async fn vouch_by_list(office: &Office) {
    let club = Club::asking(&office.app, json!({"vouchedBy": "host_list"})).await;
    let (ada, ben) = (
        office.app.person("Ada").await.unwrap(),
        office.app.person("Ben").await.unwrap(),
    );
    let bad = club.set_list(&["ada@example.org", "17", "ben@"]).await;
    assert_eq!(bad.fields(), ["entries[1]", "entries[2]"], "{}", bad.text());
    let entries = ["ADA@example.org", "RC 2026 0042", "rc20260042"];
    let set = club.set_list(&entries).await.json(200).unwrap();
    assert_eq!(set, json!({"entries": 2}));

    // The address alone is nothing: it has to be confirmed.
    let refused = club.book(&ada, &json!(true)).await;
    assert!(
        refused.text().contains("does not name you"),
        "{}",
        refused.text()
    );
    office.confirm(&ada, "ada@example.org").await;
    let before = club.list().await;
    club.book(&ada, &json!(true)).await.json(201).unwrap();
    for wrong in ["RC 2026 0043", "rc2026004"] {
        assert_eq!(club.book(&ben, &json!(wrong)).await.status, 422, "{wrong}");
    }
    club.book(&ben, &json!("RC20260042"))
        .await
        .json(201)
        .unwrap();
    let mut told = club.told().await;
    told.sort();
    assert_eq!(
        told,
        [
            "yes: member of Ruderclub, on the host's own list, by a confirmed e-mail address \
             (2026-11-22 17:00 UTC)",
            "yes: member of Ruderclub, on the host's own list, by a member number (2026-11-22 17:00 \
             UTC)",
        ]
    );
    for person in [&ada, &ben] {
        let path = "/api/v1/me/shares?all=true";
        person.client.delete(path).await.unwrap().json(200).unwrap();
    }
    assert!(club.told().await.is_empty(), "taken back like any field");
    // The host's view of its list tells nothing of who was looked for.
    assert_eq!(club.list().await, before);
}

/// A list that anybody may try is guessed sooner or later; wrong numbers are counted by host.
#[tokio::test]
async fn member_numbers_cannot_be_tried_for_ever() {
    let office = Office::sqlite();
    let club = Club::asking(&office.app, json!({"vouchedBy": "host_list"})).await;
    club.set_list(&["100042"]).await.json(200).unwrap();
    let eve = office.app.person("Eve").await.unwrap();
    let at_once = async |guesses: Range<u32>| {
        let path = format!("/api/v1/events/{}/bookings", club.event);
        let mut tried = JoinSet::new();
        for guess in guesses {
            let data = json!({"member": format!("2000{guess:02}")});
            let data = json!({"additionalData": data, "sharedWithHost": true});
            let (client, path) = (eve.client.clone(), path.clone());
            tried.spawn(async move { client.post(&path, &json!({"userData": data})).await });
        }
        let replies = tried.join_all().await.into_iter();
        replies.map(Result::unwrap).collect::<Vec<_>>()
    };
    // Right ones do not count; thirty wrong ones do, and no more for being sent at once.
    let first = at_once(0..20).await;
    let ben = office.app.person("Ben").await.unwrap();
    club.book(&ben, &json!("100042")).await.json(201).unwrap();
    let refused = [first, at_once(20..60).await].concat();
    let codes: Vec<_> = refused.iter().map(Reply::code).collect();
    let of = |code: &str| codes.iter().filter(|it| *it == code).count();
    assert_eq!(
        (of("invalid-fields"), of("limit-reached")),
        (30, 30),
        "{codes:?}"
    );
    let stopped = club.book(&eve, &json!("100042")).await;
    assert_eq!(stopped.code(), "limit-reached", "{}", stopped.text());
    office.app.advance_hours(1);
    club.book(&eve, &json!("100042")).await.json(201).unwrap();
}

#[tokio::test]
async fn another_hosts_list_is_another_list() {
    let office = Office::sqlite();
    let club = Club::asking(&office.app, json!({"vouchedBy": "host_list"})).await;
    let eve = office.app.person("Eve").await.unwrap();
    let own = eve.add_host("Eve's", "club").await.unwrap();
    let path = format!("/api/v1/hosts/{own}/members");
    let body = json!({"entries": ["100042"]});
    eve.client
        .put(&path, &body)
        .await
        .unwrap()
        .json(200)
        .unwrap();
    let refused = club.book(&eve, &json!("100042")).await;
    assert_eq!(refused.status, 422, "{}", refused.text());
    let theirs = format!("/api/v1/hosts/{}/members", club.host);
    for reply in [
        eve.client.get(&theirs).await.unwrap(),
        eve.client.put(&theirs, &body).await.unwrap(),
    ] {
        assert_eq!(reply.code(), "not-a-member");
    }
    // Not the addresses, not the numbers: hashes, and two hosts' hashes of one entry differ.
    club.set_list(&["100042", "ada@example.org"])
        .await
        .json(200)
        .unwrap();
    let bytes = office.app.database_bytes().unwrap();
    for text in ["100042", "ada@example.org"] {
        let found = bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes());
        assert!(!found, "{text} stands in the database");
    }
    let files = rusqlite::Connection::open(office.app.folder().join("spots.sqlite")).unwrap();
    let sql = "SELECT count(*), count(DISTINCT entry_hash) FROM member_list_entries";
    let counts: (i64, i64) = files
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(counts, (3, 3));
}

#[tokio::test]
async fn a_voucher_that_does_not_fit_is_refused() {
    let app = TestApp::new().unwrap();
    let mira = app.person("Mira").await.unwrap();
    let host = mira.add_host("Ruderclub", "club").await.unwrap();
    let path = format!("/api/v1/hosts/{host}/requirements/club_event");
    for (kind, more, field) in [
        (
            "club_member",
            json!({"vouchedBy": "email_domain"}),
            "fields[0].emailDomain",
        ),
        (
            "club_member",
            json!({"emailDomain": "x.example"}),
            "fields[0].emailDomain",
        ),
        (
            "company_member",
            json!({"vouchedBy": "host_list", "emailDomain": "x.example"}),
            "fields[0].emailDomain",
        ),
        (
            "company_member",
            json!({"vouchedBy": "email_domain", "emailDomain": "not a domain"}),
            "additionalData.x",
        ),
        (
            "text",
            json!({"vouchedBy": "person"}),
            "fields[0].vouchedBy",
        ),
        (
            "over_18",
            json!({"vouchedBy": "host_list"}),
            "fields[0].vouchedBy",
        ),
    ] {
        let names: &[&str] = if kind.ends_with("member") {
            &["A"]
        } else {
            &[]
        };
        let mut question = json!({
            "field": "additionalData.x", "ask": "optional", "label": "X", "purpose": "To know.",
            "retentionDays": 1, "valueType": kind, "choices": names,
        });
        question
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let reply = mira
            .client
            .put(&path, &json!({"fields": [question]}))
            .await
            .unwrap();
        assert_eq!(reply.fields(), [field], "{kind} {more}: {}", reply.text());
    }
}

/// The same through forms: the host's list and question, the person's letter and booking.
#[tokio::test]
async fn the_pages_go_the_whole_way() {
    let office = Office::sqlite();
    let club = Club::asking(&office.app, json!({})).await;
    let ada = office.app.person("Ada").await.unwrap();
    let mira = Browser::of(&office.app, "mira@example.org").await;
    let browser = Browser::of(&office.app, "ada@example.org").await;
    a_host_sets_its_list_and_question(&mira, &club).await;
    a_person_confirms_by_the_link(&office, &browser).await;
    a_person_books_as_a_member(&browser, &club).await;
    drop(ada);
    let members = format!("/hosts/{}/members", club.host);
    let removed = mira
        .post(&members, &[("action", "remove"), ("entries", "")])
        .await;
    assert_eq!(removed.status, 303);
    assert!(mira.page(&members).await.contains("You have no list yet."));
}

async fn a_host_sets_its_list_and_question(mira: &Browser, club: &Club) {
    let members = format!("/hosts/{}/members", club.host);
    let empty = mira.post(&members, &[("entries", " \n ")]).await;
    assert_eq!(empty.status, 422);
    let wrong = mira
        .post(&members, &[("entries", "ada@example.org\n\n17\n")])
        .await;
    assert!(wrong.text().contains("Line 3:"), "{}", wrong.text());
    let saved = mira
        .post(&members, &[("entries", "ada@example.org\n")])
        .await;
    assert_eq!(saved.headers["location"], format!("{members}?done=members"));
    assert!(mira.page(&members).await.contains("Your list has 1 entry."));

    let asked = format!("/hosts/{}/requirements/club_event", club.host);
    let question = |voucher: &'static str| {
        [
            ("additional.0.key", "member"),
            ("additional.0.label", "Member"),
            ("additional.0.kind", "club_member"),
            ("additional.0.name", "Ruderclub"),
            ("additional.0.vouchedBy", voucher),
            ("additional.0.emailDomain", ""),
            ("additional.0.ask", "optional"),
            ("additional.0.purpose", "Members come in first."),
            ("additional.0.retentionDays", "1"),
            ("action", "save"),
        ]
    };
    let refused = mira.post(&asked, &question("email_domain")).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused
            .text()
            .contains("href=\"#additional.0.emailDomain\""),
        "{}",
        refused.text()
    );
    let saved = mira.post(&asked, &question("host_list")).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let page = mira.page(&asked).await;
    assert!(page.contains("value=\"host_list\" selected"), "{page}");
}

async fn a_person_confirms_by_the_link(office: &Office, browser: &Browser) {
    let profile = browser.page("/me/profile").await;
    assert!(profile.contains("href=\"/me/email\""));
    let sent = browser.post("/me/email", &[]).await;
    assert_eq!(sent.headers["location"], "/me/profile?done=letter");
    let token = office.token("ada@example.org");
    let link = browser.page(&format!("/me/email?token={token}")).await;
    assert!(
        link.contains("Confirm ada@example.org"),
        "looking does nothing"
    );
    assert!(!browser.page("/me/profile").await.contains("is confirmed."));
    let nobody = Browser::nobody(&office.app)
        .get(&format!("/me/email?token={token}"))
        .await;
    assert!(
        nobody.headers["location"]
            .to_str()
            .unwrap()
            .starts_with("/sign-in?next=/me/email")
    );
    let done = browser.post("/me/email", &[("token", &token)]).await;
    assert_eq!(done.headers["location"], "/me/profile?done=confirmed");
    assert!(browser.page("/me/profile").await.contains("is confirmed."));
    let again = browser.post("/me/email", &[("token", &token)]).await;
    assert_eq!(again.status, 422);
}

async fn a_person_books_as_a_member(browser: &Browser, club: &Club) {
    let slot = jiff_second("2026-11-29T18:00:00Z");
    let begin = format!("/events/{}/book?slot={slot}&party=1", club.event);
    let page = browser.page(&begin).await;
    assert!(page.contains("by the host&#39;s own list"), "{page}");
    let form = [
        ("slot", slot.as_str()),
        ("party", "1"),
        ("requirementsVersion", "2"),
        ("share.additionalData.member", "on"),
        ("value.additionalData.member", ""),
    ];
    let preview = browser
        .post(&format!("/events/{}/book/preview", club.event), &form)
        .await;
    assert!(preview.text().contains("yes"));
    let booked = browser
        .post(&format!("/events/{}/book", club.event), &form)
        .await;
    assert_eq!(booked.status, 303, "{}", booked.text());
    assert_eq!(club.told().await.len(), 1);
    // Named as the host named it, not by its key.
    let booking = booked.headers["location"].to_str().unwrap();
    for path in [booking, "/me/sharing"] {
        let page = browser.page(path).await;
        assert!(page.contains("<b>Member</b>"), "{path}: {page}");
    }
}

fn jiff_second(text: &str) -> String {
    let at: jiff::Timestamp = text.parse().unwrap();
    at.as_second().to_string()
}
