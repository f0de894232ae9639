//! The client's side: when to ask whom, and what the answers add up to.

use super::agreement::agree;
use super::estimate::{Estimate, Learned, Projection, Rates};
use super::exchange::{Exchange, ExchangeError, SyncRequest, SyncResponse, TimeScale};
use super::interval::Interval;

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// How a client synchronises. Times are nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct SyncSettings {
    /// How the device's counter may run off.
    pub rates: Rates,
    /// What the device's clock resolves.
    pub resolution: u64,
    /// How many servers are asked.
    pub servers: usize,
    /// How many of them may lie. With one server it must be zero.
    pub liars_max: usize,
    /// How many exchanges follow each other at the start, per server.
    pub burst: u32,
    /// How far apart those are.
    pub burst_gap: u64,
    /// The shortest time between two later exchanges.
    pub interval_min: u64,
    /// The longest.
    pub interval_max: u64,
    /// The next exchange is due when the error bound would exceed this.
    pub error_target: u64,
    /// A request without an answer is given up after this.
    pub timeout: u64,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            rates: Rates::DEVICE,
            resolution: 1,
            servers: 1,
            liars_max: 0,
            burst: 6,
            burst_gap: 50 * MILLI,
            interval_min: 64 * SECOND,
            interval_max: 1_024 * SECOND,
            error_target: 50 * MILLI,
            timeout: 5 * SECOND,
        }
    }
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Send this to that server, and note device time just before.
    Send {
        /// Which server, from 0.
        server: usize,
        /// What to send.
        request: SyncRequest,
    },
    /// Nothing before this device time.
    WaitUntil(u64),
}

/// A client of one or several time servers, without I/O: the caller sends, receives and waits.
///
/// All times it is given are **device time**: nanoseconds on a clock that never steps. Whoever
/// drives it calls [`Self::reset`] after a suspend through which that clock may have stood still,
/// and makes a new one after a reboot.
#[derive(Clone, Debug)]
pub struct SyncClient {
    settings: SyncSettings,
    servers: Vec<Server>,
    scale: Option<TimeScale>,
}

#[derive(Clone, Debug)]
struct Server {
    estimate: Estimate,
    due: u64,
    burst_left: u32,
    open: Option<([u8; 16], u64)>,
}

impl SyncClient {
    /// A client that has asked nobody yet. At least one server is asked.
    pub fn new(settings: SyncSettings) -> Self {
        let server = Server {
            estimate: Estimate::new(settings.rates),
            due: 0,
            burst_left: settings.burst.max(1),
            open: None,
        };
        Self {
            servers: vec![server; settings.servers.max(1)],
            settings,
            scale: None,
        }
    }

    /// What to do at device time `now`; `random` becomes the nonce and must be unpredictable.
    pub fn poll(&mut self, now: u64, random: [u8; 16]) -> Poll {
        let timeout = self.settings.timeout;
        let mut next = u64::MAX;
        for (index, server) in self.servers.iter_mut().enumerate() {
            if let Some((_, sent)) = server.open {
                let deadline = sent.saturating_add(timeout);
                if now < deadline {
                    next = next.min(deadline);
                    continue;
                }
                // Ask again later, at a pace that does not hurt a server in trouble.
                server.open = None;
                server.due = now.saturating_add(jittered(self.settings.interval_min, random));
            }
            if server.due <= now {
                server.open = Some((random, now));
                return Poll::Send {
                    server: index,
                    request: SyncRequest { nonce: random },
                };
            }
            next = next.min(server.due);
        }
        Poll::WaitUntil(next)
    }

    /// Takes in an answer; `sent` and `returned` are device time around the exchange.
    pub fn receive(
        &mut self,
        response: SyncResponse,
        sent: u64,
        returned: u64,
    ) -> Result<Learned, ExchangeError> {
        let settings = self.settings;
        let server = self
            .servers
            .iter_mut()
            .find(|server| {
                server
                    .open
                    .is_some_and(|(nonce, _)| nonce == response.nonce)
            })
            .ok_or(ExchangeError::UnknownNonce)?;
        server.open = None;
        server.due = returned.saturating_add(settings.interval_min);
        if *self.scale.get_or_insert(response.scale) != response.scale {
            return Err(ExchangeError::MixedScale);
        }
        let exchange = Exchange {
            sent,
            response,
            returned,
        };
        let offset = exchange.offset(settings.rates.drift_ppb, settings.resolution)?;
        let traceable = response.error_bound.is_some();
        let learned = server.estimate.observe(returned, offset, traceable);
        server.schedule(returned, response.nonce, &settings, learned);
        Ok(learned)
    }

    /// The counter may have stood still: nothing is known, and a burst is due at once.
    pub fn reset(&mut self) {
        *self = Self::new(self.settings);
    }

    /// What the servers agree on at device time `at`; `None` if nothing is known or too many
    /// contradict each other.
    pub fn at(&self, at: u64) -> Option<Projection> {
        let known: Vec<Projection> = self
            .servers
            .iter()
            .filter_map(|server| server.estimate.at(at))
            .collect();
        // A server that knows its own error counts for more than any number that do not.
        let traceable = known.iter().any(|projection| projection.traceable);
        let votes: Vec<Interval> = known
            .iter()
            .filter(|projection| projection.traceable == traceable)
            .map(|projection| projection.interval)
            .collect();
        // Liars must be outnumbered among those that answered.
        let quorum = votes.len().checked_sub(self.settings.liars_max)?;
        if quorum <= self.settings.liars_max {
            return None;
        }
        agree(&votes, quorum).map(|agreement| Projection {
            interval: agreement.interval,
            traceable,
        })
    }

    /// The rate bounds of the first server's estimate, in parts in 10⁹.
    pub fn rate_ppb(&self) -> Option<(i64, i64)> {
        self.servers
            .first()
            .map(|server| server.estimate.rate_ppb())
    }
}

impl Server {
    fn schedule(&mut self, now: u64, random: [u8; 16], settings: &SyncSettings, last: Learned) {
        if matches!(last, Learned::Contradicted { .. }) {
            // Find out at once who is right.
            self.burst_left = settings.burst.max(1);
        }
        self.burst_left = self.burst_left.saturating_sub(1);
        if self.burst_left > 0 {
            self.due = now.saturating_add(settings.burst_gap);
            return;
        }
        let error = self
            .estimate
            .at(now)
            .map_or(0, |known| known.interval.radius());
        let (low, high) = self.estimate.rate_ppb();
        let spread = (high.abs_diff(low) / 2).max(1);
        let room = settings.error_target.saturating_sub(error);
        // The time in which drift uses up the room.
        let wait = u128::from(room) * 1_000_000_000 / u128::from(spread);
        let wait = u64::try_from(wait)
            .unwrap_or(u64::MAX)
            .clamp(settings.interval_min, settings.interval_max);
        self.due = now.saturating_add(jittered(wait, random));
    }
}

/// Up to an eighth less, so that clients do not ask in step.
fn jittered(wait: u64, random: [u8; 16]) -> u64 {
    let [low, high, ..] = random;
    wait - wait / 8 / 65_536 * u64::from(u16::from_le_bytes([low, high]))
}
