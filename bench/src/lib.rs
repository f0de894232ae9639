//! What the benchmarks share: contenders that are processes of their own, and a tree to read.

pub mod contender;
pub mod tree;
