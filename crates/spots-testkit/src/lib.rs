#![doc = include_str!("../README.md")]

#[cfg(feature = "app")]
pub mod app;
#[cfg(feature = "browser")]
pub mod browser;
pub mod legacy;
pub mod postgres;
