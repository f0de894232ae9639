//! Integration tests of the plan half.

// The attribute tells the lints that helpers beside the tests are test code too.
#![cfg(test)]

mod clock_audit;
mod clock_counters;
mod contract;
mod mutation;
mod plan;
mod tree;
