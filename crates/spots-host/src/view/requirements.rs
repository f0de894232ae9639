//! `GET|POST /hosts/{hostId}/requirements/{eventType}`: what a host asks of its guests.

use askama::Template;
use spots_booking::{EventType, StandardField};

use super::{
    Choice, Field, FormErrors, HostHead, HostTab, Moment, Page, Reader, Sample, Samples, Section,
};

/// What a host asks for one event type, field by field.
///
/// The form sends for each field `ask.<field>` (`none`, `optional`, `required`), `purpose.<field>`
/// and `retentionDays.<field>`; for each declared field `additional.<index>.` followed by `key`, `label`,
/// `kind`, `choices`, `name`, `vouchedBy`, `emailDomain`, `ask`, `purpose`, `retentionDays`; and `action`: `save`, or `add` for another
/// empty row. A declared field with an empty label is left out.
#[derive(Debug, Clone, Template)]
#[template(path = "host/requirements.html")]
pub struct RequirementsPage {
    /// The head of the page.
    pub page: Page,
    /// The host.
    pub host: HostHead,
    /// The event type that is edited.
    pub event_type: EventType,
    /// All types that this host may offer.
    pub types: Vec<EventType>,
    /// The fields that this type may ask for.
    pub fields: Vec<RequirementRow>,
    /// The fields that the host declares itself.
    pub additional: Vec<AdditionalRow>,
    /// Whether there is room for another declared field.
    pub can_add: bool,
    /// When what is in force was saved; `None` before the first time.
    pub in_force_since: Option<Moment>,
    /// The longest retention that may be asked for, in days.
    pub retention_days_max: u32,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// How strongly a host asks for a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Not at all.
    None,
    /// A guest may leave it out.
    Optional,
    /// Without it a booking is refused.
    Required,
}

impl Ask {
    /// The three, in the order in which pages list them.
    pub const ALL: [Self; 3] = [Self::None, Self::Optional, Self::Required];

    /// The value in forms.
    pub fn value(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }

    /// The choice in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::None => "Not asked",
            Self::Optional => "Optional",
            Self::Required => "Required",
        }
    }
}

/// One field that an event type may ask for.
#[derive(Debug, Clone)]
pub struct RequirementRow {
    /// The field.
    pub field: Field,
    /// How strongly it is asked for.
    pub ask: Ask,
    /// Why, in the host's words; guests read it.
    pub purpose: String,
    /// How many days after the event it is kept, as typed.
    pub retention_days: String,
}

/// One field that a host declares itself.
#[derive(Debug, Clone)]
pub struct AdditionalRow {
    /// Its place in the form, from 0.
    pub index: usize,
    /// Its key, which stays once it is saved; empty for a new one.
    pub key: String,
    /// The question in words.
    pub label: String,
    /// The kinds of answer, one chosen.
    pub kinds: Vec<Choice>,
    /// The answers to choose from, one per line.
    pub choices: String,
    /// The name of the company or the club.
    pub name: String,
    /// Who has to vouch for its members, one chosen.
    pub vouchers: Vec<Choice>,
    /// The domain of the e-mail addresses that vouch.
    pub email_domain: String,
    /// How strongly it is asked for.
    pub ask: Ask,
    /// Why, in the host's words; guests read it.
    pub purpose: String,
    /// How many days after the event it is kept, as typed.
    pub retention_days: String,
}

/// The kind of answer that a declared field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdditionalKind {
    /// Free text.
    Text,
    /// A whole number.
    Number,
    /// Yes or no.
    YesNo,
    /// A date.
    Date,
    /// One of several answers.
    Choice,
    /// "18 or over", without the birthday.
    Over18,
    /// "21 or over", without the birthday.
    Over21,
    /// "Affiliated with this company".
    CompanyMember,
    /// "Member of this club".
    ClubMember,
}

impl AdditionalKind {
    /// All kinds, in the order in which pages list them.
    pub const ALL: [Self; 9] = [
        Self::Text,
        Self::Number,
        Self::YesNo,
        Self::Date,
        Self::Choice,
        Self::Over18,
        Self::Over21,
        Self::CompanyMember,
        Self::ClubMember,
    ];

    /// The value in forms.
    pub fn value(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::YesNo => "yes_no",
            Self::Date => "date",
            Self::Choice => "choice",
            Self::Over18 => "over_18",
            Self::Over21 => "over_21",
            Self::CompanyMember => "company_member",
            Self::ClubMember => "club_member",
        }
    }

    /// The kind in words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Number => "Number",
            Self::YesNo => "Yes or no",
            Self::Date => "Date",
            Self::Choice => "One of several",
            Self::Over18 => "18 or over: yes",
            Self::Over21 => "21 or over: yes",
            Self::CompanyMember => "Affiliated with a company: yes",
            Self::ClubMember => "Member of a club: yes",
        }
    }
}

impl AdditionalRow {
    /// An empty row, or one to be filled.
    pub fn new(index: usize, kind: AdditionalKind) -> Self {
        let kinds = AdditionalKind::ALL.map(|kind| (kind.value(), kind.label()));
        Self {
            index,
            key: String::new(),
            label: String::new(),
            kinds: Choice::list(kinds, kind.value()),
            choices: String::new(),
            name: String::new(),
            vouchers: Self::vouchers(""),
            email_domain: String::new(),
            ask: Ask::Optional,
            purpose: String::new(),
            retention_days: String::new(),
        }
    }
}

impl AdditionalRow {
    /// Those who may vouch, one chosen; the person if none is.
    pub fn vouchers(chosen: &str) -> Vec<Choice> {
        let all = [
            ("person", "The guest's own word"),
            ("email_domain", "A confirmed e-mail address at a domain"),
            ("host_list", "Your own list, under Members"),
        ];
        let chosen = if chosen.is_empty() { "person" } else { chosen };
        Choice::list(all, chosen)
    }

    /// Whether it asks to belong somewhere.
    pub fn is_membership(&self) -> bool {
        let mut kinds = self.kinds.iter().filter(|kind| kind.chosen);
        kinds.any(|kind| ["company_member", "club_member"].contains(&kind.value.as_str()))
    }
}

impl RequirementRow {
    fn sample(field: StandardField, ask: Ask, purpose: &str, retention_days: &str) -> Self {
        Self {
            field: Field::standard(field),
            ask,
            purpose: purpose.to_owned(),
            retention_days: retention_days.to_owned(),
        }
    }
}

impl Samples for RequirementsPage {
    fn samples() -> Vec<Sample<Self>> {
        let none = StandardField::ALL
            .iter()
            .take(4)
            .map(|&f| RequirementRow::sample(f, Ask::None, "", ""));
        let fresh = Self {
            page: Page::new("What Café Mira asks", Reader::Person, Section::Hosting),
            host: HostHead::sample(HostTab::Requirements),
            event_type: EventType::Reservation,
            types: vec![EventType::Reservation, EventType::BusinessEvent],
            fields: none.collect(),
            additional: Vec::new(),
            can_add: true,
            in_force_since: None,
            retention_days_max: 365,
            errors: FormErrors::none(),
        };
        let typical = Self::typical(&fresh);
        let mut errors = typical.clone();
        errors.errors = FormErrors::none()
            .with(
                "purpose.phoneNumber",
                "Say what you need the phone number for: guests read it.",
            )
            .with(
                "retentionDays.phoneNumber",
                "Enter a number of days from 1 to 365.",
            )
            .with(
                "additional.2.choices",
                "Enter at least two answers, one on each line.",
            );
        if let Some(phone) = errors.fields.get_mut(1) {
            phone.purpose.clear();
            "forever".clone_into(&mut phone.retention_days);
        }
        errors.additional.push(AdditionalRow {
            label: "Where would you like to sit?".to_owned(),
            choices: "Inside".to_owned(),
            purpose: "Placing you".to_owned(),
            retention_days: "1".to_owned(),
            ..AdditionalRow::new(2, AdditionalKind::Choice)
        });
        errors.can_add = false;
        vec![
            Sample::new("empty", fresh),
            Sample::new("typical", typical),
            Sample::new("errors", errors),
        ]
    }
}

impl RequirementsPage {
    fn typical(fresh: &Self) -> Self {
        Self {
            fields: vec![
                RequirementRow::sample(
                    StandardField::Name,
                    Ask::Required,
                    "Greeting you and finding your table",
                    "1",
                ),
                RequirementRow::sample(
                    StandardField::PhoneNumber,
                    Ask::Optional,
                    "Calling you if the kitchen runs late",
                    "2",
                ),
                RequirementRow::sample(StandardField::Email, Ask::None, "", ""),
                RequirementRow::sample(StandardField::Birthday, Ask::None, "", ""),
            ],
            additional: vec![
                AdditionalRow {
                    key: "allergies".to_owned(),
                    label: "Allergies".to_owned(),
                    purpose: "Cooking for you safely".to_owned(),
                    retention_days: "1".to_owned(),
                    ..AdditionalRow::new(0, AdditionalKind::Text)
                },
                AdditionalRow {
                    key: "crew".to_owned(),
                    label: "Do you work at Nordlicht?".to_owned(),
                    name: "Nordlicht Versicherungsgesellschaft".to_owned(),
                    vouchers: AdditionalRow::vouchers("email_domain"),
                    email_domain: "nordlicht.example".to_owned(),
                    purpose: "The table that your company pays for".to_owned(),
                    retention_days: "1".to_owned(),
                    ..AdditionalRow::new(1, AdditionalKind::CompanyMember)
                },
            ],
            in_force_since: Some(Moment::new(
                "2026-11-03T09:12+01:00",
                "3 November 2026, 09:12",
            )),
            ..fresh.clone()
        }
    }
}
