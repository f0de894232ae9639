//! What the demo starts with: one host of each kind, one event of each type, two attendees.

use anyhow::Context as _;
use jiff::civil::{Time, Weekday, time};
use jiff::tz::TimeZone;
use jiff::{ToSpan as _, Zoned};
use spots_booking::requirement::{Ask, FieldRule, ValueKind};
use spots_booking::{
    EventType, FieldName, HostKind, NewEvent, Occurrence, Schedule, StandardField, TableHours,
};
use spots_privacy::Personal;
use spots_web::Platform;
use spots_web::service::{self, Ctx, Person};

/// The password of everyone in the demo.
pub(super) const PASSWORD: &str = "spots-demo-2026";
/// The zone in which the demo's hosts think.
const ZONE: &str = "Europe/Berlin";

/// Someone to sign in as.
pub(super) struct SignIn {
    pub(super) email: &'static str,
    pub(super) role: String,
}

struct Offer {
    event_type: EventType,
    title: &'static str,
    description: &'static str,
    place: &'static str,
    capacity: u32,
    asks: &'static [(StandardField, Ask, &'static str)],
}

struct DemoHost {
    email: &'static str,
    name: &'static str,
    kind: HostKind,
    offers: &'static [Offer],
}

use Ask::{Optional, Required};
use StandardField::{Birthday, CompanyAffiliation, Email, Name, PhoneNumber};

const HOSTS: &[DemoHost] = &[
    DemoHost {
        email: "business@demo.example",
        name: "Café Mira",
        kind: HostKind::Business,
        offers: &[
            Offer {
                event_type: EventType::Reservation,
                title: "A table at Café Mira",
                description: "Breakfast to dinner, twelve tables, garden in summer.",
                place: "Lindenstraße 4",
                capacity: 24,
                asks: &[
                    (
                        Name,
                        Required,
                        "So that we find your table when you come in.",
                    ),
                    (
                        PhoneNumber,
                        Optional,
                        "To call you if a table is free earlier.",
                    ),
                ],
            },
            Offer {
                event_type: EventType::BusinessEvent,
                title: "Wine tasting with the growers",
                description: "Six wines, bread, and the people who made both.",
                place: "Café Mira, cellar",
                capacity: 16,
                asks: &[
                    (Name, Required, "For the list at the door."),
                    (Birthday, Required, "We may only pour for adults."),
                    (Email, Optional, "To send you the list of wines."),
                ],
            },
        ],
    },
    DemoHost {
        email: "community@demo.example",
        name: "Rust Club Kreuzberg",
        kind: HostKind::Community,
        offers: &[Offer {
            event_type: EventType::CommunityEvent,
            title: "Hack and learn",
            description: "Bring a laptop and a question.",
            place: "Maker space, second floor",
            capacity: 40,
            asks: &[
                (Name, Optional, "For your badge."),
                (Email, Optional, "To send the notes."),
            ],
        }],
    },
    DemoHost {
        email: "club@demo.example",
        name: "Nachtfalter",
        kind: HostKind::Club,
        offers: &[Offer {
            event_type: EventType::ClubEvent,
            title: "Vinyl only",
            description: "Doors at ten, three rooms.",
            place: "Am Hafen 12",
            capacity: 10,
            asks: &[(Name, Required, "To check your membership at the door.")],
        }],
    },
    DemoHost {
        email: "expert@demo.example",
        name: "Sourdough with Jo",
        kind: HostKind::Expert,
        offers: &[Offer {
            event_type: EventType::ExpertEvent,
            title: "Sourdough from scratch",
            description: "A morning of flour; you take a starter home.",
            place: "Mill kitchen",
            capacity: 8,
            asks: &[
                (Name, Required, "To greet you."),
                (PhoneNumber, Optional, "If the oven fails, we call."),
            ],
        }],
    },
    DemoHost {
        email: "company@demo.example",
        name: "Hanse Logistics",
        kind: HostKind::Company,
        offers: &[Offer {
            event_type: EventType::CompanyEvent,
            title: "Open day at the terminal",
            description: "A tour of the cranes, in groups of twenty.",
            place: "Gate 3",
            capacity: 60,
            asks: &[
                (Name, Required, "For your visitor pass."),
                (
                    CompanyAffiliation,
                    Optional,
                    "To put colleagues into one group.",
                ),
            ],
        }],
    },
];

const ATTENDEES: &[(&str, &str)] = &[("ada@demo.example", "Ada"), ("grace@demo.example", "Grace")];

/// Plants everything and says who can sign in.
pub(super) async fn plant(platform: &Platform) -> anyhow::Result<Vec<SignIn>> {
    let mut people = Vec::new();
    for host in HOSTS {
        let person = sign_up(platform, host.email, None).await?;
        add_host(platform, &person, host).await?;
        people.push(SignIn {
            email: host.email,
            role: format!("acts for {}", host.name),
        });
    }
    for (email, name) in ATTENDEES {
        sign_up(platform, email, Some(name)).await?;
        people.push(SignIn {
            email,
            role: "attends".to_owned(),
        });
    }
    Ok(people)
}

async fn sign_up(platform: &Platform, email: &str, name: Option<&str>) -> anyhow::Result<Person> {
    let ctx = Ctx::begin(platform)?;
    let new = service::NewAccount {
        email: Personal::new(email),
        password: Personal::new(PASSWORD),
        name: name.map(Personal::new),
    };
    service::sign_up(&ctx, new).await?;
    let signed_in = service::sign_in(&ctx, &Personal::new(email), Personal::new(PASSWORD)).await?;
    Ok(service::person(&ctx, signed_in.token.disclose()).await?)
}

async fn add_host(platform: &Platform, person: &Person, host: &DemoHost) -> anyhow::Result<()> {
    let ctx = Ctx::begin(platform)?;
    let new = service::NewHost {
        name: host.name.to_owned(),
        kind: host.kind,
    };
    let added = service::add_host(&ctx, person, new).await?;
    let member = service::member(&ctx, person, added.id).await?;
    for (index, offer) in host.offers.iter().enumerate() {
        let rules = offer.asks.iter().map(rule).collect();
        service::update_requirements(&ctx, &member, offer.event_type, rules).await?;
        let day = ctx.now().to_zoned(TimeZone::get(ZONE)?);
        let event = new_event(offer, &day, index)?;
        service::add_events(&ctx, &member, vec![(event, None)]).await?;
    }
    Ok(())
}

fn rule((field, ask, purpose): &(StandardField, Ask, &str)) -> FieldRule {
    FieldRule {
        field: FieldName::Standard(*field),
        label: field.label().to_owned(),
        kind: ValueKind::Text,
        ask: *ask,
        purpose: (*purpose).to_owned(),
        retention_days: 7,
    }
}

fn new_event(offer: &Offer, today: &Zoned, index: usize) -> anyhow::Result<NewEvent> {
    let schedule = match offer.event_type {
        EventType::Reservation => Schedule::Tables(TableHours {
            weekdays: Weekday::Monday.cycle_forward().take(7).collect(),
            opens: time(9, 0, 0, 0),
            closes: time(21, 0, 0, 0),
            every_minutes: 60,
            stay_minutes: 90,
            days_ahead: 30,
        }),
        _ => Schedule::Occurrences(evenings(today, index)?),
    };
    Ok(NewEvent {
        event_type: offer.event_type,
        title: offer.title.to_owned(),
        description: offer.description.to_owned(),
        place: offer.place.to_owned(),
        time_zone: ZONE.to_owned(),
        schedule,
        capacity: Some(offer.capacity),
        party_max: 6,
    })
}

/// Three evenings, a week apart.
fn evenings(today: &Zoned, index: usize) -> anyhow::Result<Vec<Occurrence>> {
    let evening: Time = time(19, 0, 0, 0);
    let first = 2 + i64::try_from(index).context("a host has few offers")?;
    (0..3_i64)
        .map(|week| {
            let day = today.date().checked_add((first + 7 * week).days())?;
            let starts = day
                .to_datetime(evening)
                .to_zoned(today.time_zone().clone())?;
            Ok(Occurrence {
                starts_at: starts.timestamp(),
                ends_at: starts.checked_add(3.hours())?.timestamp(),
            })
        })
        .collect()
}
