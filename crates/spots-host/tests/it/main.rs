//! The walls around what hosts can reach.

mod compile_fail;
mod dependencies;
