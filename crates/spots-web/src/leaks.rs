//! The leak scanner: people with data that occurs nowhere else go through everything there is, and
//! whatever comes out is searched for them.
//!
//! [`Walk`] makes the people and asks every route, as a host's member, as another person and as
//! nobody. [`Hunt`] searches bytes: answers, letters, log lines, files. What a person gets of their own is
//! no leak and is not searched; what is logged while they get it is.

mod hunt;
mod letters;
mod people;
mod walk;

pub use hunt::{Hunt, Leak, Secret, forms};
pub use letters::Letters;
pub use people::Share;
pub use walk::{PAGE_ROUTES, Walk, WalkError, Walked};
