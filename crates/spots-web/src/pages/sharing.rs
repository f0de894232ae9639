//! `GET /me/sharing`: who can see what, by host or by field; and taking it back.

use std::collections::BTreeMap;

use axum::response::Response;
use spots_booking::FieldName;
use spots_host::ServiceError;
use spots_host::browser::{Form, Query, Trouble, page_number, pager, see_other, show};
use spots_host::view::{Field, Moment, Section};
use spots_store::PageRequest;
use spots_store::model::{Selection, ShareFilter, SharedField};

use super::bookings::{field, value, when};
use super::request::SignedIn;
use super::view::{
    BookingShares, EndedLine, FieldEntry, FieldShares, HostShares, LastLooked, ShareLine,
    SharingPage, SharingView,
};
use super::words::nanoseconds;
use crate::service::{self, Asked, SharedValue};

/// Shared fields of one page.
const ROWS: u32 = 100;

pub(super) async fn list(signed_in: SignedIn, query: Query) -> Result<Response, Trouble> {
    let number = page_number(&query);
    let part = PageRequest {
        offset: (number - 1) * ROWS,
        limit: ROWS,
    };
    let (ctx, person) = (signed_in.ctx(), signed_in.person());
    let by = match query.get("by") {
        "field" => "field",
        "ended" => "ended",
        _ => "host",
    };
    let filter = ShareFilter {
        ended: by == "ended",
        ..ShareFilter::default()
    };
    let found = service::shares(ctx, person, filter, part).await?;
    let words = Words {
        signed_in: &signed_in,
        asked: service::asked(ctx, &found.items).await?,
    };
    let view = match by {
        "field" => SharingView::ByField(words.by_field(&found.items)),
        "ended" => SharingView::Ended(words.ended(&found.items)),
        _ => SharingView::ByHost(words.by_host(&found.items).await?),
    };
    Ok(show(&SharingPage {
        page: signed_in.page("Your sharing", Section::Sharing),
        view,
        pager: pager(number, found.more, &format!("/me/sharing?by={by}")),
    }))
}

struct Words<'a> {
    signed_in: &'a SignedIn,
    asked: Asked,
}

impl Words<'_> {
    fn moment(&self, at_ns: i64) -> Moment {
        self.signed_in.moment(nanoseconds(at_ns))
    }

    fn field(&self, shared: &SharedField) -> Field {
        field(&shared.field, self.asked.label(shared))
    }

    fn looked(&self, shared: &SharedValue) -> LastLooked {
        match (shared.field.last_downloaded_ns, shared.field.last_opened_ns) {
            (Some(at_ns), _) => LastLooked::DownloadedOn(self.moment(at_ns)),
            (None, Some(at_ns)) => LastLooked::On(self.moment(at_ns)),
            (None, None) => LastLooked::Never,
        }
    }

    async fn by_host(&self, shares: &[SharedValue]) -> Result<Vec<HostShares>, ServiceError> {
        let mut hosts: Vec<HostShares> = Vec::new();
        for shared in shares {
            let host = &shared.field.host;
            let id = host.id.to_string();
            let (ctx, person) = (self.signed_in.ctx(), self.signed_in.person());
            let booked = shared.field.booking;
            let known = hosts.last().and_then(|last| last.bookings.last());
            if known.is_some_and(|known| known.booking_id == booked.to_string()) {
                let last = hosts.last_mut().and_then(|last| last.bookings.last_mut());
                last.expect("there is one").lines.push(self.line(shared));
                continue;
            }
            let booking = service::booking(ctx, person, booked).await?;
            if hosts.last().is_none_or(|last| last.host_id != id) {
                let of_host = shares.iter().filter(|other| other.field.host.id == host.id);
                let latest = of_host.max_by_key(|other| {
                    (other.field.last_downloaded_ns, other.field.last_opened_ns)
                });
                hosts.push(HostShares {
                    host_id: id,
                    host_name: host.name.clone(),
                    kind: host.kind,
                    handle: format!("Guest {}", booking.record.code),
                    last_looked: latest.map_or(LastLooked::Never, |other| self.looked(other)),
                    bookings: Vec::new(),
                });
            }
            let host = hosts.last_mut().expect("a host was just added");
            host.bookings.push(BookingShares {
                booking_id: booked.to_string(),
                event_title: shared.field.title.clone(),
                when: when(self.signed_in, &booking.record),
                lines: vec![self.line(shared)],
            });
        }
        Ok(hosts)
    }

    fn line(&self, shared: &SharedValue) -> ShareLine {
        ShareLine {
            share_id: shared.field.share.to_string(),
            field: self.field(&shared.field),
            value: value(shared),
            since: self.moment(shared.field.shared.at_ns),
            until: self.moment(shared.field.expires_at_ns),
        }
    }

    /// What ended, and how far it is gone.
    fn ended(&self, shares: &[SharedValue]) -> Vec<EndedLine> {
        let ended = shares.iter().filter(|shared| !shared.is_live());
        let line = |shared: &SharedValue| EndedLine {
            share_id: shared.field.share.to_string(),
            field: self.field(&shared.field),
            host_name: shared.field.host.name.clone(),
            booking_id: shared.field.booking.to_string(),
            event_title: shared.field.title.clone(),
            revoked: shared.field.revoked_at_ns.map(|at_ns| self.moment(at_ns)),
            expired: self.moment(shared.field.expires_at_ns),
            purged: shared.field.purged_at_ns.map(|at_ns| self.moment(at_ns)),
            last_looked: self.looked(shared),
        };
        ended.map(line).collect()
    }

    fn by_field(&self, shares: &[SharedValue]) -> Vec<FieldShares> {
        let mut fields: BTreeMap<&FieldName, FieldShares> = BTreeMap::new();
        for shared in shares {
            fields
                .entry(&shared.field.field)
                .or_insert_with(|| FieldShares {
                    field: self.field(&shared.field),
                    entries: Vec::new(),
                })
                .entries
                .push(FieldEntry {
                    share_id: shared.field.share.to_string(),
                    host_name: shared.field.host.name.clone(),
                    booking_id: shared.field.booking.to_string(),
                    event_title: shared.field.title.clone(),
                    value: value(shared),
                    until: self.moment(shared.field.expires_at_ns),
                    last_looked: self.looked(shared),
                });
        }
        fields.into_values().collect()
    }
}

pub(super) async fn revoke(signed_in: SignedIn, form: Form) -> Result<Response, Trouble> {
    let trouble = |error| signed_in.visitor.trouble(error);
    let selection = selection(&form).ok_or_else(|| {
        trouble(ServiceError::field(
            "form",
            "invalid",
            "Choose one thing to take back.",
        ))
    })?;
    service::revoke(signed_in.ctx(), signed_in.person(), selection)
        .await
        .map_err(trouble)?;
    let by = if form.get("by") == "field" {
        "field"
    } else {
        "host"
    };
    Ok(see_other(&format!("/me/sharing?by={by}&done=revoked")))
}

/// What a form takes back: exactly one of a field of a share, a booking, a host, or everything.
fn selection(form: &Form) -> Option<Selection> {
    let named = ["shareId", "bookingId", "hostId", "all"];
    if named
        .iter()
        .filter(|name| form.given(name).is_some())
        .count()
        != 1
    {
        return None;
    }
    if let Some(share) = form.given("shareId") {
        let share = share.parse().ok()?;
        return Some(match form.given("field") {
            Some(key) => Selection::Field(share, key.parse().ok()?),
            None => Selection::Share(share),
        });
    }
    if let Some(booking) = form.given("bookingId") {
        return Some(Selection::Booking(booking.parse().ok()?));
    }
    if let Some(host) = form.given("hostId") {
        return Some(Selection::Host(host.parse().ok()?));
    }
    Some(Selection::All)
}
