//! No crate that this one builds on hands an agent id through.

fn main() {
    let _: Option<spots_booking::AgentId> = None;
    let _: Option<spots_host::AgentId> = None;
}
