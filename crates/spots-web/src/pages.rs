//! The pages that people read, rendered on the server.

pub mod assets;
pub mod view;
