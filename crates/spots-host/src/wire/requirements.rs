//! What a host asks for, on the wire.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use spots_booking::{Ask, FieldName, FieldProblem, FieldRule, HostId, Refusal, ValueKind, Voucher};
use utoipa::ToSchema;

use super::words::{AskWord, EventTypeWord, ValueTypeWord, VoucherWord};
use crate::desk::Asked;

/// What a host asks for from now on; fields that are left out are not asked for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetRequirementsBody {
    /// Field by field.
    pub fields: Vec<RequirementBody>,
}

/// One field that a host asks for.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequirementBody {
    /// `name`, `phoneNumber`, `email`, `birthday`, `companyAffiliation` or `additionalData.KEY`.
    #[schema(example = "phoneNumber")]
    pub field: String,
    /// Whether it is asked for.
    pub ask: AskWord,
    /// Why, in one line. People read it before they decide.
    #[serde(default)]
    #[schema(
        max_length = 200,
        example = "To call you if we have to change your table."
    )]
    pub purpose: String,
    /// How long the host may read it after the event, in days.
    #[serde(default)]
    #[schema(maximum = 365, example = 1)]
    pub retention_days: u16,
    /// What people read beside the field. Additional fields need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub label: Option<String>,
    /// The form of an additional field's value; `text` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_type: Option<ValueTypeWord>,
    /// What there is to choose from, for a `choice`; the one name, for a membership.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Who has to vouch, for a membership; `person` if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched_by: Option<VoucherWord>,
    /// The domain of the e-mail addresses that vouch, for `email_domain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "mira.example")]
    pub email_domain: Option<String>,
}

/// What a host asks for at an event type.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequirementsBody {
    /// Who asks.
    pub host_id: String,
    /// At which events.
    pub event_type: EventTypeWord,
    /// Counts from 1; 0 where the host never asked for anything.
    pub version: u32,
    /// SHA-256 of what is asked, in hexadecimal. Every consent carries it.
    pub hash: String,
    /// Field by field.
    pub fields: Vec<RequirementBody>,
}

impl SetRequirementsBody {
    /// The rules; fields that are not asked for are left out.
    pub fn rules(self) -> Result<Vec<FieldRule>, Refusal> {
        let mut problems = Vec::new();
        let mut rules = Vec::new();
        for (index, field) in self.fields.into_iter().enumerate() {
            match field.rule(index) {
                Ok(rule) => rules.extend(rule),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(rules)
        } else {
            Err(Refusal::Fields(problems))
        }
    }
}

impl RequirementBody {
    fn rule(self, index: usize) -> Result<Option<FieldRule>, FieldProblem> {
        let place = |name: &str| format!("fields[{index}].{name}");
        let field: FieldName =
            self.field
                .parse()
                .map_err(|cause: spots_booking::field::NotAField| {
                    FieldProblem::new(place("field"), "unknown", cause.to_string())
                })?;
        let ask = match self.ask {
            AskWord::NotAsked => return Ok(None),
            AskWord::Optional => Ask::Optional,
            AskWord::Required => Ask::Required,
        };
        let standard = match &field {
            FieldName::Standard(standard) => Some(standard.label()),
            FieldName::Additional(_) => None,
        };
        if standard.is_some()
            && self
                .value_type
                .is_some_and(|kind| kind != ValueTypeWord::Text)
        {
            let message = "The form of this field is fixed; leave it out.";
            return Err(FieldProblem::new(place("valueType"), "fixed", message));
        }
        let kind = self.kind(place)?;
        let label = match (self.label, standard) {
            (Some(label), _) => label,
            (None, Some(label)) => label.to_owned(),
            (None, None) => String::new(),
        };
        Ok(Some(FieldRule {
            field,
            label,
            kind,
            ask,
            purpose: self.purpose,
            retention_days: self.retention_days,
        }))
    }
}

impl RequirementBody {
    /// The form of the answer; `place` names a member of this field.
    fn kind(&self, place: impl Fn(&str) -> String) -> Result<ValueKind, FieldProblem> {
        let word = self.value_type.unwrap_or(ValueTypeWord::Text).as_str();
        let is_membership = ["company_member", "club_member"].contains(&word);
        if !is_membership && word != "choice" && !self.choices.is_empty() {
            let message = "Only a choice has choices, and a membership a name; leave them out.";
            return Err(FieldProblem::new(place("choices"), "not-a-choice", message));
        }
        let voucher = self.vouched_by.unwrap_or(VoucherWord::Person).as_str();
        let domain = self.email_domain.as_deref();
        let mut choices = self.choices.clone();
        if !is_membership {
            if self.vouched_by.is_some() || domain.is_some() {
                let message = "Only a membership is vouched for; leave this out.";
                return Err(FieldProblem::new(place("vouchedBy"), "not-asked", message));
            }
        } else if choices.len() > 1 {
            let message = "Name one company or club.";
            return Err(FieldProblem::new(place("choices"), "one-name", message));
        } else if Voucher::parse(voucher, domain).is_none() {
            let message = "Give the domain where an e-mail domain vouches, and only there.";
            return Err(FieldProblem::new(place("emailDomain"), "domain", message));
        } else if voucher != "person" {
            // Whether it is named at all is for the rules to say.
            choices.resize(1, String::new());
            choices.push(voucher.to_owned());
            choices.extend(domain.map(str::to_owned));
        }
        Ok(ValueKind::parse(word, choices).expect("the list was just made"))
    }
}

impl From<&FieldRule> for RequirementBody {
    fn from(rule: &FieldRule) -> Self {
        let additional = matches!(rule.field, FieldName::Additional(_));
        Self {
            field: rule.field.to_string(),
            ask: match rule.ask {
                Ask::Optional => AskWord::Optional,
                Ask::Required => AskWord::Required,
            },
            purpose: rule.purpose.clone(),
            retention_days: rule.retention_days,
            label: Some(rule.label.clone()),
            value_type: additional.then_some(match rule.kind {
                ValueKind::Text => ValueTypeWord::Text,
                ValueKind::Number => ValueTypeWord::Number,
                ValueKind::YesNo => ValueTypeWord::YesNo,
                ValueKind::Date => ValueTypeWord::Date,
                ValueKind::Choice(_) => ValueTypeWord::Choice,
                ValueKind::Over18 => ValueTypeWord::Over18,
                ValueKind::Over21 => ValueTypeWord::Over21,
                ValueKind::CompanyMember(_) => ValueTypeWord::CompanyMember,
                ValueKind::ClubMember(_) => ValueTypeWord::ClubMember,
            }),
            choices: match rule.kind.membership() {
                Some(membership) => vec![membership.name.clone()],
                None => rule.kind.choices(),
            },
            vouched_by: rule
                .kind
                .membership()
                .map(|membership| match membership.voucher {
                    Voucher::Person => VoucherWord::Person,
                    Voucher::EmailDomain(_) => VoucherWord::EmailDomain,
                    Voucher::HostList => VoucherWord::HostList,
                }),
            email_domain: rule
                .kind
                .membership()
                .and_then(|membership| membership.voucher.domain())
                .map(str::to_owned),
        }
    }
}

impl RequirementsBody {
    /// The answer's form.
    pub fn new(host: HostId, asked: &Asked) -> Self {
        let requirements = &asked.requirements;
        Self {
            host_id: host.to_string(),
            event_type: requirements.event_type().into(),
            version: requirements.version(),
            hash: hexadecimal(&asked.hash),
            fields: requirements.rules().iter().map(Into::into).collect(),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all text");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_reads_back() {
        let json = r#"{"fields": [
            {"field": "name", "ask": "required", "purpose": "To greet you.", "retentionDays": 1},
            {"field": "birthday", "ask": "not_asked"},
            {"field": "additionalData.diet", "ask": "optional", "purpose": "To cook for you.",
             "retentionDays": 0, "label": "Diet", "valueType": "choice", "choices": ["any", "vegan"]},
            {"field": "additionalData.crew", "ask": "optional", "purpose": "To let you in.",
             "retentionDays": 0, "label": "Crew", "valueType": "company_member",
             "choices": ["Mira"], "vouchedBy": "email_domain", "emailDomain": "mira.example"},
            {"field": "additionalData.rower", "ask": "optional", "purpose": "To let you in.",
             "retentionDays": 0, "label": "Rower", "valueType": "club_member",
             "choices": ["Ruderclub"], "vouchedBy": "host_list"}
        ]}"#;
        let body: SetRequirementsBody = serde_json::from_str(json).unwrap();
        let rules = body.rules().unwrap();
        let again: Vec<_> = rules.iter().map(RequirementBody::from).collect();
        let again = SetRequirementsBody { fields: again }.rules().unwrap();
        assert_eq!(rules, again);
        assert_eq!(rules.len(), 4);
        assert_eq!(rules[0].label, "Name");
    }

    #[test]
    fn a_field_that_is_none_is_named_by_its_place() {
        let json = r#"{"fields": [{"field": "agentId", "ask": "required"}]}"#;
        let body: SetRequirementsBody = serde_json::from_str(json).unwrap();
        let Err(Refusal::Fields(problems)) = body.rules() else {
            panic!("accepted")
        };
        assert_eq!(
            (problems[0].field.as_str(), problems[0].code),
            ("fields[0].field", "unknown")
        );
    }
}
