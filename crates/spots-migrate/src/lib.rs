#![doc = include_str!("../README.md")]

mod check;
mod documents;
mod engine;
mod graph;
mod infer;
mod layout;
#[cfg(feature = "postgres")]
pub mod postgres;
mod rehearse;
mod set;
mod split;
#[cfg(feature = "sqlite")]
pub mod sqlite;
mod timeline;

pub use check::{CheckOptions, RULES, Sides, check, read_folder};
pub use documents::{Inventory, InventoryItem, picture, sequence};
pub use engine::{
    Applied, ApplyError, Backfills, Batch, Certificate, Environment, Event, Failure, Progress,
    Record, Refusal, RollBack, Run, Silent, Standing, State, TESTING_MAX, Testing,
};
pub use graph::{Edge, EdgeKind, Graph, Node};
pub use infer::{Action, Certainty, Fact, Object, Space, SyntaxIssue, quoted};
pub use layout::Layout;
pub use rehearse::{PAIRS_MAX, Pair, ROWS_MAX, Rehearsal, RehearseOptions, RehearsedStep};
pub use set::{
    Condition, DataOnRollback, Dialect, Direction, FILE_BYTES_MAX, Invariant, Migration,
    MigrationSet, Rollback, Script, SetError, Source,
};
pub use split::{SplitError, Statement, WORDS_MAX, split};
