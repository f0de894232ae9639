//! What a person gives a host, on the wire: the one model of all six event types.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use spots_booking::field::StandardField;
use spots_booking::requirement::ADDITIONAL_MAX;
use spots_booking::{FieldName, FieldProblem, Refusal};
use utoipa::ToSchema;

use super::moment::Instant;
use super::words::EventTypeWord;

/// What a person gives a host for one booking.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EventUserData {
    /// What the person wants to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A number to call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// An address to write to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The day of birth as year-month-day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    pub birthday: Option<String>,
    /// The company the person belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company_affiliation: Option<String>,
    /// Answers to what the host asks beside, by key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_data: Option<BTreeMap<String, AdditionalValue>>,
    /// The consent: without `true` nothing is taken. Old data calls it `sharedWithBusiness`.
    #[serde(default, alias = "sharedWithBusiness")]
    pub shared_with_host: bool,
    /// When it was shared. In a request it has no effect: the platform's clock decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_at: Option<Instant>,
    /// When it was taken back, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Instant>,
    /// The type of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<EventTypeWord>,
}

/// Personal data does not print.
impl fmt::Debug for EventUserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventUserData(…)")
    }
}

/// An answer to an additional question.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "give a text, a number, or true or false")]
pub enum AdditionalValue {
    /// Text, a date or a choice.
    Text(String),
    /// Yes or no.
    YesNo(bool),
    /// A number.
    #[schema(value_type = f64)]
    Number(serde_json::Number),
}

/// Personal data does not print.
impl fmt::Debug for AdditionalValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdditionalValue(…)")
    }
}

impl AdditionalValue {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::YesNo(true) => "yes".to_owned(),
            Self::YesNo(false) => "no".to_owned(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl EventUserData {
    /// Puts a field that is shared into its place.
    pub fn set(&mut self, field: &FieldName, text: String) {
        match field {
            FieldName::Standard(field) => *self.standard(*field) = Some(text),
            FieldName::Additional(key) => {
                let all = self.additional_data.get_or_insert_default();
                all.insert(key.clone(), AdditionalValue::Text(text));
            }
        }
    }

    /// What is given, by field; refused where data comes without consent.
    pub fn given(mut self) -> Result<BTreeMap<FieldName, String>, Refusal> {
        let mut given = BTreeMap::new();
        for field in StandardField::ALL {
            if let Some(text) = self.standard(*field).take() {
                given.insert(FieldName::Standard(*field), text);
            }
        }
        let additional = self.additional_data.unwrap_or_default();
        if additional.len() > ADDITIONAL_MAX {
            let message = format!("Give at most {ADDITIONAL_MAX} answers; no host asks for more.");
            let problem = FieldProblem::new("additionalData", "too-many", message);
            return Err(Refusal::Fields(vec![problem]));
        }
        for (key, value) in additional {
            // A key that is none may be long; it is not sent back.
            let field = FieldName::additional(&key).map_err(|cause| {
                let problem = FieldProblem::new("additionalData", "unknown", cause.to_string());
                Refusal::Fields(vec![problem])
            })?;
            given.insert(field, value.into_text());
        }
        if self.revoked_at.is_some() {
            let message = "This was taken back; leave it out, or share anew without revokedAt.";
            let problem = FieldProblem::new("revokedAt", "revoked", message);
            return Err(Refusal::Fields(vec![problem]));
        }
        if !given.is_empty() && !self.shared_with_host {
            let message = "Say true to share this with the host, or leave the data out.";
            let problem = FieldProblem::new("sharedWithHost", "consent", message);
            return Err(Refusal::Fields(vec![problem]));
        }
        Ok(given)
    }

    fn standard(&mut self, field: StandardField) -> &mut Option<String> {
        match field {
            StandardField::Name => &mut self.name,
            StandardField::PhoneNumber => &mut self.phone_number,
            StandardField::Email => &mut self.email,
            StandardField::Birthday => &mut self.birthday,
            StandardField::CompanyAffiliation => &mut self.company_affiliation,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> EventUserData {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn old_data_reads_as_shared_with_the_host() {
        let old = read(r#"{"name": "Ada", "sharedWithBusiness": true, "eventType": "club_event"}"#);
        assert!(old.shared_with_host);
        let text = serde_json::to_string(&old).unwrap();
        assert!(
            text.contains("\"sharedWithHost\":true") && !text.contains("Business"),
            "{text}"
        );
    }

    #[test]
    fn data_without_consent_is_refused() {
        for json in [
            r#"{"name": "Ada"}"#,
            r#"{"name": "Ada", "sharedWithHost": false}"#,
        ] {
            let Err(Refusal::Fields(problems)) = read(json).given() else {
                panic!("{json}")
            };
            assert_eq!(problems[0].field, "sharedWithHost");
        }
        assert!(
            read(r#"{"sharedWithHost": false}"#)
                .given()
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn additional_answers_become_text() {
        let data = read(
            r#"{"additionalData": {"diet": "vegan", "guests": 2, "parking": true},
                "sharedWithHost": true}"#,
        );
        let texts: Vec<_> = data.given().unwrap().into_values().collect();
        assert_eq!(texts, ["vegan", "2", "yes"]);
    }

    #[test]
    fn it_does_not_print() {
        let data = read(r#"{"name": "Ada", "sharedWithHost": true}"#);
        assert_eq!(format!("{data:?}"), "EventUserData(…)");
    }
}
