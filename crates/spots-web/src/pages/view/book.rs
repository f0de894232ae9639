//! `GET|POST /events/{eventId}/book`: the data-sharing step, the same for all six event types.

use askama::Template;
use spots_booking::{EventType, StandardField};
use spots_host::view::{
    Choice, EventTime, Field, FormErrors, Moment, Page, Reader, Sample, Samples, Section,
};

/// The data-sharing step: what the host asks, what the reader gives, what the host will see.
///
/// The form sends `slot`, `party`, `idempotencyKey`, `requirementsVersion` and, for each field,
/// `share.<field>` (`on` if ticked) and `value.<field>`. The same form posted to `…/book/preview` asks for [`HostSeesPart`]
/// (by `htmx`), or for this page with the preview brought up to date (without scripts).
#[derive(Debug, Clone, Template)]
#[template(path = "book.html")]
pub struct BookPage {
    /// The head of the page.
    pub page: Page,
    /// The event's id, for addresses.
    pub event_id: String,
    /// The event's name.
    pub event_title: String,
    /// The event's type.
    pub event_type: EventType,
    /// Who offers it, and will see what is shared.
    pub host_name: String,
    /// The chosen slot, named by its beginning in seconds since the Unix epoch.
    pub slot: String,
    /// The chosen time.
    pub when: EventTime,
    /// How many people come.
    pub party: u32,
    /// A random key that makes a repeated click one booking.
    pub idempotency_key: String,
    /// The version of the requirements that the reader sees; `requirementsVersion` in the form.
    pub requirements_version: u32,
    /// The fields that the host asks for.
    pub rows: Vec<ShareRow>,
    /// Whether the reader wants to stop sharing when the event is over.
    pub until_the_event: bool,
    /// What the host will see as the form stands.
    pub sees: HostSees,
    /// What is wrong with the form.
    pub errors: FormErrors,
}

/// One field of the data-sharing step.
#[derive(Debug, Clone)]
pub struct ShareRow {
    /// The field.
    pub field: Field,
    /// Why the host asks, in its words.
    pub purpose: String,
    /// How long the host keeps it, for example `until 2 days after the event`.
    pub retention: String,
    /// Whether a booking is refused without it.
    pub required: bool,
    /// Whether it is shared as the form stands; at first, only by the reader's own defaults.
    pub shared: bool,
    /// The reader's value and how it is typed.
    pub value: ValueInput,
    /// The token that lets a browser fill the input; `off` for declared fields.
    pub autocomplete: &'static str,
}

impl ShareRow {
    /// A row for one of the five personal fields, with the right input for it.
    pub fn personal(field: StandardField, value: impl Into<String>) -> Self {
        let value = value.into();
        Self {
            field: Field::standard(field),
            purpose: String::new(),
            retention: String::new(),
            required: false,
            shared: false,
            value: match field {
                StandardField::PhoneNumber => ValueInput::Phone(value),
                StandardField::Email => ValueInput::Email(value),
                StandardField::Birthday => ValueInput::Date(value),
                StandardField::Name | StandardField::CompanyAffiliation => ValueInput::Text(value),
            },
            autocomplete: match field {
                StandardField::Name => "name",
                StandardField::PhoneNumber => "tel",
                StandardField::Email => "email",
                StandardField::Birthday => "bday",
                StandardField::CompanyAffiliation => "organization",
            },
        }
    }

    /// A row for a field that the host declared.
    pub fn additional(key: &str, label: impl Into<String>, value: ValueInput) -> Self {
        Self {
            field: Field::additional(key, label),
            purpose: String::new(),
            retention: String::new(),
            required: false,
            shared: false,
            value,
            autocomplete: "off",
        }
    }

    /// `name` and `id` of the checkbox.
    pub fn share_name(&self) -> String {
        format!("share.{}", self.field.key)
    }

    /// `name` and `id` of the input.
    pub fn value_name(&self) -> String {
        format!("value.{}", self.field.key)
    }
}

/// A value as typed, and the input that it is typed into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueInput {
    /// A line of text.
    Text(String),
    /// A telephone number.
    Phone(String),
    /// An e-mail address.
    Email(String),
    /// A date, `YYYY-MM-DD`.
    Date(String),
    /// A decimal number.
    Number(String),
    /// `yes` (`true`), `no` (`false`), or not answered.
    YesNo(Option<bool>),
    /// One of several answers.
    Choice(Vec<Choice>),
    /// SPOTS answers yes; on what that rests.
    Attested(String),
    /// SPOTS answers yes by the host's own list of members.
    Listed {
        /// On what that rests.
        basis: String,
        /// The member number as typed.
        number: String,
    },
}

impl ValueInput {
    /// The value of `type` for those that are an `<input>`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Phone(_) => "tel",
            Self::Email(_) => "email",
            Self::Date(_) => "date",
            Self::Text(_)
            | Self::Number(_)
            | Self::YesNo(_)
            | Self::Choice(_)
            | Self::Attested(_)
            | Self::Listed { .. } => "text",
        }
    }

    /// The value of `inputmode`, where a keyboard other than the usual serves better.
    pub fn input_mode(&self) -> Option<&'static str> {
        matches!(self, Self::Number(_)).then_some("decimal")
    }

    /// The text typed, for those that are an `<input>`.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text)
            | Self::Phone(text)
            | Self::Email(text)
            | Self::Date(text)
            | Self::Number(text) => text,
            Self::Listed { number, .. } => number,
            Self::YesNo(_) | Self::Choice(_) | Self::Attested(_) => "",
        }
    }
}

/// What the host will see if the form is sent as it stands.
#[derive(Debug, Clone)]
pub struct HostSees {
    /// Who will see it.
    pub host_name: String,
    /// The reader's guest handle at this host; `None` shows what one looks like.
    pub handle: Option<String>,
    /// The chosen time, in the words of the host's list.
    pub when: String,
    /// How many people come.
    pub party: u32,
    /// The fields that are shared, with their values.
    pub shared: Vec<SharedLine>,
    /// Labels of the fields that are not.
    pub withheld: Vec<String>,
    /// Labels of required fields that are not shared or empty: a booking would be refused.
    pub missing: Vec<String>,
}

/// One field that a host sees.
#[derive(Debug, Clone)]
pub struct SharedLine {
    /// The field in words.
    pub label: String,
    /// The value as the host sees it.
    pub value: String,
}

/// The answer to `POST /events/{eventId}/book/preview` for `htmx`: the inside of `#host-sees`.
#[derive(Debug, Clone, Template)]
#[template(path = "partials/host_sees.html")]
pub struct HostSeesPart {
    /// What the host will see.
    pub sees: HostSees,
}

impl HostSees {
    fn sample() -> Self {
        Self {
            host_name: "Café Mira".to_owned(),
            handle: None,
            when: "Sat 12 December, 18:30".to_owned(),
            party: 4,
            shared: Vec::new(),
            withheld: ["Name", "Phone number", "Allergies"]
                .map(str::to_owned)
                .to_vec(),
            missing: vec!["Name".to_owned()],
        }
    }

    fn sample_sharing() -> Self {
        let line = |label: &str, value: &str| SharedLine {
            label: label.to_owned(),
            value: value.to_owned(),
        };
        Self {
            handle: Some("Guest K7Q-2M4".to_owned()),
            shared: vec![
                line("Name", "Amira Okonjo"),
                line("Allergies", "Hazelnuts, sesame"),
            ],
            withheld: vec!["Phone number".to_owned()],
            missing: Vec::new(),
            ..Self::sample()
        }
    }
}

impl Samples for HostSeesPart {
    fn samples() -> Vec<Sample<Self>> {
        vec![
            Sample::new(
                "missing",
                Self {
                    sees: HostSees::sample(),
                },
            ),
            Sample::new(
                "sharing",
                Self {
                    sees: HostSees::sample_sharing(),
                },
            ),
        ]
    }
}

impl BookPage {
    fn sample(rows: Vec<ShareRow>, sees: HostSees) -> Self {
        Self {
            until_the_event: false,
            page: Page::new("Book dinner at Café Mira", Reader::Person, Section::Events),
            event_id: "evt_a1".to_owned(),
            event_title: "Dinner at Café Mira".to_owned(),
            event_type: EventType::Reservation,
            host_name: "Café Mira".to_owned(),
            slot: "1797096600".to_owned(),
            when: EventTime {
                start: Moment::new("2026-12-12T18:30:00+01:00", "Sat 12 December, 18:30"),
                zone: "Berlin time".to_owned(),
                there: None,
            },
            party: 4,
            idempotency_key: "k_5fX0".to_owned(),
            requirements_version: 3,
            rows,
            sees,
            errors: FormErrors::none(),
        }
    }
}

impl ShareRow {
    fn because(self, purpose: &str, days: &str) -> Self {
        Self {
            purpose: purpose.to_owned(),
            retention: format!("until {days} after the event"),
            ..self
        }
    }

    fn samples() -> Vec<Self> {
        let allergies = ValueInput::Text("Hazelnuts, sesame".to_owned());
        vec![
            Self {
                required: true,
                ..Self::personal(StandardField::Name, "Amira Okonjo")
                    .because("Greeting you and finding your table", "1 day")
            },
            Self::personal(StandardField::PhoneNumber, "+49 30 901820")
                .because("Calling you if the kitchen runs late", "2 days"),
            Self::additional("allergies", "Allergies", allergies)
                .because("Cooking for you safely", "1 day"),
        ]
    }

    /// Every kind of input there is.
    fn samples_full() -> Vec<Self> {
        let courses = [
            ("", "Choose one"),
            ("fish", "Fish"),
            ("vegan", "Vegetables only"),
        ];
        let mut rows = Self::samples();
        rows.extend([
            Self::personal(StandardField::Email, "amira@example.org")
                .because("Sending you the programme", "30 days"),
            Self::personal(StandardField::Birthday, "1994-02-28")
                .because("A small present on your day", "365 days"),
            Self::personal(StandardField::CompanyAffiliation, "")
                .because("Your name badge", "7 days"),
            Self::additional(
                "chairs",
                "High chairs needed",
                ValueInput::Number("1".to_owned()),
            )
            .because("Setting the table", "1 day"),
            Self::additional("dog", "Do you bring a dog?", ValueInput::YesNo(Some(false)))
                .because("Seating you where there is room", "1 day"),
            Self::additional("arrival", "Day of arrival", ValueInput::Date(String::new()))
                .because("Holding your room", "1 day"),
            Self::additional(
                "course",
                "Main course",
                ValueInput::Choice(Choice::list(courses, "vegan")),
            )
            .because("Buying what you will eat", "1 day"),
            Self::additional(
                "age",
                "18 or over",
                ValueInput::Attested(
                    "Yes, worked out from the birthday in your profile.".to_owned(),
                ),
            )
            .because("Serving wine", "1 day"),
            Self::additional(
                "member",
                "Member of Ruderclub am Nordufer",
                ValueInput::Listed {
                    basis: "Yes, you belong to Ruderclub am Nordufer, by the host's own list."
                        .to_owned(),
                    number: "RC-2026-0042".to_owned(),
                },
            )
            .because("Members come in first", "1 day"),
        ]);
        rows
    }
}

impl Samples for BookPage {
    fn samples() -> Vec<Sample<Self>> {
        let nothing_asked = HostSees {
            withheld: Vec::new(),
            missing: Vec::new(),
            ..HostSees::sample()
        };
        let mut ticked = ShareRow::samples();
        for row in &mut ticked {
            row.shared = row.field.key != StandardField::PhoneNumber.as_str();
        }
        let mut errors = Self::sample(ShareRow::samples(), HostSees::sample());
        errors.errors = FormErrors::none().with(
            "share.name",
            "Café Mira books nobody without a name. Share it, or choose another event.",
        );
        if let Some(phone) = errors.rows.get_mut(1) {
            phone.shared = true;
            phone.value = ValueInput::Phone("030-90x".to_owned());
        }
        errors.errors.add(
            "value.phoneNumber",
            "Enter a phone number with its country, for example +49 30 901820.",
        );
        let full = Self {
            event_type: EventType::CompanyEvent,
            ..Self::sample(ShareRow::samples_full(), HostSees::sample_sharing())
        };
        vec![
            Sample::new("asks_nothing", Self::sample(Vec::new(), nothing_asked)),
            Sample::new(
                "first_visit",
                Self::sample(ShareRow::samples(), HostSees::sample()),
            ),
            Sample::new(
                "by_defaults",
                Self::sample(ticked, HostSees::sample_sharing()),
            ),
            Sample::new("full", full),
            Sample::new("errors", errors),
        ]
    }
}
