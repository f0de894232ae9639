//! The walls around what hosts can reach.

#[cfg(test)] // the lints know test code by it
mod dependencies;
