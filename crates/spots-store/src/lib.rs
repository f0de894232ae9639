#![doc = include_str!("../README.md")]

mod error;
pub mod model;
mod store;

pub use error::StoreError;
pub use model::{Page, PageRequest, Stamp};
pub use store::Store;
