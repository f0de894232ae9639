//! The atomics of the lock-free parts; a model checker compiles those parts with its own.

pub(crate) use std::sync::atomic::{AtomicU64, Ordering, fence};
