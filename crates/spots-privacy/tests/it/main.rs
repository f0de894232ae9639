//! The ledger's permanent vectors, and strangers' verifiers.

#![cfg(test)] // the lints know test code by it

mod ledger;
