//! Tests of the binary as people run it.

#[cfg(test)] // clippy's word for "test code", which may index
mod clock;
