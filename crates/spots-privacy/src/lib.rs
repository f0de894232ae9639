#![doc = include_str!("../README.md")]

pub mod consent;
pub mod epochs;
pub mod identity;
pub mod keys;
pub mod ledger;
pub mod personal;
pub mod random;
pub mod remains;
pub mod seal;
pub mod signing;

#[cfg(doctest)]
#[doc = include_str!("wall.md")]
struct TypeWall;

pub use consent::{Consented, Grant, NotOpen, Owner};
pub use epochs::Epochs;
pub use identity::{AgentId, UserId};
pub use keys::{
    DataKey, KeyError, KeySource, KeyTexts, LookupKey, MasterKeys, WrappedKey, Wrapping,
};
pub use personal::Personal;
pub use random::{Randomness, SystemRandomness};
pub use seal::{Place, SealError, SealedField};
pub use signing::SigningKey;
