//! The platform over HTTP, with simulated time and seeded randomness.

#![cfg(test)] // the lints know test code by it

mod booking;
mod consent;
mod crowd;
mod host_pages;
mod journal;
mod leak;
mod leaks;
mod ledger;
mod matrix;
mod openapi;
mod pages;
mod privacy;
mod refusals;
mod rights;
mod tls;
mod transport;
mod vouchers;
mod work;
