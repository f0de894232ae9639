//! The decisions of a batch, one booking after the other.

use std::collections::{BTreeMap, BTreeSet};

use spots_booking::decision::{check, decide};
use spots_booking::{Occurrence, Placed, Pool, Refusal};

use super::Outcome;
use super::batch::{NewGuest, Rows};
use crate::model::{Book, Booked, EventRecord};
use crate::postgres::session::Fault;
use crate::rows::{BookedRow, Inconsistent, parse, second};

/// An actor and the key that the actor chose.
type RequestName = (String, String);

/// The state between two decisions: what was read, with what was taken since.
#[derive(Default)]
pub(super) struct Fold {
    /// The pool's row; nothing where there is no such event.
    pub(super) pool: Option<Pool>,
    pub(super) record: Option<EventRecord>,
    /// The version of what the host asks now.
    pub(super) requirements_version: u32,
    /// The agents that have an account.
    pub(super) agents: BTreeSet<String>,
    /// Requests that were answered before, with their digest.
    pub(super) repeated: BTreeMap<RequestName, ([u8; 32], Booked)>,
    /// Handles at this host, by agent.
    pub(super) guests: BTreeMap<String, String>,
    /// Codes that are taken at this host.
    pub(super) codes: BTreeSet<String>,
}

impl Fold {
    /// Decides one booking; what it takes goes into `rows`. A refusal leaves no trace.
    pub(super) fn take(&mut self, book: &Book, rows: &mut Rows) -> Result<Outcome, Fault> {
        let agent = book.agent.reveal();
        let name = book
            .idempotency
            .as_ref()
            .map(|named| (agent.clone(), named.key.clone()));
        if let Some((digest, booked)) = name.as_ref().and_then(|name| self.repeated.get(name)) {
            let same = book
                .idempotency
                .as_ref()
                .is_some_and(|named| named.digest == *digest);
            return Ok(if same {
                Ok(booked.clone())
            } else {
                Err(Refusal::KeyReused)
            });
        }
        let decided = self.decide(book, &agent);
        let (pool, placed, guest) = match decided {
            Ok(decided) => decided,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.pool = Some(pool);
        let handle = match &guest {
            Handle::Known(handle) => handle.clone(),
            Handle::New(new) => {
                self.codes.insert(new.code.clone());
                self.guests.insert(agent.clone(), new.guest.clone());
                new.guest.clone()
            }
        };
        let booked = Booked {
            booking: book.booking,
            repeated: false,
            placed,
        };
        if let (Some(name), Some(named)) = (name, &book.idempotency) {
            let again = Booked {
                repeated: true,
                ..booked.clone()
            };
            self.repeated.insert(name, (named.digest, again));
        }
        if let Handle::New(new) = guest {
            rows.guests.push(new);
        }
        rows.push(book, agent, handle, &booked)?;
        Ok(Ok(booked))
    }

    fn decide(&self, book: &Book, agent: &str) -> Result<(Pool, Placed, Handle), Refusal> {
        if !self.agents.contains(agent) {
            return Err(Refusal::NotFound("account"));
        }
        let (Some(record), Some(pool)) = (&self.record, self.pool) else {
            return Err(Refusal::NotFound("event"));
        };
        let slot = check(&record.event, book.request, book.stamp.timestamp())?;
        if self.requirements_version != book.requirements_version {
            return Err(Refusal::RequirementsChanged);
        }
        let (pool, placed) = decide(pool, slot, book.request.party)?;
        Ok((pool, placed, self.handle(book, agent)?))
    }

    /// The guest's handle at this host, made at the first booking there.
    fn handle(&self, book: &Book, agent: &str) -> Result<Handle, Refusal> {
        if let Some(guest) = self.guests.get(agent) {
            return Ok(Handle::Known(guest.clone()));
        }
        let codes = book.codes.iter().map(ToString::to_string);
        match codes.into_iter().find(|code| !self.codes.contains(code)) {
            Some(code) => Ok(Handle::New(NewGuest {
                guest: book.guest.to_string(),
                agent: agent.to_owned(),
                code,
            })),
            None => Err(Refusal::Taken("no guest code was free; try again")),
        }
    }
}

enum Handle {
    Known(String),
    New(NewGuest),
}

/// The column `idempotency_keys.outcome`.
pub(super) fn outcome_to_column(booked: &Booked) -> String {
    let Placed {
        slot,
        party,
        position,
    } = booked.placed;
    let row = BookedRow {
        booking: booked.booking.to_string(),
        starts_at: slot.starts_at.as_second(),
        ends_at: slot.ends_at.as_second(),
        party,
        position,
    };
    serde_json::to_string(&row).expect("plain numbers and texts have a JSON form")
}

/// Reads `idempotency_keys.outcome`, for a request that is repeated.
pub(super) fn outcome_from_column(column: &str) -> Result<Booked, Inconsistent> {
    const COLUMN: &str = "idempotency_keys.outcome";
    let row: BookedRow = serde_json::from_str(column).or(Err(Inconsistent(COLUMN)))?;
    Ok(Booked {
        booking: parse(&row.booking, COLUMN)?,
        repeated: true,
        placed: Placed {
            slot: Occurrence {
                starts_at: second(row.starts_at, COLUMN)?,
                ends_at: second(row.ends_at, COLUMN)?,
            },
            party: row.party,
            position: row.position,
        },
    })
}
