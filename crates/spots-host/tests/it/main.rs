//! The walls around what hosts can reach.

mod compile_fail;
#[cfg(test)] // the lints know test code by it
mod dependencies;
