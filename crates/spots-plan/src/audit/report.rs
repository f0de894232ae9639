//! An audit as a table, Markdown, JSON, HTML or SARIF.

mod html;
mod json;
mod markdown;
mod sarif;
mod table;

pub use html::html;
pub use json::json;
pub use markdown::markdown;
pub use sarif::sarif;
pub use table::table;

use super::{Audit, Kind, Read};

/// The JSON schema of [`json()`]'s result.
pub const SCHEMA: &str = include_str!("../../../../docs/clock-audit.schema.json");

/// Which mentions a report lists; they are always counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mentions {
    /// Reads alone.
    Counted,
    /// Comments and strings too.
    Listed,
}

/// The reads that a report lists.
fn listed(audit: &Audit, mentions: Mentions) -> impl Iterator<Item = &Read> {
    audit.reads.iter().filter(move |read| {
        mentions == Mentions::Listed || !matches!(read.kind, Kind::Comment | Kind::String)
    })
}

/// What to do about a read.
pub(super) fn advice(read: &Read) -> &'static str {
    match read.kind {
        Kind::Elapsed => "measure it with a stopwatch: the wall clock may step",
        Kind::TearOff => "hand on the injected clock's function",
        Kind::InjectedDefault => "allowed: the default of an injected clock",
        Kind::Indirect => "give the function that reads the clock an AtomicClockService",
        Kind::Comment | Kind::String => "no read: a mention",
        Kind::Call if read.exception.is_some() => "allowed by an exception in plan/clock.toml",
        Kind::Call if read.place.is_async => "await AtomicClockService.getAtomicTimestamp()",
        Kind::Call => "take it from the injected AtomicClockService, synchronously",
    }
}
