//! `GET /me/sharing`: who can see what, and one way out for each.

use askama::Template;
use spots_booking::{HostKind, StandardField};
use spots_host::view::{
    EventTime, Field, Flash, Moment, Page, Pager, Reader, Sample, Samples, Section,
};

/// Everything the reader shares, by host or by field (`by=host|field`, `page`).
///
/// Each button posts to `/me/sharing/revoke` exactly one of `shareId` with `field`, `bookingId`,
/// `hostId`, `all=true`; and `by`, to come back to the same view.
#[derive(Debug, Clone, Template)]
#[template(path = "sharing.html")]
pub struct SharingPage {
    /// The head of the page.
    pub page: Page,
    /// What is shared, in one of two orders.
    pub view: SharingView,
    /// Steps through the list.
    pub pager: Pager,
}

/// The two orders in which sharing is shown.
#[derive(Debug, Clone)]
pub enum SharingView {
    /// "What does this host see?"
    ByHost(Vec<HostShares>),
    /// "Who can see my phone number?"
    ByField(Vec<FieldShares>),
    /// "What did I take back, and is it gone?"
    Ended(Vec<EndedLine>),
}

impl SharingPage {
    /// The value of `by` for this view.
    pub fn by(&self) -> &'static str {
        match self.view {
            SharingView::ByHost(_) => "host",
            SharingView::ByField(_) => "field",
            SharingView::Ended(_) => "ended",
        }
    }

    /// Whether nothing at all is shared.
    pub fn is_empty(&self) -> bool {
        match &self.view {
            SharingView::ByHost(hosts) => hosts.is_empty(),
            SharingView::ByField(fields) => fields.is_empty(),
            SharingView::Ended(lines) => lines.is_empty(),
        }
    }
}

/// One field that is shared no more.
#[derive(Debug, Clone)]
pub struct EndedLine {
    /// The share's id, for its receipt.
    pub share_id: String,
    /// The field.
    pub field: Field,
    /// With whom it was shared.
    pub host_name: String,
    /// The booking's id.
    pub booking_id: String,
    /// What was booked.
    pub event_title: String,
    /// When it was taken back; `None` where its time was over.
    pub revoked: Option<Moment>,
    /// When its time was over, or would have been.
    pub expired: Moment,
    /// When the last copy of its key became unreadable.
    pub purged: Option<Moment>,
    /// When the host last looked.
    pub last_looked: LastLooked,
}

/// What one host can see.
#[derive(Debug, Clone)]
pub struct HostShares {
    /// The host's id.
    pub host_id: String,
    /// The host's name.
    pub host_name: String,
    /// The host's kind.
    pub kind: HostKind,
    /// The guest handle that the host knows the reader by.
    pub handle: String,
    /// When the host last looked.
    pub last_looked: LastLooked,
    /// What it can see, booking by booking.
    pub bookings: Vec<BookingShares>,
}

/// Whether and when a host opened what is shared with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastLooked {
    /// It never did.
    Never,
    /// It did, last at this moment.
    On(Moment),
    /// It did, and downloaded a copy at this moment.
    DownloadedOn(Moment),
}

/// What a host can see for one booking.
#[derive(Debug, Clone)]
pub struct BookingShares {
    /// The booking's id.
    pub booking_id: String,
    /// The event's name.
    pub event_title: String,
    /// The booked time.
    pub when: EventTime,
    /// The fields.
    pub lines: Vec<ShareLine>,
}

/// One shared field.
#[derive(Debug, Clone)]
pub struct ShareLine {
    /// The share's id.
    pub share_id: String,
    /// The field.
    pub field: Field,
    /// The value that is shared.
    pub value: String,
    /// Since when.
    pub since: Moment,
    /// When it ends by itself.
    pub until: Moment,
}

/// Who can see one field.
#[derive(Debug, Clone)]
pub struct FieldShares {
    /// The field.
    pub field: Field,
    /// Who can see it.
    pub entries: Vec<FieldEntry>,
}

/// One host that can see a field.
#[derive(Debug, Clone)]
pub struct FieldEntry {
    /// The share's id.
    pub share_id: String,
    /// The host's name.
    pub host_name: String,
    /// The booking's id.
    pub booking_id: String,
    /// The event's name.
    pub event_title: String,
    /// The value that is shared.
    pub value: String,
    /// When it ends by itself.
    pub until: Moment,
    /// When the host last looked.
    pub last_looked: LastLooked,
}

fn berlin(datetime: &str, text: &str) -> EventTime {
    EventTime {
        start: Moment::new(datetime, text),
        zone: "Berlin time".to_owned(),
        there: None,
    }
}

impl HostShares {
    fn samples() -> Vec<Self> {
        let line = |share: &str, field: Field, value: &str| ShareLine {
            share_id: share.to_owned(),
            field,
            value: value.to_owned(),
            since: Moment::new("2026-11-22", "22 November 2026"),
            until: Moment::new("2026-12-13", "13 December 2026"),
        };
        let name = || Field::standard(StandardField::Name);
        vec![
            Self {
                host_id: "host_9rT2".to_owned(),
                host_name: "Café Mira".to_owned(),
                kind: HostKind::Business,
                handle: "Guest K7Q-2M4".to_owned(),
                last_looked: LastLooked::On(Moment::new(
                    "2026-11-22T18:04+01:00",
                    "22 November 2026, 18:04",
                )),
                bookings: vec![
                    BookingShares {
                        booking_id: "bkg_77".to_owned(),
                        event_title: "Dinner at Café Mira".to_owned(),
                        when: berlin("2026-12-12T18:30+01:00", "Sat 12 December, 18:30"),
                        lines: vec![
                            line("shr_1", name(), "Amira Okonjo"),
                            line(
                                "shr_1",
                                Field::additional("allergies", "Allergies"),
                                "Hazelnuts",
                            ),
                        ],
                    },
                    BookingShares {
                        booking_id: "bkg_80".to_owned(),
                        event_title: "Winter tasting: natural wines from small cellars".to_owned(),
                        when: berlin("2026-12-18T19:30+01:00", "Fri 18 December, 19:30"),
                        lines: vec![line(
                            "shr_2",
                            Field::standard(StandardField::Email),
                            "amira@example.org",
                        )],
                    },
                ],
            },
            Self {
                host_id: "host_c81K".to_owned(),
                host_name: "Ruderclub am Nordufer".to_owned(),
                kind: HostKind::Club,
                handle: "Guest 4PB-X0Z".to_owned(),
                last_looked: LastLooked::Never,
                bookings: vec![BookingShares {
                    booking_id: "bkg_81".to_owned(),
                    event_title: "Club evening and captains’ handover".to_owned(),
                    when: berlin("2026-12-19T16:00+01:00", "Sat 19 December, 16:00"),
                    lines: vec![line("shr_3", name(), "Amira Okonjo")],
                }],
            },
        ]
    }
}

impl FieldShares {
    fn samples() -> Vec<Self> {
        let entry = |share: &str, host: &str, title: &str, value: &str, last_looked| FieldEntry {
            share_id: share.to_owned(),
            host_name: host.to_owned(),
            booking_id: "bkg_77".to_owned(),
            event_title: title.to_owned(),
            value: value.to_owned(),
            until: Moment::new("2026-12-13", "13 December 2026"),
            last_looked,
        };
        let downloaded =
            LastLooked::DownloadedOn(Moment::new("2026-11-22T18:04+01:00", "22 November, 18:04"));
        vec![
            Self {
                field: Field::standard(StandardField::Name),
                entries: vec![
                    entry(
                        "shr_1",
                        "Café Mira",
                        "Dinner at Café Mira",
                        "Amira Okonjo",
                        downloaded,
                    ),
                    entry(
                        "shr_3",
                        "Ruderclub am Nordufer",
                        "Club evening and captains’ handover",
                        "Amira Okonjo",
                        LastLooked::Never,
                    ),
                ],
            },
            Self {
                field: Field::additional("allergies", "Allergies"),
                entries: vec![entry(
                    "shr_1",
                    "Café Mira",
                    "Dinner at Café Mira",
                    "Hazelnuts, sesame",
                    LastLooked::Never,
                )],
            },
        ]
    }
}

impl EndedLine {
    fn samples() -> Vec<Self> {
        let line = |revoked, purged, last_looked| Self {
            share_id: "shr_1".to_owned(),
            field: Field::standard(StandardField::PhoneNumber),
            host_name: "Café Mira".to_owned(),
            booking_id: "bkg_77".to_owned(),
            event_title: "Dinner at Café Mira".to_owned(),
            revoked,
            expired: Moment::new("2026-12-13", "13 December 2026"),
            purged,
            last_looked,
        };
        let at = |day: u8| Moment::new(format!("2026-11-{day}"), format!("{day} November 2026"));
        vec![
            line(Some(at(24)), None, LastLooked::DownloadedOn(at(23))),
            line(Some(at(12)), Some(at(20)), LastLooked::On(at(11))),
            line(
                None,
                Some(Moment::new("2026-12-21", "21 December 2026")),
                LastLooked::Never,
            ),
        ]
    }
}

impl Samples for SharingPage {
    fn samples() -> Vec<Sample<Self>> {
        let page = Page::new("Your sharing", Reader::Person, Section::Sharing);
        let empty = Self {
            page: page.clone(),
            view: SharingView::ByHost(Vec::new()),
            pager: Pager::whole(),
        };
        let by_host = Self {
            view: SharingView::ByHost(HostShares::samples()),
            ..empty.clone()
        };
        let by_field = Self {
            page: page.with_flash(Some(Flash::done(
                "Café Mira no longer sees your phone number. The booking stays as it is.",
            ))),
            view: SharingView::ByField(FieldShares::samples()),
            ..empty.clone()
        };
        let ended = Self {
            view: SharingView::Ended(EndedLine::samples()),
            ..empty.clone()
        };
        let full = Self {
            view: SharingView::ByHost(HostShares::samples().into_iter().cycle().take(10).collect()),
            pager: Pager {
                position: "1 to 10 of 34 hosts".to_owned(),
                previous: None,
                next: Some("/me/sharing?by=host&page=2".to_owned()),
            },
            ..empty.clone()
        };
        vec![
            Sample::new("empty", empty),
            Sample::new("by_host", by_host),
            Sample::new("by_field", by_field),
            Sample::new("full", full),
            Sample::new("ended", ended),
        ]
    }
}
