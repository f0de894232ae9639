//! Tests of the atomic clock through its public interface.

mod causality;
mod clock;
mod fairness;
mod id;
mod interleavings;
mod leased;
mod offline;
mod peers;
mod repair;
#[cfg(test)] // clippy's word for "test code", which may index and panic
mod simulation;
mod sync;
mod typescript;
mod vectors;
mod window;
