//! The main job in a real browser, on the real binary.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use spots_testkit::browser::{Browser, Tab};

/// `spots demo`; stopped with the value.
struct Demo {
    process: Child,
    address: String,
    _lines: Lines<BufReader<ChildStdout>>,
}

impl Demo {
    fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the test runs the binary as people do"
        )]
        let mut process = Command::new(env!("CARGO_BIN_EXE_spots"))
            .args(["demo", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Held to the end: a program whose reader goes away stops.
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| Some(line.strip_prefix("SPOTS listens on ")?.to_owned()))
            .expect("the demo tells its address");
        Self {
            process,
            address,
            _lines: lines,
        }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Pictures to look at, left in the build's folder for temporary files.
async fn pictures(tab: &Tab, name: &str) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&folder).unwrap();
    for (width, dark, suffix) in [
        (375, false, "375-light"),
        (1280, false, "1280-light"),
        (1280, true, "1280-dark"),
    ] {
        tab.look(width, dark).await.unwrap();
        tab.picture(&folder.join(format!("{name}-{suffix}.png")))
            .await
            .unwrap();
    }
    tab.look(1280, false).await.unwrap();
}

async fn sign(tab: &Tab, demo: &Demo, page: &str, email: &str) {
    tab.go(&demo.at(page)).await.unwrap();
    tab.fill("#email", email).await.unwrap();
    tab.fill("#password", "spots-demo-2026").await.unwrap();
    tab.click_through("main form button").await.unwrap();
}

/// The path of the first link whose address fits the selector.
async fn link(tab: &Tab, selector: &str) -> String {
    let script = format!("document.querySelector({selector:?}).getAttribute('href')");
    tab.ask(&script).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_books_shares_a_name_and_takes_it_back() {
    let demo = Demo::start();
    let (attendee, host) = (
        Browser::start().await.unwrap(),
        Browser::start().await.unwrap(),
    );
    let me = attendee.open(&demo.at("/")).await.unwrap();
    pictures(&me, "home").await;

    sign(&me, &demo, "/sign-up", "new@demo.example").await;
    let event = book_a_table(&me, &demo).await;
    pictures(&me, "booking").await;
    let handle = me.text(".handle").await.unwrap();
    assert!(handle.starts_with("Guest "), "{handle}");

    let they = host.open(&demo.at("/sign-in")).await.unwrap();
    sign(&they, &demo, "/sign-in", "business@demo.example").await;
    they.go(&demo.at("/host")).await.unwrap();
    let own = link(&they, "main a[href^='/hosts/host_']").await;
    let guests = demo.at(&format!("{own}{event}/guests"));
    they.go(&guests).await.unwrap();
    pictures(&they, "guests").await;
    assert!(
        they.shows("Robin Example").await.unwrap(),
        "the host sees the name"
    );
    assert!(
        they.shows(&handle).await.unwrap(),
        "the host sees the handle"
    );
    assert!(
        !they.shows("+4930").await.unwrap(),
        "the host sees no phone"
    );
    assert!(
        !they.html().await.unwrap().contains("agent_"),
        "the host sees no agent"
    );

    me.go(&demo.at("/me/sharing")).await.unwrap();
    assert!(
        me.shows("Last looked on").await.unwrap(),
        "the person sees who looked"
    );
    pictures(&me, "sharing").await;
    me.click_through("form[action='/me/sharing/revoke'] button")
        .await
        .unwrap();
    assert!(!me.shows("Robin Example").await.unwrap());

    they.go(&guests).await.unwrap();
    assert!(
        !they.shows("Robin Example").await.unwrap(),
        "the name is gone for the host"
    );
    assert!(they.shows(&handle).await.unwrap(), "the booking stays");
    leave(&me, &demo).await;

    attendee.stop().await.unwrap();
    host.stop().await.unwrap();
}

/// Downloads what there is to keep, and deletes the account.
async fn leave(me: &Tab, demo: &Demo) {
    me.go(&demo.at("/me/bookings")).await.unwrap();
    let booking = link(me, "main a[href^='/bookings/booking_']").await;
    me.go(&demo.at(&booking)).await.unwrap();
    me.click_through("main a[href^='/me/shares/']")
        .await
        .unwrap();
    pictures(me, "receipt").await;
    for said in ["You agreed", "You took it back", "in the ledger"] {
        assert!(me.shows(said).await.unwrap(), "{said}");
    }
    let receipt = link(me, "main a[href$='/receipt']").await;
    let fetch = format!("fetch({receipt:?}).then(answer => answer.json())");
    let state =
        format!("{fetch}.then(receipt => receipt.events.map(one => one.event_state).join())");
    let state: String = me.ask(&state).await.unwrap();
    assert!(state.starts_with("consent given"), "{state}");
    assert!(state.ends_with("consent withdrawn"), "{state}");

    me.go(&demo.at("/me/profile")).await.unwrap();
    pictures(me, "profile").await;
    me.go(&demo.at("/me/delete")).await.unwrap();
    me.click("#understood").await.unwrap();
    me.click_through("form[action='/me/delete'] button")
        .await
        .unwrap();
    assert!(me.shows("Your account is deleted").await.unwrap());
    assert!(me.shows("destroyed: 1 of user_keys").await.unwrap());
    pictures(me, "erased").await;
}

/// Books a table with the name shared and the phone typed but not shared. Returns the path of the
/// event.
async fn book_a_table(me: &Tab, demo: &Demo) -> String {
    me.go(&demo.at("/?type=reservation")).await.unwrap();
    me.click_through("#results h2 a").await.unwrap();
    pictures(me, "event").await;
    let event = me.ask::<String>("location.pathname").await.unwrap();
    me.click("input[name='slot']:not(:disabled)").await.unwrap();
    me.click_through("#times button").await.unwrap();

    me.click_through(".actions button").await.unwrap();
    assert!(
        me.shows("takes no booking without this").await.unwrap(),
        "a name is required"
    );
    pictures(me, "book-refused").await;

    me.fill("[id='value.name']", "Robin Example").await.unwrap();
    me.fill("[id='value.phoneNumber']", "+49301234567")
        .await
        .unwrap();
    me.click("[id='share.name']").await.unwrap();
    let seen = "document.querySelector('#host-sees').innerText.includes('Robin Example')";
    me.until(seen).await.unwrap();
    pictures(me, "book").await;
    me.click_through(".actions button").await.unwrap();
    let at = me.address().await.unwrap();
    assert!(at.contains("/bookings/booking_"), "{at}");
    event
}
