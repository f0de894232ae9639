#![doc = include_str!("../README.md")]

mod error;
mod gaps;
pub mod inventory;
pub mod legacy;
pub mod model;
mod postgres;
mod queue;
pub mod rotation;
mod rows;
pub mod schema;
mod sqlite;
mod store;

pub use error::StoreError;
pub use model::{Page, PageRequest, Stamp};
pub use postgres::{PostgresAddress, PostgresOptions, PostgresStore, Roles};
pub use sqlite::{HostWindow, SqliteStore};
pub use store::credentials::CredentialStore;
pub use store::journal::{self, JournalStore};
pub use store::ledger::{self, LedgerStore};
pub use store::order::{OrderStatus, OrderStore};
pub use store::rights::{self, RightsStore};
pub use store::vouchers::{self, VoucherStore};
pub use store::{Store, agents, call_off, keys};

use spots_privacy::Personal;

/// What the keyed hash of an e-mail address is for.
pub const EMAIL_CONTEXT: &str = "email";
/// What the keyed hash of an agent id is for.
pub const AGENT_CONTEXT: &str = "agent";

/// What of an e-mail address is hashed: the address without regard to case or surrounding space.
pub fn email_text(email: &str) -> Personal {
    Personal::new(email.trim().to_lowercase())
}
