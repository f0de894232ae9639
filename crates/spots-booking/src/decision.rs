//! Whether a booking is taken. The same function decides one, and folded, a batch.

use jiff::Timestamp;

use crate::event::{Event, Slot};
use crate::refusal::Refusal;

/// The places of one slot of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Places in all; `None` is unlimited.
    pub capacity: Option<u32>,
    /// Places taken.
    pub taken: u32,
    /// The position that the next booking gets.
    pub next_position: i64,
}

impl Pool {
    /// A slot that nobody booked yet.
    pub fn untouched(capacity: Option<u32>) -> Self {
        Self {
            capacity,
            taken: 0,
            next_position: 1,
        }
    }

    /// Places left; `None` is unlimited.
    pub fn left(&self) -> Option<u32> {
        self.capacity
            .map(|capacity| capacity.saturating_sub(self.taken))
    }
}

/// What a person asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The beginning of the slot.
    pub starts_at: Timestamp,
    /// How many people come.
    pub party: u32,
}

/// A booking that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// When.
    pub slot: Slot,
    /// How many people.
    pub party: u32,
    /// The place in the order of bookings of this slot, from 1; only where places are limited.
    pub position: Option<i64>,
}

/// Checks what does not depend on who else books: the event is on, the time exists and lies
/// ahead, the party fits.
pub fn check(event: &Event, request: Request, now: Timestamp) -> Result<Slot, Refusal> {
    if event.called_off {
        return Err(Refusal::CalledOff);
    }
    let most = event.offer.party_max;
    if !(1..=most).contains(&request.party) {
        return Err(Refusal::Party { most });
    }
    if request.starts_at <= now {
        return Err(Refusal::Past);
    }
    event
        .offer
        .slot(request.starts_at, now)
        .ok_or(Refusal::NoSuchSlot)
}

/// Takes the places, or refuses. The pool that comes back is the state for the next decision.
pub fn decide(pool: Pool, slot: Slot, party: u32) -> Result<(Pool, Placed), Refusal> {
    let left = pool.left();
    if let Some(left) = left
        && party > left
    {
        return Err(Refusal::Full {
            wanted: party,
            left,
        });
    }
    let taken = pool.taken.checked_add(party).ok_or(Refusal::Full {
        wanted: party,
        left: 0,
    })?;
    let position = left.map(|_| pool.next_position);
    let after = Pool {
        taken,
        next_position: pool.next_position + 1,
        ..pool
    };
    Ok((
        after,
        Placed {
            slot,
            party,
            position,
        },
    ))
}

/// Gives the places of a booking back. Positions never move: a cancelled one stays a gap.
pub fn cancel(pool: Pool, slot: Slot, party: u32, now: Timestamp) -> Result<Pool, Refusal> {
    if slot.starts_at <= now {
        return Err(Refusal::NotCancellable);
    }
    Ok(Pool {
        taken: pool.taken.saturating_sub(party),
        ..pool
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slot() -> Slot {
        Slot {
            starts_at: "2026-12-01T18:00Z".parse().unwrap(),
            ends_at: "2026-12-01T20:00Z".parse().unwrap(),
        }
    }

    proptest! {
        /// Whatever is asked in whatever order, no place is sold twice and positions only grow.
        #[test]
        fn a_pool_never_oversells(
            capacity in 0_u32..50,
            steps in prop::collection::vec((1_u32..6, any::<bool>()), 0..200),
        ) {
            let before: Timestamp = "2026-11-01T00:00Z".parse().unwrap();
            let mut pool = Pool::untouched(Some(capacity));
            let mut held: Vec<Placed> = Vec::new();
            let mut last_position = 0;
            for (party, gives_back) in steps {
                if gives_back && let Some(placed) = held.pop() {
                    pool = cancel(pool, placed.slot, placed.party, before).unwrap();
                } else {
                    match decide(pool, slot(), party) {
                        Ok((after, placed)) => {
                            prop_assert!(placed.position.unwrap() > last_position);
                            last_position = placed.position.unwrap();
                            pool = after;
                            held.push(placed);
                        }
                        Err(refusal) => {
                            let left = pool.left().unwrap();
                            prop_assert!(party > left);
                            prop_assert_eq!(refusal, Refusal::Full { wanted: party, left });
                        }
                    }
                }
                let sum: u32 = held.iter().map(|placed| placed.party).sum();
                prop_assert_eq!(pool.taken, sum);
                prop_assert!(sum <= capacity);
            }
        }
    }
}
