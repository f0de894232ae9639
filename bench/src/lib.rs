//! What the benchmarks share: clocks, contenders that are processes of their own, and a tree to read.

pub mod clocks;
pub mod contender;
pub mod tree;
