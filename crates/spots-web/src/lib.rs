#![doc = include_str!("../README.md")]

mod api;
mod front_door;
pub mod http;
pub mod leaks;
pub mod ledger;
mod mail;
pub mod pages;
mod platform;
mod router;
mod server;
pub mod service;
pub mod tls;
pub mod wire;

pub use mail::{Carrier, Mail, MailSettingsError};
pub use platform::{Platform, Settings};
pub use router::{BODY_BYTES_MAX, PLAIN_ROUTES, metrics_router, openapi, router};
pub use server::{serve, serve_metrics};
