#![doc = include_str!("../README.md")]

pub mod audit;
pub mod cache;
pub mod contract;
mod parallel;
mod parse;
pub mod plan;
pub mod tree;
