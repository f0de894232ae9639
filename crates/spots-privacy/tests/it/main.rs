//! Permanent vectors of what is sealed and of the ledger, and strangers' verifiers.

#![cfg(test)] // the lints know test code by it

mod ledger;
mod vectors;
