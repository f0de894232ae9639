#![doc = include_str!("../README.md")]

#[cfg(feature = "app")]
pub mod app;
pub mod postgres;
