//! Who comes first when some came offline: a rule that pays nobody for lying.
//!
//! A client can prove that it acted **after** a moment (it holds a signed receipt of that moment),
//! never that it acted **before** one. So arrival at the server decides, and a host may grant a
//! bounded credit to those who were offline. Entries sort by the *upper* end of the interval in
//! which their action can have happened: claiming more uncertainty then only moves one back.

/// What a client claims, with what the server knows. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// When the server received it: its own timestamp.
    pub arrival: u64,
    /// Bound of the server's error at arrival.
    pub arrival_error: u64,
    /// What an offline client says, if it may say anything.
    pub offline: Option<OfflineClaim>,
}

/// The part of a claim that only a holder of a valid, unused receipt may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfflineClaim {
    /// When it says that it acted.
    pub claimed: u64,
    /// How far it says that this may be off.
    pub error: u64,
    /// Server time of its last signed receipt: it acted after this.
    pub receipt: u64,
}

/// What a host grants for one sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale {
    /// Nobody is placed before this, in nanoseconds since the Unix epoch.
    pub opens: u64,
    /// An offline client is placed at most this many nanoseconds before its arrival. Zero: arrival
    /// alone decides.
    pub credit: u64,
}

/// When the claimed action can have happened, as (earliest, latest); `None` if it cannot have.
pub fn feasible(claim: &Claim) -> Option<(u64, u64)> {
    let offline = claim.offline?;
    let earliest = offline
        .claimed
        .saturating_sub(offline.error)
        .max(offline.receipt);
    let latest = offline
        .claimed
        .saturating_add(offline.error)
        .min(claim.arrival.saturating_add(claim.arrival_error));
    (earliest <= latest).then_some((earliest, latest))
}

/// The key by which entries of a sale sort; `finalized` is the last key that can no longer change.
///
/// Sort by (key, timestamp id of the arrival). The key is never below `arrival − credit`, never
/// above the arrival except to stay behind `finalized` or `opens`, and grows with the claimed
/// uncertainty. Grant one credit per device and sale: that is the caller's part.
pub fn queue_key(claim: &Claim, sale: &Sale, finalized: u64) -> u64 {
    let latest = feasible(claim).map_or(claim.arrival, |(_, latest)| latest);
    latest
        .min(claim.arrival)
        .max(claim.arrival.saturating_sub(sale.credit))
        .max(sale.opens)
        .max(finalized.saturating_add(1))
}
