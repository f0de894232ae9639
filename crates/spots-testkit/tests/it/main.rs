//! The kit's own tests.

mod postgres;
