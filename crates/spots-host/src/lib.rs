#![doc = include_str!("../README.md")]

pub mod api;
pub mod browser;
pub mod desk;
mod error;
pub mod extract;
pub mod pages;
mod problem;
pub mod view;
pub mod wire;

pub use desk::{AtDesk, FrontDoor, HostDesk};
pub use error::ServiceError;
pub use problem::{FieldError, PROBLEM_JSON, Problem};
