//! What an operator may decide about a clock.

use crate::id::NodeIdentity;
use crate::sync::Rates;

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400 * SECOND;

/// Limits of a clock, all in nanoseconds. Three of them look alike and are not: what a peer may
/// tell us, how far our order may run ahead, and when somebody should look.
#[derive(Clone, Debug)]
pub struct ClockSettings {
    /// Who issues; `None`: what the window remembers, or a random node at the first start. Give it
    /// where something else hands out identities, a database lease say.
    pub identity: Option<NodeIdentity>,
    /// How far ahead of now the durable mark is kept. One durable write buys half of it.
    pub window: u64,
    /// A peer's timestamp may lie this far above the latest instant that now can be; it must cover
    /// the error of honest peers.
    pub accept_window: u64,
    /// The order never runs further ahead of time than this, whoever asks.
    pub poison_cap: u64,
    /// A lead above this is shown as an alarm in the status.
    pub alarm_threshold: u64,
    /// After a restart, the system clock may lie this far above the durable mark without being
    /// confirmed by a synchronised kernel.
    pub forward_jump_max: u64,
    /// The system clock may differ this much from the counter before it counts as a step.
    pub step_tolerance: u64,
    /// How fast or slow the counter may run.
    pub rates: Rates,
}

impl ClockSettings {
    /// How far a mark can lie ahead of time without anything being wrong: the order's lead, the
    /// window, and once more the window for a system clock that is a little behind.
    pub(crate) fn mark_lead_max(&self) -> u64 {
        self.poison_cap
            .saturating_add(self.window.saturating_mul(2))
    }
}

impl Default for ClockSettings {
    fn default() -> Self {
        Self {
            identity: None,
            window: 3 * SECOND,
            accept_window: 500 * MILLI,
            poison_cap: 60 * SECOND,
            alarm_threshold: SECOND,
            forward_jump_max: 31 * DAY,
            step_tolerance: 20 * MILLI,
            rates: Rates::SERVER,
        }
    }
}
