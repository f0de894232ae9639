//! The platform over HTTP, with simulated time and seeded randomness.

mod booking;
mod crowd;
mod leak;
mod matrix;
mod openapi;
mod pages;
mod refusals;
mod transport;
