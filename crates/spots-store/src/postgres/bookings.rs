//! A person's bookings, as they see them.

use spots_booking::BookingId;
use spots_privacy::AgentId;

use super::PostgresStore;
use super::columns::Columns;
use super::session::{Fault, statements};
use crate::model::{BookingRecord, Page, PageRequest};

/// A person's bookings, found through the index by agent.
macro_rules! bookings {
    ($rest:literal) => {
        concat!(
            "SELECT h.host_id, h.kind, h.name, r.booking_id, r.event_id, r.event_type, e.title,
                    e.place, e.time_zone, r.starts_at, r.ends_at, r.party, r.position, g.code,
                    r.booked_at_ns, r.booked_bound_ns, r.booked_stamp, r.cancelled_at_ns
             FROM agent_bookings a
             JOIN reservations r ON r.host_id = a.host_id AND r.booking_id = a.booking_id
             JOIN hosts h ON h.host_id = r.host_id
             JOIN events e ON e.host_id = r.host_id AND e.event_id = r.event_id
             JOIN guests g ON g.host_id = r.host_id AND g.guest_id = r.guest_id
             WHERE a.agent_id = $1 ",
            $rest
        )
    };
}

statements! {
    LIST(TEXT, INT8, INT8) = bookings!("ORDER BY a.booked_stamp DESC LIMIT $2 OFFSET $3");
    LOOKUP(TEXT, TEXT) = bookings!("AND a.booking_id = $2");
}

pub(super) async fn list(
    store: &PostgresStore,
    agent: &AgentId,
    page: PageRequest,
) -> Result<Page<BookingRecord>, Fault> {
    let (limit, offset) = (i64::from(page.limit) + 1, i64::from(page.offset));
    let agent = agent.reveal();
    let rows = store
        .own_rows(&agent, &LIST, [&agent, &limit, &offset])
        .await?;
    let bookings = rows.iter().map(|row| from_columns(&mut Columns::of(row)));
    Ok(Page::cut(bookings.collect::<Result<_, _>>()?, page.limit))
}

pub(super) async fn lookup(
    store: &PostgresStore,
    agent: &AgentId,
    booking: BookingId,
) -> Result<Option<BookingRecord>, Fault> {
    let agent = agent.reveal();
    let rows = store
        .own_rows(&agent, &LOOKUP, [&agent, &booking.to_string()])
        .await?;
    let row = rows.first();
    row.map(|row| from_columns(&mut Columns::of(row)))
        .transpose()
}

fn from_columns(columns: &mut Columns<'_>) -> Result<BookingRecord, Fault> {
    Ok(BookingRecord {
        host: columns.host()?,
        id: columns.parse("reservations.booking_id")?,
        event: columns.parse("reservations.event_id")?,
        event_type: columns.parse("reservations.event_type")?,
        title: columns.take()?,
        place: columns.take()?,
        time_zone: columns.take()?,
        placed: columns.placed()?,
        code: columns.take()?,
        booked: columns.stamp()?,
        cancelled_at_ns: columns.take()?,
    })
}
