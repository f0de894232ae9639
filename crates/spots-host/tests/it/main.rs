//! The walls around what hosts can reach.

mod dependencies;
