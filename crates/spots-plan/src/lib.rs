#![doc = include_str!("../README.md")]

pub mod audit;
pub mod contract;
pub mod plan;
pub mod tree;
