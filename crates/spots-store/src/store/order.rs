//! The order that all processes of one database write into.

use async_trait::async_trait;
use spots_clock::NodeIdentity;

use crate::error::StoreError;

/// How this process stands in the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderStatus {
    /// Whom it issues as, if it holds a place.
    pub node: Option<NodeIdentity>,
    /// Timestamps issued and neither committed nor given up.
    pub open: u64,
    /// Places taken since the start.
    pub leases_total: u64,
    /// How far the final mark lay behind this process's order when both were last known.
    pub final_lag_ns: Option<u64>,
}

/// The order of everything that carries a stamp from its own transaction.
///
/// On PostgreSQL a process leases a node and an incarnation, which every such transaction checks
/// while it holds the lease's row; on SQLite the one writer is the order.
#[async_trait]
pub trait OrderStore: Send + Sync {
    /// Takes a place in the order, if this process has none, and says whom it issues as. Writing
    /// takes one by itself; a server calls this first to find out early that it cannot.
    async fn join_order(&self) -> Result<NodeIdentity, StoreError>;

    /// Gives the place back and records its exact last stamp, so that nobody waits for it.
    async fn leave_order(&self) -> Result<(), StoreError>;

    /// How this process stands.
    fn order(&self) -> OrderStatus;
}
