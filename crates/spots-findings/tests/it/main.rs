//! Integration tests of the findings crate.

mod graph;
mod report;
