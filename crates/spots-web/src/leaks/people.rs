//! Who walks: a host's member, two people whose data occurs nowhere else, and nobody.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::{Value, json};
use spots_privacy::{Randomness, random};
use tower::ServiceExt as _;

use super::hunt::Secret;
use super::walk::WalkError;

/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One field that a canary shared, by its ids.
#[derive(Clone, Debug)]
pub struct Share {
    /// The share.
    pub share: String,
    /// The field.
    pub field: String,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    /// Everything of it that anybody can see.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(name.as_str().as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(&self.body);
        bytes
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Sends requests as somebody.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    router: Router,
    headers: Vec<(header::HeaderName, String)>,
}

impl Visitor {
    pub(super) fn nobody(router: &Router) -> Self {
        Self {
            router: router.clone(),
            headers: Vec::new(),
        }
    }

    fn bearer(router: &Router, token: &str) -> Self {
        Self {
            router: router.clone(),
            headers: vec![(header::AUTHORIZATION, format!("Bearer {token}"))],
        }
    }

    /// The same session as a browser has it.
    pub(super) fn browser(router: &Router, token: &str) -> Self {
        let cookies = format!("spots_session={token}; __Host-spots_session={token}");
        Self {
            router: router.clone(),
            headers: vec![
                (header::COOKIE, cookies),
                (header::ACCEPT, "text/html".to_owned()),
            ],
        }
    }

    pub(super) async fn send(
        &self,
        (method, path): (Method, &str),
        body: Option<(&str, String)>,
    ) -> Result<Answer, WalkError> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = match body {
            Some((media, text)) => request
                .header(header::CONTENT_TYPE, media)
                .body(Body::from(text)),
            None => request.body(Body::empty()),
        };
        let request = request.map_err(|_malformed| WalkError::Path(path.to_owned()))?;
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, ANSWER_BYTES_MAX).await;
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: body
                .map_err(|_cut| WalkError::Answer(path.to_owned()))?
                .to_vec(),
        })
    }

    /// Sends JSON where it must succeed.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, WalkError> {
        let media = ("application/json", body.to_string());
        let answer = self.send((method, path), Some(media)).await?;
        if answer.status.is_success() {
            return Ok(answer.json());
        }
        Err(WalkError::Refused {
            path: path.to_owned(),
            status: answer.status.as_u16(),
            code: text(&answer.json(), "code"),
        })
    }
}

/// Somebody whose every piece of data is one of a kind.
#[derive(Clone, Debug)]
pub(super) struct Canary {
    pub(super) visitor: Visitor,
    pub(super) token: String,
    pub(super) email: String,
    pub(super) password: String,
    /// The one before it, once they took another.
    former: Option<String>,
    data: Vec<(&'static str, String)>,
    wish: String,
    user: String,
    agent: String,
}

impl Canary {
    /// Signs somebody up and in. No two of a walk have the same `place`: there are few birthdays,
    /// and theirs must differ.
    pub(super) async fn arrive(
        router: &Router,
        random: &dyn Randomness,
        place: u8,
    ) -> Result<Self, WalkError> {
        let digits: [u8; 8] = random::bytes(random);
        let mark = digits.map(|digit| format!("{digit:03}")).concat();
        let email = format!("canary.{mark}+spots@example.org");
        let password = format!("password of {mark}");
        let nobody = Visitor::nobody(router);
        let account = json!({"email": email, "password": password});
        let account = nobody
            .ask(Method::POST, "/api/v1/accounts", &account)
            .await?;
        let session = json!({"email": email, "password": password});
        let session = nobody
            .ask(Method::POST, "/api/v1/sessions", &session)
            .await?;
        let token = text(&session, "token");
        let year = 1940 + 16 * u16::from(place) + u16::from(digits[0] % 16);
        let data = vec![
            ("name", format!("Zöe Özge \"{mark}\" O'Kanary <& Söhne>")),
            (
                "phoneNumber",
                format!("+49{}", mark.get(..11).unwrap_or(&mark)),
            ),
            ("email", email.clone()),
            (
                "birthday",
                format!("{year}-0{}-1{}", 1 + digits[1] % 9, digits[2] % 10),
            ),
            ("companyAffiliation", format!("Kanary & Töchter {mark}")),
        ];
        let canary = Self {
            visitor: Visitor::bearer(router, &token),
            user: text(&account, "userId"),
            agent: text(&account, "agentId"),
            token,
            email,
            password,
            former: None,
            data,
            wish: format!("Kein Spülmittel für \"{mark}\", bitte"),
        };
        let profile = canary.data.iter();
        let profile = profile.map(|(field, value)| ((*field).to_owned(), json!(value)));
        canary.keep(profile.collect()).await?;
        Ok(canary)
    }

    async fn keep(&self, profile: serde_json::Map<String, Value>) -> Result<(), WalkError> {
        let profile = Value::Object(profile);
        let kept = self
            .visitor
            .ask(Method::PUT, "/api/v1/me/profile", &profile);
        kept.await.map(drop)
    }

    /// What must not come out of them.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let unprefixed = |id: &str| id.split_once('_').map_or(id, |(_, id)| id).to_owned();
        let mut secrets = vec![
            Secret::text("agent id", &unprefixed(&self.agent)),
            Secret::text("user id", &unprefixed(&self.user)),
        ];
        secrets.extend(self.stored_secrets());
        secrets
    }

    /// What must not stand open in a file of the database either, which knows ids.
    pub(super) fn stored_secrets(&self) -> Vec<Secret> {
        let mut secrets = vec![
            Secret::text("session token", &self.token),
            Secret::text("password", &self.password),
        ];
        let data = self
            .data
            .iter()
            .map(|(field, value)| Secret::text(field, value));
        secrets.extend(data.filter(|secret| secret.what != "email"));
        secrets.push(Secret::text("wish", &self.wish));
        let addresses = self.addresses().into_iter();
        secrets.extend(addresses.map(|address| Secret::text("e-mail address", address)));
        secrets
    }

    /// What no host may see of them, whatever they share.
    pub(super) fn never_shared(&self) -> Vec<Secret> {
        let mut secrets = self.secrets();
        secrets.retain(|secret| {
            ["agent id", "user id", "session token", "password"].contains(&secret.what)
        });
        secrets
    }

    /// The addresses that they have or had.
    pub(super) fn addresses(&self) -> Vec<&str> {
        let former = self.former.as_deref();
        former.into_iter().chain([self.email.as_str()]).collect()
    }

    /// Takes another address to sign in with.
    pub(super) async fn take_another_address(&mut self) -> Result<(), WalkError> {
        let email = self.email.replace("canary", "moved");
        let mut profile = serde_json::Map::new();
        profile.insert("email".to_owned(), json!(email));
        profile.insert("currentPassword".to_owned(), json!(self.password));
        self.keep(profile).await?;
        self.former = Some(std::mem::replace(&mut self.email, email));
        Ok(())
    }

    /// What they share for one booking.
    pub(super) fn user_data(&self, fields: &[&str]) -> Value {
        let chosen = self.data.iter().filter(|(field, _)| fields.contains(field));
        let mut data: serde_json::Map<_, _> = chosen
            .map(|(field, value)| ((*field).to_owned(), json!(value)))
            .collect();
        let additional = json!({"member": true, "wish": self.wish});
        data.insert("additionalData".to_owned(), additional);
        data.insert("sharedWithHost".to_owned(), json!(true));
        Value::Object(data)
    }

    /// A value of theirs.
    pub(super) fn value(&self, field: &str) -> &str {
        let found = self.data.iter().find(|(name, _)| *name == field);
        found.map_or("", |(_, value)| value)
    }
}

pub(super) fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
