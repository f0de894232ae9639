#![doc = include_str!("../README.md")]

pub mod audit;
pub mod cache;
pub mod contract;
mod parallel;
pub mod plan;
pub mod tree;
