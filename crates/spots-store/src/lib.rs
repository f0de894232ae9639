#![doc = include_str!("../README.md")]

mod error;
mod gaps;
pub mod inventory;
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
pub use store::journal::{self, JournalStore};
pub use store::ledger::{self, LedgerStore};
pub use store::order::{OrderStatus, OrderStore};
pub use store::rights::{self, RightsStore};
pub use store::{Store, agents, call_off, keys};
