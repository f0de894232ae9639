//! What a host asks for at an event type: which field, why, for how long.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::event_type::EventType;
use crate::field::FieldName;
use crate::membership::{Membership, Voucher};
use crate::refusal::{FieldProblem, Refusal};
use crate::value::{self, FieldValue};

/// The most additional fields of one event type.
pub const ADDITIONAL_MAX: usize = 10;
/// The most choices of one additional field.
pub const CHOICES_MAX: usize = 20;
/// The longest retention after the event, in days.
pub const RETENTION_DAYS_MAX: u16 = 365;

/// Whether a host asks for a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// The person may withhold it.
    Optional,
    /// Without it the host takes no booking.
    Required,
}

impl Ask {
    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

/// What form the value of an additional field has. Standard fields have their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Free text.
    Text,
    /// A decimal number.
    Number,
    /// Yes or no.
    YesNo,
    /// A day.
    Date,
    /// One of a list.
    Choice(Vec<String>),
    /// "18 or over": the answer, never the birthday.
    Over18,
    /// "21 or over": the answer, never the birthday.
    Over21,
    /// "Affiliated with this company": the answer.
    CompanyMember(Membership),
    /// "Member of this club": the answer.
    ClubMember(Membership),
}

impl ValueKind {
    /// The word on the wire and in the database.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::YesNo => "yes_no",
            Self::Date => "date",
            Self::Choice(_) => "choice",
            Self::Over18 => "over_18",
            Self::Over21 => "over_21",
            Self::CompanyMember(_) => "company_member",
            Self::ClubMember(_) => "club_member",
        }
    }

    /// The kind with this word; `choices` are kept only by a choice, and by a membership, whose list
    /// form they are ([`Membership::from_list`]).
    pub fn parse(word: &str, choices: Vec<String>) -> Option<Self> {
        match word {
            "text" => Some(Self::Text),
            "number" => Some(Self::Number),
            "yes_no" => Some(Self::YesNo),
            "date" => Some(Self::Date),
            "choice" => Some(Self::Choice(choices)),
            "over_18" => Some(Self::Over18),
            "over_21" => Some(Self::Over21),
            "company_member" => Membership::from_list(&choices).map(Self::CompanyMember),
            "club_member" => Membership::from_list(&choices).map(Self::ClubMember),
            _ => None,
        }
    }

    /// What there is to choose from; of a membership, its list form.
    pub fn choices(&self) -> Vec<String> {
        match self {
            Self::Choice(choices) => choices.clone(),
            Self::CompanyMember(membership) | Self::ClubMember(membership) => membership.to_list(),
            _ => Vec::new(),
        }
    }

    /// What it asks to belong to.
    pub fn membership(&self) -> Option<&Membership> {
        match self {
            Self::CompanyMember(membership) | Self::ClubMember(membership) => Some(membership),
            _ => None,
        }
    }

    /// Whether the host's own list of members answers.
    pub fn is_listed(&self) -> bool {
        self.membership()
            .is_some_and(|membership| membership.voucher == Voucher::HostList)
    }

    /// Whether SPOTS answers in place of data: see [`crate::attestation`].
    pub fn is_attested(&self) -> bool {
        matches!(
            self,
            Self::Over18 | Self::Over21 | Self::CompanyMember(_) | Self::ClubMember(_)
        )
    }
}

/// One field that a host asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldRule {
    /// Which.
    pub field: FieldName,
    /// The words for people.
    pub label: String,
    /// The form of the value.
    pub kind: ValueKind,
    /// Whether it may be withheld.
    pub ask: Ask,
    /// Why the host asks, in one line.
    pub purpose: String,
    /// How long the host may read it after the event, in days.
    pub retention_days: u16,
}

/// All that a host asks for at one event type, at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirements {
    event_type: EventType,
    version: u32,
    rules: Vec<FieldRule>,
}

impl Requirements {
    /// A host who asks for nothing.
    pub fn none(event_type: EventType) -> Self {
        Self {
            event_type,
            version: 0,
            rules: Vec::new(),
        }
    }

    /// Declares what is asked; refuses what the type may not ask for, and fields without a
    /// purpose.
    pub fn declare(
        event_type: EventType,
        version: u32,
        mut rules: Vec<FieldRule>,
    ) -> Result<Self, Refusal> {
        rules.sort_by(|a, b| a.field.cmp(&b.field));
        let mut problems: Vec<_> = rules
            .iter_mut()
            .filter_map(|rule| check_rule(event_type, rule).err())
            .collect();
        for pair in rules.windows(2) {
            if let [a, b] = pair
                && a.field == b.field
            {
                problems.push(FieldProblem::new(&a.field, "repeated", "Ask for it once."));
            }
        }
        let additional = rules
            .iter()
            .filter(|rule| matches!(rule.field, FieldName::Additional(_)))
            .count();
        if additional > ADDITIONAL_MAX {
            return Err(Refusal::Limit {
                what: "additional fields of an event type",
                most: ADDITIONAL_MAX as u64,
            });
        }
        if problems.is_empty() {
            Ok(Self {
                event_type,
                version,
                rules,
            })
        } else {
            Err(Refusal::Fields(problems))
        }
    }

    /// The type of event.
    pub fn event_type(&self) -> EventType {
        self.event_type
    }

    /// Counts from 1; 0 where the host never asked for anything.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// What is asked, by field.
    pub fn rules(&self) -> &[FieldRule] {
        &self.rules
    }

    /// Whether another declaration asks for the same.
    pub fn asks_the_same_as(&self, other: &Self) -> bool {
        self.event_type == other.event_type && self.rules == other.rules
    }

    /// The bytes whose hash goes into every consent: a line a fact, in a fixed order.
    pub fn canonical(&self) -> String {
        let mut text = format!(
            "spots.requirements.1\n{}\n{}\n",
            self.event_type, self.version
        );
        for rule in &self.rules {
            let facts = [
                rule.field.to_string(),
                rule.label.clone(),
                rule.kind.as_str().to_owned(),
                rule.kind.choices().join("\u{1f}"),
                rule.ask.as_str().to_owned(),
                rule.purpose.clone(),
                rule.retention_days.to_string(),
            ];
            text.push_str(&facts.join("\u{1e}"));
            text.push('\n');
        }
        text
    }

    /// Checks what a person gives: nothing that is not asked, everything that is required, each
    /// value in its form. `today` bounds birthdays.
    pub fn accept(
        &self,
        given: &BTreeMap<FieldName, String>,
        today: Date,
    ) -> Result<Vec<(FieldName, FieldValue)>, Refusal> {
        let mut problems = Vec::new();
        let mut accepted = Vec::new();
        for (field, text) in given {
            match self.rules.iter().find(|rule| rule.field == *field) {
                None => problems.push(FieldProblem::new(
                    field,
                    "not-asked",
                    "The host does not ask for this; leave it out.",
                )),
                Some(rule) => match FieldValue::parse(field, &rule.kind, text, today) {
                    Ok(value) => accepted.push((field.clone(), value)),
                    Err(problem) => problems.push(problem),
                },
            }
        }
        if !problems.is_empty() {
            return Err(Refusal::Fields(problems));
        }
        match self.rules.iter().find(|rule| {
            rule.ask == Ask::Required && !accepted.iter().any(|(field, _)| *field == rule.field)
        }) {
            Some(rule) => Err(Refusal::Required {
                field: rule.field.clone(),
                purpose: rule.purpose.clone(),
            }),
            None => Ok(accepted),
        }
    }
}

fn check_rule(event_type: EventType, rule: &mut FieldRule) -> Result<(), FieldProblem> {
    let problem = |code, message: String| Err(FieldProblem::new(&rule.field, code, message));
    if !rule.field.allowed_at(event_type) {
        let kind = event_type.label();
        return problem("not-allowed", format!("A {kind} may not ask for this."));
    }
    match value::line(&rule.purpose) {
        Ok(purpose) => rule.purpose = purpose,
        Err(message) => return problem("purpose", format!("Say why you ask. {message}")),
    }
    match value::line(&rule.label) {
        Ok(label) => rule.label = label,
        Err(message) => return problem("label", format!("Name the field. {message}")),
    }
    if rule.retention_days > RETENTION_DAYS_MAX {
        let message = format!("Keep it at most {RETENTION_DAYS_MAX} days after the event.");
        return problem("retention", message);
    }
    if let ValueKind::Choice(choices) = &rule.kind {
        let fits = (2..=CHOICES_MAX).contains(&choices.len())
            && choices
                .iter()
                .all(|choice| value::line(choice).as_ref() == Ok(choice));
        if !fits {
            let message = format!("Give 2 to {CHOICES_MAX} choices of one line each.");
            return problem("choices", message);
        }
    }
    if let Some((code, message)) = rule.kind.membership().and_then(Membership::problem) {
        return problem(code, message);
    }
    if rule.kind.is_attested() && matches!(rule.field, FieldName::Standard(_)) {
        return problem(
            "not-allowed",
            "Ask this as a question of your own.".to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::StandardField;

    fn rule(field: &str, ask: Ask) -> FieldRule {
        FieldRule {
            field: field.parse().unwrap(),
            label: field.to_owned(),
            kind: ValueKind::Text,
            ask,
            purpose: "To call you if you are late.".to_owned(),
            retention_days: 1,
        }
    }

    fn today() -> Date {
        jiff::civil::date(2026, 11, 22)
    }

    #[test]
    fn a_type_may_not_ask_beyond_its_list() {
        let refused = Requirements::declare(
            EventType::ClubEvent,
            1,
            vec![rule("name", Ask::Required), rule("birthday", Ask::Optional)],
        );
        let Err(Refusal::Fields(problems)) = refused else {
            panic!("accepted")
        };
        assert_eq!(
            (problems[0].field.as_str(), problems[0].code),
            ("birthday", "not-allowed")
        );
    }

    #[test]
    fn a_field_without_purpose_is_refused() {
        let nameless = FieldRule {
            purpose: "  ".to_owned(),
            ..rule("name", Ask::Required)
        };
        assert!(Requirements::declare(EventType::ClubEvent, 1, vec![nameless]).is_err());
    }

    #[test]
    fn required_blocks_and_says_why_optional_never_does() {
        let asked = Requirements::declare(
            EventType::Reservation,
            1,
            vec![
                rule("name", Ask::Required),
                rule("phoneNumber", Ask::Optional),
            ],
        )
        .unwrap();
        let name = FieldName::Standard(StandardField::Name);
        let refused = asked.accept(&BTreeMap::new(), today()).unwrap_err();
        let purpose = "To call you if you are late.".to_owned();
        assert_eq!(
            refused,
            Refusal::Required {
                field: name.clone(),
                purpose
            }
        );
        let given = BTreeMap::from([(name, "Ada".to_owned())]);
        assert_eq!(asked.accept(&given, today()).unwrap().len(), 1);
    }

    #[test]
    fn what_is_not_asked_is_refused_not_trimmed() {
        let asked = Requirements::none(EventType::Reservation);
        let given = BTreeMap::from([(FieldName::Standard(StandardField::Name), "Ada".to_owned())]);
        let Err(Refusal::Fields(problems)) = asked.accept(&given, today()) else {
            panic!("accepted")
        };
        assert_eq!(problems[0].code, "not-asked");
    }

    #[test]
    fn the_canonical_text_changes_with_every_fact() {
        let one = |rule| {
            Requirements::declare(EventType::Reservation, 1, vec![rule])
                .unwrap()
                .canonical()
        };
        let base = one(rule("name", Ask::Optional));
        assert_ne!(base, one(rule("name", Ask::Required)));
        assert_ne!(base, one(rule("email", Ask::Optional)));
        assert_ne!(
            base,
            one(FieldRule {
                retention_days: 2,
                ..rule("name", Ask::Optional)
            })
        );
    }
}
