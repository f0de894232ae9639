//! Every page × every sample: rendered, held to the rules of the house, and compared.
//!
//! All renderings are written to `target/tmp/pages` with the assets beside them; any server of
//! plain files shows them to a browser.

mod assets;
mod html;
mod rules;

use std::fs;
use std::path::PathBuf;

use askama::Template;
use spots_host::view as host;
use spots_host::view::Samples;
use spots_web::pages::assets::ASSETS;
use spots_web::pages::view as web;

/// A rendered sample.
struct Rendering {
    /// Page and sample: `events.typical`.
    name: String,
    html: String,
}

#[test]
fn every_page_keeps_the_rules() {
    let mut broken = Vec::new();
    for rendering in &all_renderings() {
        let document = match html::Document::parse(&rendering.html) {
            Ok(document) => document,
            Err(error) => {
                broken.push(format!("{}: {error}", rendering.name));
                continue;
            }
        };
        let is_part = !rendering.html.starts_with("<!doctype html>");
        broken.extend(
            rules::check(&document, is_part)
                .into_iter()
                .map(|finding| format!("{}: {finding}", rendering.name)),
        );
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_page_looks_as_it_did() {
    for rendering in &all_renderings() {
        insta::assert_snapshot!(rendering.name.clone(), content_of(&rendering.html));
    }
}

#[test]
fn the_frame_looks_as_it_did() {
    for rendering in all_renderings() {
        if ["events.empty", "problem.404"].contains(&rendering.name.as_str()) {
            let content = content_of(&rendering.html);
            let frame = rendering.html.replace(content, "…");
            insta::assert_snapshot!(format!("frame.{}", rendering.name), frame);
        }
    }
}

#[test]
fn what_people_type_is_escaped() {
    let mut page = first_sample::<web::EventsPage>();
    page.q = "\"><script>alert(1)</script>".to_owned();
    page.page.title = "</title><script>".to_owned();
    let html = page.render().expect("the template renders");
    assert_eq!(
        html.matches("<script").count(),
        1,
        "only the vendored one: {html}"
    );
}

#[test]
fn all_renderings_are_there_to_look_at() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    fs::create_dir_all(folder.join("assets")).expect("the folder can be made");
    for rendering in &all_renderings() {
        let path = folder.join(format!("{}.html", rendering.name));
        fs::write(&path, &rendering.html).expect("the rendering can be written");
    }
    for asset in &ASSETS {
        let path = folder.join("assets").join(asset.name);
        fs::write(&path, asset.bytes).expect("the asset can be written");
    }
}

/// The inside of `<main>`; the whole of a part.
fn content_of(html: &str) -> &str {
    let start = html.find("<main").unwrap_or(0);
    let end = html.find("</main>").unwrap_or(html.len());
    html.get(start..end)
        .expect("`</main>` follows `<main`")
        .trim()
}

fn first_sample<T: Samples>() -> T {
    T::samples()
        .into_iter()
        .next()
        .expect("every page has a sample")
        .context
}

fn renderings<T: Template + Samples>(page: &str) -> Vec<Rendering> {
    T::samples()
        .into_iter()
        .map(|sample| Rendering {
            name: format!("{page}.{}", sample.name),
            html: sample.context.render().expect("every sample renders"),
        })
        .collect()
}

fn all_renderings() -> Vec<Rendering> {
    [
        renderings::<web::EventsPage>("events"),
        renderings::<web::EventPage>("event"),
        renderings::<web::BookPage>("book"),
        renderings::<web::HostSeesPart>("host_sees"),
        renderings::<web::FullPage>("full"),
        renderings::<web::BookingPage>("booking"),
        renderings::<web::MyBookingsPage>("my_bookings"),
        renderings::<web::SharingPage>("sharing"),
        renderings::<web::ReceiptPage>("receipt"),
        renderings::<web::ProfilePage>("profile"),
        renderings::<web::ConfirmEmailPage>("confirm_email"),
        renderings::<web::PreferencesPage>("preferences"),
        renderings::<web::DeleteAccountPage>("delete_account"),
        renderings::<web::ErasedPage>("erased"),
        renderings::<web::SignInPage>("sign_in"),
        renderings::<web::SignUpPage>("sign_up"),
        renderings::<host::ProblemPage>("problem"),
        renderings::<web::ProsePage>("prose"),
        renderings::<web::ApiPage>("api_docs"),
        renderings::<host::HostsPage>("hosts"),
        renderings::<host::HostHomePage>("host_home"),
        renderings::<host::HostEventsPage>("host_events"),
        renderings::<host::NewEventPage>("new_event"),
        renderings::<host::RequirementsPage>("requirements"),
        renderings::<host::MembersPage>("members"),
        renderings::<host::ImportPage>("import"),
        renderings::<host::GuestsPage>("guests"),
    ]
    .into_iter()
    .flatten()
    .collect()
}
