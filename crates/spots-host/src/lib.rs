#![doc = include_str!("../README.md")]

mod error;
pub mod view;

pub use error::ServiceError;
