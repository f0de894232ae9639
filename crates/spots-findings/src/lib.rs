#![doc = include_str!("../README.md")]

mod finding;
pub mod graph;
pub mod json;
pub mod markdown;
mod report;
pub mod sarif;
pub mod text;

pub use finding::{Finding, Fix, Level, Place, Related, Rule};
pub use report::{Report, Tool, Unreadable, Verdict};
