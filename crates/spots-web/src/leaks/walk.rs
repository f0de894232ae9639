//! Through every route of the document and every page, before and after a revocation.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::http::Method;
use serde_json::{Value, json};
use spots_privacy::Randomness;
use thiserror::Error;

use super::hunt::{Hunt, Leak, Secret};
use super::letters::{self, Letters};
use super::people::{Canary, Share, Visitor, text};

/// Every page, and every route that is for programs and not in the document.
pub const PAGE_ROUTES: &[&str] = &[
    "/",
    "/assets/{name}",
    "/bookings/{bookingId}",
    "/bookings/{bookingId}/cancel",
    "/docs/api",
    "/events/{eventId}",
    "/events/{eventId}/book",
    "/events/{eventId}/book/preview",
    "/healthz",
    "/host",
    "/hosts/{hostId}",
    "/hosts/{hostId}/events",
    "/hosts/{hostId}/events/new",
    "/hosts/{hostId}/events/{eventId}/call-off",
    "/hosts/{hostId}/events/{eventId}/guests",
    "/hosts/{hostId}/import",
    "/hosts/{hostId}/members",
    "/hosts/{hostId}/requirements/{eventType}",
    "/me/agent",
    "/me/bookings",
    "/me/delete",
    "/me/email",
    "/me/export",
    "/me/preferences",
    "/me/profile",
    "/me/shares/{shareId}",
    "/me/shares/{shareId}/receipt",
    "/me/sharing",
    "/me/sharing/revoke",
    "/metrics",
    "/openapi.json",
    "/privacy",
    "/readyz",
    "/sign-in",
    "/sign-out",
    "/sign-up",
];
/// What the first canary shares and takes back,
const SHARED: [&str; 4] = ["name", "phoneNumber", "email", "birthday"];
/// and what they answer to the host's own questions.
const ANSWERED: [&str; 2] = ["additionalData.member", "additionalData.wish"];
/// More than any field or body may hold, in bytes.
const TOO_LONG: usize = 300 * 1024;

/// Why the walk came to no end.
#[derive(Debug, Error)]
pub enum WalkError {
    /// A request that must succeed was refused.
    #[error("{path} was refused with {status} {code}")]
    Refused {
        /// The path.
        path: String,
        /// The status.
        status: u16,
        /// The problem's code.
        code: String,
    },
    /// A path that cannot be asked.
    #[error("{0} is no path")]
    Path(String),
    /// An answer that cannot be read.
    #[error("the answer of {0} cannot be read")]
    Answer(String),
    /// A failure inside, which may hide a leak.
    #[error("{0} failed inside")]
    Failed(String),
    /// The host did not see what was shared with it, so that finding nothing proves nothing.
    #[error("the host does not see what is shared; the walk proves nothing")]
    Blind,
    /// Letters cannot be read.
    #[error("failed to read the letters")]
    Letters(#[source] io::Error),
    /// A letter did not go out, so that finding nothing in them proves nothing.
    #[error("a letter did not go out; the walk proves nothing")]
    NoLetter,
    /// The search cannot be prepared.
    #[error("failed to prepare the search")]
    Search(#[from] aho_corasick::BuildError),
}

/// What the walk came by.
#[derive(Debug, Default)]
pub struct Walked {
    /// Requests that were answered.
    pub requests: usize,
    /// Routes that were asked, as the document and the pages name them.
    pub routes: BTreeSet<String>,
    /// What came out.
    pub leaks: Vec<Leak>,
}

/// The people, the host and what is shared.
#[derive(Debug)]
pub struct Walk {
    router: Router,
    letters: PathBuf,
    keeper: Canary,
    guest: Canary,
    other: Canary,
    ids: Vec<(&'static str, String)>,
    shares: Vec<Share>,
}

impl Walk {
    /// Signs people up, lets them confirm their addresses by the letters that the platform puts into
    /// a folder, offers an event, shares data, and lets the host see it.
    pub async fn begin(
        router: Router,
        letters: &Path,
        random: &dyn Randomness,
    ) -> Result<Self, WalkError> {
        let keeper = Canary::arrive(&router, random, 0).await?;
        let mut guest = Canary::arrive(&router, random, 1).await?;
        let other = Canary::arrive(&router, random, 2).await?;
        letters::confirm(&guest, letters).await?;
        letters::confirm_on_the_page(&router, &other, letters).await?;
        let host = json!({"name": "Kanary House", "kind": "business"});
        let host = text(
            &keeper
                .visitor
                .ask(Method::POST, "/api/v1/hosts", &host)
                .await?,
            "hostId",
        );
        let event = offered(&router, &keeper, &host).await?;
        let (booking, share) = booked(&event, &guest, &other).await?;
        let ids = vec![
            ("{hostId}", host),
            ("{eventId}", event),
            ("{eventType}", "business_event".to_owned()),
            ("{bookingId}", booking),
            ("{shareId}", share.clone()),
            ("{name}", "spots.css".to_owned()),
        ];
        let fields = SHARED.iter().chain(&ANSWERED);
        let shares = fields.map(|field| Share {
            share: share.clone(),
            field: (*field).to_owned(),
        });
        guest.take_another_address().await?;
        letters::confirm(&guest, letters).await?;
        let walk = Self {
            letters: letters.to_owned(),
            shares: shares.collect(),
            router,
            keeper,
            guest,
            other,
            ids,
        };
        walk.look().await?;
        Ok(walk)
    }

    /// The fields that were shared, whose keys the database holds until [`Self::everywhere`].
    pub fn shares(&self) -> &[Share] {
        &self.shares
    }

    /// What must not be in any log line.
    pub fn secrets(&self) -> Vec<Secret> {
        let people = [&self.keeper, &self.guest, &self.other];
        people.into_iter().flat_map(Canary::secrets).collect()
    }

    /// What must not stand open in a file of the database, which knows agents and users by id.
    pub fn stored_secrets(&self) -> Vec<Secret> {
        let people = [&self.keeper, &self.guest, &self.other];
        people
            .into_iter()
            .flat_map(Canary::stored_secrets)
            .collect()
    }

    /// What stands in the letters that went out until now, and must not: anything of anybody but the
    /// recipient's own address, or of `also`.
    pub fn letters(&self, also: &[Secret]) -> Result<Letters, WalkError> {
        let people = [
            ("the host's member", &self.keeper),
            ("the guest", &self.guest),
            ("another guest", &self.other),
        ];
        letters::search(&self.letters, &people, also)
    }

    /// As the host, on the page and over the API, while it is allowed.
    async fn look(&self) -> Result<(), WalkError> {
        let phone = self.guest.value("phoneNumber").trim_start_matches('+');
        let api = self.fill("/api/v1/hosts/{hostId}/events/{eventId}/guests");
        let page = self.fill("/hosts/{hostId}/events/{eventId}/guests");
        let hunt = Hunt::new(&self.guest.never_shared())?;
        for (visitor, path) in [
            (&self.keeper.visitor, &api),
            (&Visitor::browser(&self.router, &self.keeper.token), &page),
        ] {
            let answer = visitor.send((Method::GET, path), None).await?;
            let bytes = answer.bytes();
            let shown = String::from_utf8_lossy(&bytes);
            let shown = shown.contains(phone) && shown.contains("by a confirmed e-mail address");
            if !shown || !hunt.search(path, &bytes).is_empty() {
                return Err(WalkError::Blind);
            }
        }
        Ok(())
    }

    /// Takes everything back, then asks every route as everybody.
    pub async fn everywhere(&self, document: &Value) -> Result<Walked, WalkError> {
        let mut walked = Walked::default();
        self.while_it_is_shared(&mut walked).await?;
        let revoked = self
            .guest
            .visitor
            .send((Method::DELETE, "/api/v1/me/shares?all=true"), None)
            .await?;
        if !revoked.status.is_success() {
            return Err(WalkError::Failed("DELETE /api/v1/me/shares".to_owned()));
        }
        let theirs = Hunt::new(&[self.guest.secrets(), self.other.secrets()].concat())?;
        let mut operations = operations(document);
        // What takes away comes last.
        operations.sort_by_key(|(method, path, _)| (*method == Method::DELETE, path.len() < 12));
        self.pages(&theirs, &mut walked).await?;
        self.errors(&operations, &mut walked).await?;
        for (method, path, name) in &operations {
            for visitor in [&self.keeper.visitor, &Visitor::nobody(&self.router)] {
                let body = self.body(name);
                let body = takes_body(method).then(|| ("application/json", body.to_string()));
                self.ask(visitor, (method, path), body, (&theirs, &mut walked))
                    .await?;
            }
        }
        // The canaries' own turn: what they get is theirs, but not each other's.
        let (guests, others) = (self.but(&self.other)?, self.but(&self.guest)?);
        for (method, path, name) in &operations {
            for (person, hunt) in [(&self.guest, &others), (&self.other, &guests)] {
                let body =
                    takes_body(method).then(|| ("application/json", self.body(name).to_string()));
                self.ask(&person.visitor, (method, path), body, (hunt, &mut walked))
                    .await?;
            }
        }
        Ok(walked)
    }

    /// What must not be seen by one person: what is everybody else's.
    fn but(&self, person: &Canary) -> Result<Hunt, WalkError> {
        let people = [&self.keeper, &self.guest, &self.other].into_iter();
        let others = people.filter(|other| other.email != person.email);
        Ok(Hunt::new(
            &others.flat_map(Canary::secrets).collect::<Vec<_>>(),
        )?)
    }

    /// Every page in everybody's browser; the host may see what is shared, but not who it is.
    async fn while_it_is_shared(&self, walked: &mut Walked) -> Result<(), WalkError> {
        let guests = [self.guest.never_shared(), self.other.never_shared()].concat();
        for (person, hunt) in [
            (&self.keeper, Hunt::new(&guests)?),
            (&self.guest, self.but(&self.guest)?),
            (&self.other, self.but(&self.other)?),
        ] {
            let browser = Visitor::browser(&self.router, &person.token);
            for route in PAGE_ROUTES {
                let asked = (&Method::GET, *route);
                self.ask(&browser, asked, None, (&hunt, &mut *walked))
                    .await?;
            }
        }
        Ok(())
    }

    /// Every page and file, read and posted to, in the browsers of the host and of nobody.
    async fn pages(&self, theirs: &Hunt, walked: &mut Walked) -> Result<(), WalkError> {
        let session = json!({"email": self.keeper.email, "password": self.keeper.password});
        let nobody = Visitor::nobody(&self.router);
        for route in PAGE_ROUTES {
            // A session of its own each time: some pages end it.
            let session = nobody
                .ask(Method::POST, "/api/v1/sessions", &session)
                .await?;
            let browser = Visitor::browser(&self.router, &text(&session, "token"));
            for visitor in [&browser, &nobody] {
                for method in [Method::GET, Method::POST] {
                    let body = takes_body(&method)
                        .then(|| ("application/x-www-form-urlencoded", String::new()));
                    let asked = (&method, *route);
                    self.ask(visitor, asked, body, (theirs, &mut *walked))
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Bad requests that carry a canary's data; the log must not repeat it.
    async fn errors(
        &self,
        operations: &[(Method, String, String)],
        walked: &mut Walked,
    ) -> Result<(), WalkError> {
        let nothing = Hunt::new(&[])?;
        let name = self.guest.value("name");
        let bad = [
            format!("{{\"name\": {}", json!(name)),
            json!({"email": [name], "name": {"x": name}, "userData": name}).to_string(),
            json!({"email": name, "password": name, "title": name, "fields": name}).to_string(),
            json!({"name": name.repeat(TOO_LONG / name.len())}).to_string(),
        ];
        let query = self.guest.value("phoneNumber").trim_start_matches('+');
        for (method, path, _) in operations
            .iter()
            .filter(|(method, ..)| *method != Method::DELETE)
        {
            let path = format!("{path}?limit={query}&text={query}&code={query}");
            for body in &bad {
                let body = takes_body(method).then(|| ("application/json", body.clone()));
                let asked = (method, path.as_str());
                self.ask(&self.guest.visitor, asked, body, (&nothing, &mut *walked))
                    .await?;
            }
        }
        Ok(())
    }

    async fn ask(
        &self,
        visitor: &Visitor,
        (method, route): (&Method, &str),
        body: Option<(&str, String)>,
        (hunt, walked): (&Hunt, &mut Walked),
    ) -> Result<(), WalkError> {
        let path = self.fill(route);
        let answer = visitor.send((method.clone(), &path), body).await?;
        let place = format!("{method} {route}");
        if answer.status.as_u16() == 500 {
            return Err(WalkError::Failed(place));
        }
        walked.requests += 1;
        walked.leaks.extend(hunt.search(&place, &answer.bytes()));
        let route = route.split('?').next().unwrap_or_default();
        walked.routes.insert(format!("{method} {route}"));
        Ok(())
    }

    /// A path with the ids of this walk in it.
    fn fill(&self, route: &str) -> String {
        let path = self
            .ids
            .iter()
            .fold(route.to_owned(), |path, (name, id)| path.replace(name, id));
        // What a later route names beside them is not there.
        path.replace('{', "no-").replace('}', "")
    }

    fn body(&self, operation: &str) -> Value {
        match operation {
            // Somebody whose data nobody looks for signs up, and in.
            "create_account" | "create_session" => {
                json!({"email": "later@example.org", "password": "long enough to do"})
            }
            "create_host" => json!({"name": "Another house", "kind": "club"}),
            "update_member_list" => json!({"entries": [self.guest.email]}),
            "confirm_email" => json!({"token": self.guest.token}),
            "update_requirements" | "update_sharing_defaults" => json!({"fields": []}),
            _ => json!({}),
        }
    }
}

/// Says what the host asks for, and offers an event; returns its id.
async fn offered(router: &Router, keeper: &Canary, host: &str) -> Result<String, WalkError> {
    let rules: Vec<_> = SHARED.iter().chain(&ANSWERED).map(|it| rule(it)).collect();
    let path = format!("/api/v1/hosts/{host}/requirements/business_event");
    keeper
        .visitor
        .ask(Method::PUT, &path, &json!({"fields": rules}))
        .await?;
    let now = Visitor::nobody(router)
        .send((Method::GET, "/api/v1/time"), None)
        .await?;
    let path = format!("/api/v1/hosts/{host}/events");
    let offer = offer(&now.json());
    let event = keeper.visitor.ask(Method::POST, &path, &offer).await?;
    Ok(text(&event, "eventId"))
}

/// Books for one who shares and for one who does not; returns the first one's booking and share.
async fn booked(
    event: &str,
    guest: &Canary,
    other: &Canary,
) -> Result<(String, String), WalkError> {
    let path = format!("/api/v1/events/{event}/bookings");
    let body = json!({"userData": guest.user_data(&SHARED)});
    let booking = guest.visitor.ask(Method::POST, &path, &body).await?;
    other.visitor.ask(Method::POST, &path, &json!({})).await?;
    let shares = guest
        .visitor
        .send((Method::GET, "/api/v1/me/shares"), None)
        .await?
        .json();
    let share = shares
        .pointer("/items/0")
        .map_or_else(String::new, |item| text(item, "shareId"));
    Ok((text(&booking, "bookingId"), share))
}

fn takes_body(method: &Method) -> bool {
    *method == Method::POST || *method == Method::PUT || *method == Method::PATCH
}

fn rule(field: &str) -> Value {
    let mut rule = json!({
        "field": field, "ask": "optional", "purpose": "To look after you.", "retentionDays": 2,
        "label": "What we ask",
    });
    if field == "additionalData.member" {
        let vouched = json!({
            "valueType": "company_member", "choices": ["Kanary House"],
            "vouchedBy": "email_domain", "emailDomain": "example.org",
        });
        rule.as_object_mut()
            .into_iter()
            .zip(vouched.as_object().cloned())
            .for_each(|(rule, vouched)| rule.extend(vouched));
    }
    rule
}

/// An event that begins a week from now.
fn offer(time: &Value) -> Value {
    let now = text(time, "nanoseconds")
        .parse::<i128>()
        .unwrap_or_default();
    let week = 7 * 24 * 3_600;
    let begins = jiff::Timestamp::from_nanosecond(now)
        .unwrap_or_default()
        .as_second()
        / 60
        * 60
        + week;
    let at = |second| {
        jiff::Timestamp::from_second(second)
            .unwrap_or_default()
            .to_string()
    };
    json!({
        "eventType": "business_event", "title": "Song of the week", "timeZone": "Europe/Berlin",
        "startsAt": at(begins), "endsAt": at(begins + 3_600), "capacity": 10,
    })
}

/// Method, path and name of every operation of the document.
fn operations(document: &Value) -> Vec<(Method, String, String)> {
    let paths = document.get("paths").and_then(Value::as_object);
    let items = paths.into_iter().flatten();
    let operations = items.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.filter_map(move |(method, operation)| {
            let method = method.to_uppercase().parse().ok()?;
            Some((method, path.clone(), text(operation, "operationId")))
        })
    });
    operations.collect()
}
