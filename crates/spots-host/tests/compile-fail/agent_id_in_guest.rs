//! What a host reads of a guest, with the one thing that hosts must never see.

use spots_privacy::AgentId;

#[derive(serde::Serialize)]
struct Guest {
    agent_id: AgentId,
}

fn main() {}
