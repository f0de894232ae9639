//! What a host typed about its questions, and the rules that they become.

use spots_booking::field::allowed;
use spots_booking::requirement::ADDITIONAL_MAX;
use spots_booking::{EventType, FieldName, FieldRule, StandardField, ValueKind};

use super::rules::{days, new_key, rule_ask, value_kind};
use crate::browser::Form;
use crate::view::{AdditionalKind, AdditionalRow, Ask, Field, FormErrors, RequirementRow};

/// The questions of a form, as typed.
pub(super) struct Typed {
    /// What the event type may ask for.
    pub(super) fields: Vec<RequirementRow>,
    /// What the host declares itself.
    pub(super) additional: Vec<AdditionalRow>,
}

impl Typed {
    /// What is asked now.
    pub(super) fn from_rules(event_type: EventType, rules: &[FieldRule]) -> Self {
        let field = |standard: &StandardField| {
            let name = FieldName::Standard(*standard);
            let rule = rules.iter().find(|rule| rule.field == name);
            RequirementRow {
                field: Field::standard(*standard),
                ask: ask_of(rule),
                purpose: rule.map_or(String::new(), |rule| rule.purpose.clone()),
                retention_days: rule.map_or(String::new(), |rule| rule.retention_days.to_string()),
            }
        };
        let own = rules.iter().filter_map(|rule| match &rule.field {
            FieldName::Additional(key) => Some((key, rule)),
            FieldName::Standard(_) => None,
        });
        let additional = own.enumerate().map(|(index, (key, rule))| AdditionalRow {
            key: key.clone(),
            label: rule.label.clone(),
            choices: match &rule.kind {
                ValueKind::Choice(choices) => choices.join("\n"),
                _ => String::new(),
            },
            name: rule
                .kind
                .membership()
                .map_or_else(String::new, |of| of.name.clone()),
            vouchers: rule.kind.membership().map_or_else(
                || AdditionalRow::vouchers(""),
                |of| AdditionalRow::vouchers(of.voucher.as_str()),
            ),
            email_domain: rule
                .kind
                .membership()
                .and_then(|of| of.voucher.domain())
                .map_or_else(String::new, str::to_owned),
            ask: ask_of(Some(rule)),
            purpose: rule.purpose.clone(),
            retention_days: rule.retention_days.to_string(),
            ..AdditionalRow::new(index, kind_of(rule.kind.as_str()))
        });
        Self {
            fields: allowed(event_type).iter().map(field).collect(),
            additional: additional.collect(),
        }
    }

    /// What a form says. A question of the host's own whose words were emptied is left out.
    pub(super) fn from_form(event_type: EventType, form: &Form) -> Self {
        let field = |standard: &StandardField| {
            let field = Field::standard(*standard);
            let text = |part: &str| form.get(&format!("{part}.{}", field.key)).to_owned();
            RequirementRow {
                ask: ask_named(&text("ask")),
                purpose: text("purpose"),
                retention_days: text("retentionDays"),
                field,
            }
        };
        let sent = (0..ADDITIONAL_MAX).filter_map(|at| {
            let text = |part: &str| form.get(&format!("additional.{at}.{part}")).to_owned();
            let label = text("label");
            (!label.trim().is_empty()).then(|| AdditionalRow {
                key: text("key"),
                label,
                choices: text("choices"),
                name: text("name"),
                vouchers: AdditionalRow::vouchers(&text("vouchedBy")),
                email_domain: text("emailDomain"),
                ask: ask_named(&text("ask")),
                purpose: text("purpose"),
                retention_days: text("retentionDays"),
                ..AdditionalRow::new(0, kind_of(&text("kind")))
            })
        });
        let mut additional: Vec<_> = sent.collect();
        for (index, row) in additional.iter_mut().enumerate() {
            row.index = index;
        }
        Self {
            fields: allowed(event_type).iter().map(field).collect(),
            additional,
        }
    }

    /// Another empty question, if there is room for one.
    pub(super) fn add_row(&mut self) {
        let index = self.additional.len();
        if index < ADDITIONAL_MAX {
            let row = AdditionalRow::new(index, AdditionalKind::Text);
            self.additional.push(row);
        }
    }

    /// The rules that this becomes; each new question gets a key, which stays in its row.
    pub(super) fn rules(&mut self) -> Result<Vec<FieldRule>, FormErrors> {
        let mut errors = FormErrors::none();
        let mut rules = Vec::new();
        for row in &self.fields {
            let Some(ask) = rule_ask(row.ask) else {
                continue;
            };
            let input = format!("retentionDays.{}", row.field.key);
            rules.push(FieldRule {
                field: row.field.key.parse().expect("the key is a field's name"),
                label: row.field.label.clone(),
                kind: ValueKind::Text,
                ask,
                purpose: row.purpose.clone(),
                retention_days: days(&row.retention_days, input, &mut errors),
            });
        }
        let taken: Vec<_> = self.additional.iter().map(|row| row.key.clone()).collect();
        for row in &mut self.additional {
            let Some(ask) = rule_ask(row.ask) else {
                continue;
            };
            if FieldName::additional(&row.key).is_err() {
                row.key = new_key(&row.label, row.index, &taken);
            }
            let input = format!("additional.{}.retentionDays", row.index);
            rules.push(FieldRule {
                field: FieldName::Additional(row.key.clone()),
                label: row.label.clone(),
                kind: value_kind(row),
                ask,
                purpose: row.purpose.clone(),
                retention_days: days(&row.retention_days, input, &mut errors),
            });
        }
        if errors.is_empty() {
            Ok(rules)
        } else {
            Err(errors)
        }
    }

    /// The input that a problem with a field is about.
    pub(super) fn input(&self, field: &str, code: &str) -> String {
        let part = match code {
            "purpose" => "purpose",
            "retention" => "retentionDays",
            "label" | "repeated" => "label",
            "choices" => "choices",
            "domain" => "emailDomain",
            _ => "ask",
        };
        let own = self.additional.iter().find(|row| {
            let name = FieldName::Additional(row.key.clone());
            name.to_string() == field
        });
        match own {
            Some(row) if part == "choices" && row.is_membership() => {
                format!("additional.{}.name", row.index)
            }
            Some(row) => format!("additional.{}.{part}", row.index),
            None => format!("{part}.{field}"),
        }
    }
}

fn ask_of(rule: Option<&FieldRule>) -> Ask {
    match rule.map(|rule| rule.ask) {
        None => Ask::None,
        Some(spots_booking::Ask::Optional) => Ask::Optional,
        Some(spots_booking::Ask::Required) => Ask::Required,
    }
}

fn ask_named(word: &str) -> Ask {
    let mut all = Ask::ALL.into_iter();
    all.find(|ask| ask.value() == word).unwrap_or(Ask::None)
}

fn kind_of(word: &str) -> AdditionalKind {
    let mut all = AdditionalKind::ALL.into_iter();
    all.find(|kind| kind.value() == word)
        .unwrap_or(AdditionalKind::Text)
}
