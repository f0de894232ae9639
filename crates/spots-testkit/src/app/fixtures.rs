//! People, hosts and events for tests, made through the API.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use spots_booking::EventType;

use super::TestApp;
use super::client::Client;

/// The password of everyone.
const PASSWORD: &str = "correct horse battery";

/// Someone who signed up and in.
#[derive(Clone, Debug)]
pub struct Person {
    /// Sends requests as them.
    pub client: Client,
    /// Their session's token.
    pub token: String,
    /// Their account.
    pub user_id: String,
    /// Their agent.
    pub agent_id: String,
}

impl TestApp {
    /// Signs someone up and in, as `NAME@example.org`.
    pub async fn person(&self, name: &str) -> Result<Person> {
        let email = format!("{}@example.org", name.to_lowercase());
        let account = json!({"email": email, "password": PASSWORD, "name": name});
        let anonymous = self.anonymous();
        let account = anonymous
            .post("/api/v1/accounts", &account)
            .await?
            .json(201)?;
        let session = json!({"email": email, "password": PASSWORD});
        let session = anonymous
            .post("/api/v1/sessions", &session)
            .await?
            .json(201)?;
        let token = text(&session, "token")?;
        Ok(Person {
            client: self.bearer(&token),
            token,
            user_id: text(&account, "userId")?,
            agent_id: text(&account, "agentId")?,
        })
    }
}

impl Person {
    /// Adds a host and returns its id.
    pub async fn add_host(&self, name: &str, kind: &str) -> Result<String> {
        let body = json!({"name": name, "kind": kind});
        text(
            &self.client.post("/api/v1/hosts", &body).await?.json(201)?,
            "hostId",
        )
    }

    /// Adds an event with one time, a week ahead, and returns its id.
    pub async fn add_event(
        &self,
        host: &str,
        event_type: EventType,
        capacity: Option<u32>,
    ) -> Result<String> {
        let body = json!({
            "eventType": event_type.as_str(),
            "title": format!("{} of the week", event_type.label()),
            "timeZone": "Europe/Berlin",
            "startsAt": "2026-11-29T18:00:00Z",
            "endsAt": "2026-11-29T20:00:00Z",
            "capacity": capacity,
        });
        let path = format!("/api/v1/hosts/{host}/events");
        text(&self.client.post(&path, &body).await?.json(201)?, "eventId")
    }

    /// Sets what a host asks for: pairs of field and `required` or `optional`.
    pub async fn ask(
        &self,
        host: &str,
        event_type: EventType,
        fields: &[(&str, &str)],
    ) -> Result<Value> {
        let fields: Vec<_> = fields
            .iter()
            .map(|(field, ask)| {
                json!({
                    "field": field, "ask": ask, "purpose": "To look after you.",
                    "retentionDays": 2, "label": "What we ask",
                })
            })
            .collect();
        let path = format!("/api/v1/hosts/{host}/requirements/{event_type}");
        self.client
            .put(&path, &json!({"fields": fields}))
            .await?
            .json(200)
    }

    /// Books the one time of an event and returns the booking.
    pub async fn book(&self, event: &str, user_data: &Value) -> Result<Value> {
        let path = format!("/api/v1/events/{event}/bookings");
        let body = json!({"userData": user_data});
        self.client.post(&path, &body).await?.json(201)
    }
}

fn text(value: &Value, key: &str) -> Result<String> {
    let text = value.get(key).and_then(Value::as_str);
    text.map(str::to_owned)
        .with_context(|| format!("no {key} in {value}"))
}
