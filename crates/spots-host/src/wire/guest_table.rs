//! A copy of guests as CSV (RFC 4180), which says of every row under which grant and when it was
//! made.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use spots_booking::FieldName;

use super::moment::Minute;
use crate::desk::GuestCard;

/// The columns before those of the fields.
const HEAD: [&str; 5] = ["guestCode", "startsAt", "endsAt", "partySize", "cancelled"];
/// The columns after them: the mark of where the copy comes from.
const MARK: [&str; 2] = ["grant", "copiedAt"];

/// The table's text.
pub struct GuestTable(String);

/// Personal data does not print.
impl fmt::Debug for GuestTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuestTable(…)")
    }
}

impl GuestTable {
    /// A row a guest, a column for each field that somebody shares.
    pub fn new(guests: &[GuestCard], copied_at: Timestamp) -> Self {
        let fields: BTreeSet<_> = guests
            .iter()
            .flat_map(|guest| guest.fields.iter().map(|(field, _)| field.clone()))
            .collect();
        let mut table = Self(String::new());
        let names = fields.iter().map(FieldName::to_string);
        let head = HEAD.map(str::to_owned).into_iter().chain(names);
        table.push(head.chain(MARK.map(str::to_owned)));
        let copied_at = Minute::from(copied_at).to_string();
        for guest in guests {
            let shared = |name: &FieldName| {
                let mut all = guest.fields.iter();
                let found = all.find(|(field, _)| field == name);
                found.map_or(String::new(), |(_, value)| value.clone())
            };
            let facts = [
                guest.code.clone(),
                Minute::from(guest.placed.slot.starts_at).to_string(),
                Minute::from(guest.placed.slot.ends_at).to_string(),
                guest.placed.party.to_string(),
                guest.cancelled.to_string(),
            ];
            let mark = [guest.grant.clone().unwrap_or_default(), copied_at.clone()];
            table.push(
                facts
                    .into_iter()
                    .chain(fields.iter().map(shared))
                    .chain(mark),
            );
        }
        table
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.0
    }

    fn push(&mut self, cells: impl Iterator<Item = String>) {
        for (index, cell) in cells.enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            self.0.push('"');
            // A spreadsheet takes a cell that begins like this for a formula.
            if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
                self.0.push('\'');
            }
            self.0.push_str(&cell.replace('"', "\"\""));
            self.0.push('"');
        }
        self.0.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use spots_booking::{BookingId, GuestId, Occurrence, Placed};

    use super::*;

    #[test]
    fn every_row_is_marked_and_nothing_in_it_runs() {
        let starts_at: Timestamp = "2026-12-01T18:00:00Z".parse().unwrap();
        let guest = |fields: &[(&str, &str)]| GuestCard {
            guest: GuestId::from_random([1; 16]),
            booking: BookingId::from_random([2; 16]),
            code: "K7Q-2M4".to_owned(),
            placed: Placed {
                slot: Occurrence {
                    starts_at,
                    ends_at: starts_at,
                },
                party: 2,
                position: None,
            },
            cancelled: false,
            grant: (!fields.is_empty()).then(|| "shr_1".to_owned()),
            fields: fields
                .iter()
                .map(|(field, value)| (field.parse().unwrap(), (*value).to_owned()))
                .collect(),
        };
        let copied_at = "2026-11-27T01:20:42.5Z".parse().unwrap();
        let guests = [guest(&[("name", "=cmd|'x'\n\"Ada\"")]), guest(&[])];
        let text = GuestTable::new(&guests, copied_at).into_text();
        assert_eq!(
            text,
            "\"guestCode\",\"startsAt\",\"endsAt\",\"partySize\",\"cancelled\",\"name\",\"grant\",\
             \"copiedAt\"\r\n\
             \"K7Q-2M4\",\"2026-12-01T18:00:00Z\",\"2026-12-01T18:00:00Z\",\"2\",\"false\",\
             \"'=cmd|'x'\n\"\"Ada\"\"\",\"shr_1\",\"2026-11-27T01:20:00Z\"\r\n\
             \"K7Q-2M4\",\"2026-12-01T18:00:00Z\",\"2026-12-01T18:00:00Z\",\"2\",\"false\",\"\",\"\",\
             \"2026-11-27T01:20:00Z\"\r\n"
        );
    }
}
