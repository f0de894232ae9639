//! The pages for hosts through their forms, as browsers send them.

pub(crate) mod browser;

use spots_testkit::app::{Reply, TestApp};

use self::browser::Browser;

/// A reader's path: `/hosts/host_…`.
struct Host {
    browser: Browser,
    path: String,
}

async fn host(app: &TestApp, email: &str) -> Host {
    let browser = Browser::sign_up(app, email).await;
    let form = [("name", "Café Mira"), ("kind", "business")];
    let added = browser.post("/host", &form).await;
    let location = location(&added);
    let path = location.strip_suffix("?done=host-added").unwrap();
    assert!(path.starts_with("/hosts/host_"), "{location}");
    Host {
        path: path.to_owned(),
        browser,
    }
}

fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", reply.text());
    reply.headers["location"].to_str().unwrap().to_owned()
}

const ASK: [(&str, &str); 6] = [
    ("ask.name", "required"),
    ("purpose.name", "To greet you."),
    ("retentionDays.name", "1"),
    ("ask.phoneNumber", "optional"),
    ("purpose.phoneNumber", "To call you if we run late."),
    ("retentionDays.phoneNumber", "2"),
];

const DINNER: [(&str, &str); 9] = [
    ("eventType", "reservation"),
    ("title", "Dinner at Mira's"),
    ("schedule", "occurrences"),
    ("firstDate", "2026-12-12"),
    ("times", "18:00, 20:30"),
    ("durationMinutes", "120"),
    ("timeZone", "Europe/Berlin"),
    ("capacity", "40"),
    ("partyMax", "8"),
];

/// Adds the dinner and returns the path of its guests.
async fn dinner(host: &Host) -> String {
    let requirements = format!("{}/requirements/reservation", host.path);
    let saved = host.browser.post(&requirements, &ASK).await;
    assert_eq!(location(&saved), format!("{requirements}?done=saved"));
    let new = format!("{}/events/new", host.path);
    let added = location(&host.browser.post(&new, &DINNER).await);
    let list = host.browser.page(&added).await;
    assert!(list.contains("The event is added."), "{list}");
    let mark = format!("{}/events/event_", host.path);
    let (_, rest) = list.split_once(&mark).expect("the list links to the event");
    let (id, _) = rest.split_once('/').unwrap();
    format!("{mark}{id}/guests")
}

/// 12 December 2026, 18:00 in Berlin.
const SLOT: &str = "1797094800";

/// Books the dinner for two, sharing a name and no phone number; the booking's id.
async fn book(ada: &Browser, guests: &str) -> String {
    let event = guests.rsplit('/').nth(1).unwrap().to_owned();
    let step = ada
        .page(&format!("/events/{event}/book?slot={SLOT}&party=2"))
        .await;
    let mut form = vec![
        ("slot", SLOT),
        ("party", "2"),
        ("share.name", "on"),
        ("value.name", "Ada Lovelace"),
        ("value.phoneNumber", "+4930555010101"),
    ];
    let version = browser::value_of(&step, "requirementsVersion");
    let key = browser::value_of(&step, "idempotencyKey");
    form.extend([
        ("requirementsVersion", &*version),
        ("idempotencyKey", &*key),
    ]);
    let booked = location(&ada.post(&format!("/events/{event}/book"), &form).await);
    let booking = booked.strip_prefix("/bookings/").unwrap();
    booking.strip_suffix("?done=booked").unwrap().to_owned()
}

#[tokio::test]
async fn a_host_sees_what_is_shared_until_it_is_taken_back() {
    let app = TestApp::new().unwrap();
    let host = host(&app, "mira@example.org").await;
    let guests = dinner(&host).await;
    assert!(
        host.browser
            .page(&guests)
            .await
            .contains("Nobody has booked yet")
    );

    let ada = Browser::sign_up(&app, "ada@example.org").await;
    let booking = book(&ada, &guests).await;
    let page = host.browser.page(&guests).await;
    assert!(
        page.contains("Ada Lovelace") && page.contains("Guest "),
        "{page}"
    );
    assert!(
        !page.contains("555010101") && page.contains("not shared"),
        "{page}"
    );
    assert!(page.contains("Sat 12 December, 18:00"), "{page}");

    let (_, handle) = page
        .split_once("<th scope=\"row\">Guest ")
        .expect("a row begins with the guest's handle");
    let code = handle.get(..7).expect("a code has seven characters");
    for (query, found) in [
        (format!("?q={}", code.to_lowercase()), true),
        ("?q=ILOU".to_owned(), false),
        (format!("?slot={SLOT}"), true),
        ("?slot=1797103800".to_owned(), false),
        ("?page=2".to_owned(), false),
    ] {
        let page = host.browser.page(&format!("{guests}{query}")).await;
        assert_eq!(page.contains("Ada Lovelace"), found, "{query}");
    }
    let sharing = ada.page("/me/sharing").await;
    assert!(
        sharing.contains("Café Mira"),
        "the opening is shown: {sharing}"
    );

    let revoke = [("bookingId", &*booking), ("by", "host")];
    let revoked = ada.post("/me/sharing/revoke", &revoke).await;
    assert_eq!(revoked.status, 303, "{}", revoked.text());
    let page = host.browser.page(&guests).await;
    assert!(!page.contains("Ada Lovelace"), "{page}");
    assert!(page.contains(code), "the booking stays: {page}");
}

#[tokio::test]
async fn only_members_come_in() {
    let app = TestApp::new().unwrap();
    let host = host(&app, "mira@example.org").await;
    let guests = dinner(&host).await;
    let stranger = Browser::sign_up(&app, "eve@example.org").await;
    let own = |rest: &str| format!("{}{rest}", host.path);
    let pages = [
        own(""),
        own("/events"),
        own("/events/new"),
        own("/requirements/reservation"),
        own("/import"),
        guests.clone(),
    ];
    for page in &pages {
        let reply = stranger.get(page).await;
        assert_eq!(reply.status, 403, "{page}: {}", reply.text());
        assert!(reply.text().contains("This is not yours"), "{page}");
        let sent = location(&Browser::nobody(&app).get(page).await);
        assert_eq!(sent, format!("/sign-in?next={page}"));
    }
    let refused = stranger.post(&own("/events/new"), &DINNER).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(
        location(&Browser::nobody(&app).get("/host").await),
        "/sign-in?next=/host"
    );
    for missing in [
        "/hosts/host_AAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        "/hosts/nonsense/events".to_owned(),
        own("/requirements/garden_party"),
        own("/events/event_AAAAAAAAAAAAAAAAAAAAAA/guests"),
    ] {
        let reply = host.browser.get(&missing).await;
        assert_eq!(reply.status, 404, "{missing}: {}", reply.text());
        assert!(reply.text().contains("There is nothing here"), "{missing}");
    }
    // An event of another host is none of this one's.
    let other = self::host(&app, "olga@example.org").await;
    let (_, rest) = guests.split_at(host.path.len());
    let crossed = other.browser.get(&format!("{}{rest}", other.path)).await;
    assert_eq!(crossed.status, 404, "{}", crossed.text());
}

type Refusal = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

/// Page, form, what must still be there, and the input to mend.
const REFUSALS: &[Refusal] = &[
    (
        "/events/new",
        &[
            ("title", "Tango night"),
            ("firstDate", "soon"),
            ("partyMax", "8"),
        ],
        "Tango night",
        "#firstDate",
    ),
    (
        "/events/new",
        &[
            ("title", "Lunch"),
            ("schedule", "tables"),
            ("tables.opens", "noon"),
            ("tables.weekdays", "fri"),
        ],
        "noon",
        "#tables.opens",
    ),
    (
        "/events/new",
        &[
            ("eventType", "reservation"),
            ("title", "Past"),
            ("firstDate", "2020-01-01"),
            ("times", "18:00"),
            ("durationMinutes", "60"),
            ("partyMax", "2"),
            ("timeZone", "UTC"),
        ],
        "2020-01-01",
        "#firstDate",
    ),
    (
        "/requirements/reservation",
        &[
            ("ask.name", "required"),
            ("purpose.name", ""),
            ("retentionDays.name", "7"),
        ],
        "value=\"7\"",
        "#purpose.name",
    ),
    (
        "/requirements/reservation",
        &[
            ("additional.0.label", "Seat?"),
            ("additional.0.kind", "choice"),
            ("additional.0.choices", "Inside"),
            ("additional.0.ask", "optional"),
            ("additional.0.purpose", "Placing you"),
            ("additional.0.retentionDays", "1"),
        ],
        "Placing you",
        "#additional.0.choices",
    ),
];

#[tokio::test]
async fn a_form_that_is_refused_keeps_what_was_typed() {
    let app = TestApp::new().unwrap();
    let host = host(&app, "mira@example.org").await;
    for (page, form, kept, target) in REFUSALS {
        let before = app.fingerprint().unwrap();
        let reply = host
            .browser
            .post(&format!("{}{page}", host.path), form)
            .await;
        let text = reply.text();
        assert_eq!(reply.status, 422, "{form:?}: {text}");
        assert!(
            text.contains(kept) && text.contains(target),
            "{form:?}: {text}"
        );
        assert_eq!(
            before,
            app.fingerprint().unwrap(),
            "{form:?} stored something"
        );
    }
    let reply = host
        .browser
        .post("/host", &[("name", ""), ("kind", "club")])
        .await;
    assert_eq!(reply.status, 422);
    assert!(reply.text().contains("#name"), "{}", reply.text());
}

#[tokio::test]
async fn a_host_asks_questions_of_its_own() {
    let app = TestApp::new().unwrap();
    let host = host(&app, "mira@example.org").await;
    let page = format!("{}/requirements/reservation", host.path);
    let question = [
        ("additional.0.label", "Any allergies?"),
        ("additional.0.kind", "text"),
        ("additional.0.ask", "optional"),
        ("additional.0.purpose", "Cooking for you safely."),
        ("additional.0.retentionDays", "1"),
    ];
    let mut more = question.to_vec();
    more.push(("action", "add"));
    let added = host.browser.post(&page, &more).await;
    assert_eq!(added.status, 200, "{}", added.text());
    assert!(
        added.text().contains("additional.1.label"),
        "{}",
        added.text()
    );
    let _saved = location(&host.browser.post(&page, &question).await);
    let saved = host.browser.page(&page).await;
    assert!(saved.contains("value=\"anyallergies\""), "{saved}");
    let overview = host.browser.page(&host.path).await;
    assert!(overview.contains("Any allergies?"), "{overview}");
}

#[tokio::test]
async fn tables_can_be_booked_and_events_searched() {
    let app = TestApp::new().unwrap();
    let host = host(&app, "mira@example.org").await;
    let _guests = dinner(&host).await;
    let tables = [
        ("eventType", "reservation"),
        ("title", "Lunch"),
        ("schedule", "tables"),
        ("tables.weekdays", "fri"),
        ("tables.weekdays", "sat"),
        ("tables.opens", "12:00"),
        ("tables.closes", "15:00"),
        ("tables.everyMinutes", "30"),
        ("tables.stayMinutes", "90"),
        ("tables.daysAhead", "30"),
        ("timeZone", "Europe/Berlin"),
        ("partyMax", "6"),
    ];
    let new = format!("{}/events/new", host.path);
    let _added = location(&host.browser.post(&new, &tables).await);
    let list = format!("{}/events", host.path);
    // 27 November 2026 is the first Friday.
    let page = host.browser.page(&list).await;
    assert!(page.contains("Fri 27 November, 12:00"), "{page}");
    for (query, lunch, dinner) in [
        ("?q=lunch", true, false),
        ("?period=upcoming", true, true),
        ("?period=past", false, false),
    ] {
        let page = host.browser.page(&format!("{list}{query}")).await;
        assert_eq!(
            (page.contains(">Lunch<"), page.contains("Dinner at Mira")),
            (lunch, dinner),
            "{query}: {page}"
        );
    }
    app.advance_hours(24 * 40);
    let mira = host.browser.again(&app, "mira@example.org").await;
    let past = mira.page(&format!("{list}?period=past")).await;
    assert!(
        past.contains("Dinner at Mira") && past.contains("Over"),
        "{past}"
    );
}

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n\
    BEGIN:VEVENT\r\nUID:tasting@example.org\r\nSUMMARY:Natural wines\r\n\
    DTSTART;TZID=Europe/Berlin:20261201T190000\r\nDTEND;TZID=Europe/Berlin:20261201T210000\r\n\
    RRULE:FREQ=WEEKLY;COUNT=3\r\nEND:VEVENT\r\n\
    BEGIN:VEVENT\r\nUID:bread@example.org\r\nSUMMARY:Baking bread\r\n\
    DTSTART:20261205T100000Z\r\nDTEND:20261205T120000Z\r\nEND:VEVENT\r\n\
    BEGIN:VTODO\r\nUID:todo@example.org\r\nSUMMARY:Buy chairs\r\nEND:VTODO\r\n\
    END:VCALENDAR\r\n";

#[tokio::test]
async fn a_calendar_is_shown_before_it_is_imported() {
    let app = TestApp::new().unwrap();
    let host = host(&app, "mira@example.org").await;
    let import = format!("{}/import", host.path);
    assert!(host.browser.page(&import).await.contains("1 MB"));
    let chosen = [
        ("eventType", "business_event"),
        ("timeZone", "Europe/Berlin"),
        ("capacity", "12"),
    ];
    let mut first = chosen.to_vec();
    first.push(("action", "preview"));
    let before = app.fingerprint().unwrap();
    let preview = host
        .browser
        .upload(&import, &first, CALENDAR.as_bytes())
        .await;
    let text = preview.text();
    assert_eq!(preview.status, 200, "{text}");
    assert!(text.contains("2 events to create, 1 left out"), "{text}");
    assert!(
        text.contains("Natural wines") && text.contains("3 times"),
        "{text}"
    );
    assert!(
        text.contains("Buy chairs") && text.contains("Only events (VEVENT) are imported."),
        "{text}"
    );
    assert_eq!(
        before,
        app.fingerprint().unwrap(),
        "the preview stored something"
    );

    let carried = browser::value_of(&text, "carried");
    let mut second = chosen.to_vec();
    second.extend([("action", "create"), ("carried", &*carried)]);
    for _again in 0..2 {
        let created = host.browser.upload(&import, &second, b"").await;
        let list = host.browser.page(&location(&created)).await;
        assert_eq!(list.matches("Natural wines").count(), 1, "{list}");
        assert_eq!(list.matches("Baking bread").count(), 1, "{list}");
        assert!(list.contains("0 of 12 taken"), "{list}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_calendar_is_refused() {
    let app = TestApp::new().unwrap();
    let host = host(&app, "mira@example.org").await;
    let import = format!("{}/import", host.path);
    let form = [
        ("action", "preview"),
        ("eventType", "business_event"),
        ("timeZone", "UTC"),
    ];
    let large = vec![b'x'; 1024 * 1024 + 1];
    let huge = vec![b'x'; 4 * 1024 * 1024];
    for (file, mend) in [
        (&b"not a calendar"[..], "This is no iCalendar file"),
        (b"", "Choose the calendar file"),
        (&large, "This file has more than 1 MB."),
        (&huge, "This file has more than 1 MB."),
    ] {
        let reply = host.browser.upload(&import, &form, file).await;
        assert_eq!(reply.status, 422, "{}", reply.text());
        assert!(reply.text().contains(mend), "{mend}: {}", reply.text());
    }
}

#[tokio::test]
async fn a_browser_gets_problems_as_pages() {
    let app = TestApp::new().unwrap();
    let nobody = Browser::nobody(&app);
    let page = nobody.get("/nowhere").await;
    assert_eq!(page.status, 404);
    assert!(
        page.text().contains("There is nothing here"),
        "{}",
        page.text()
    );
    let api = nobody.get("/api/v1/nowhere").await;
    assert_eq!(
        (api.status.as_u16(), api.code().as_str()),
        (404, "not-found")
    );
    let program = app.anonymous().get("/nowhere").await.unwrap();
    assert_eq!(program.headers["content-type"], "application/problem+json");
    let method = nobody.post("/me/bookings", &[]).await;
    assert_eq!(method.status, 405);
    assert!(
        method.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
}
