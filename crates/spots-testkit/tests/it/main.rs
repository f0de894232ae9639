//! The kit's own tests.

// The attribute tells the lints that helpers beside the tests are test code too.
#![cfg(test)]

mod postgres;
