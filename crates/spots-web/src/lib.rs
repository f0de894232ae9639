#![doc = include_str!("../README.md")]

mod platform;
pub mod service;

pub use platform::{Platform, Settings};
