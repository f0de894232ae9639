#![doc = include_str!("../README.md")]

pub mod pages;
mod platform;
pub mod service;

pub use platform::{Platform, Settings};
