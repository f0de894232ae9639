//! Randomness from a seed.

use std::sync::atomic::{AtomicU64, Ordering};

use spots_privacy::Randomness;
use spots_privacy::consent::sha256;

/// Bytes that look random and are the same in every run: SHA-256 of a seed and a counter.
#[derive(Debug)]
pub struct SeededRandomness {
    seed: u64,
    counter: AtomicU64,
}

impl SeededRandomness {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        let counter = AtomicU64::new(0);
        Self { seed, counter }
    }
}

impl Randomness for SeededRandomness {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let count = self.counter.fetch_add(1, Ordering::Relaxed);
            let block = sha256(&[self.seed.to_be_bytes(), count.to_be_bytes()].concat());
            for (byte, drawn) in chunk.iter_mut().zip(block) {
                *byte = drawn;
            }
        }
    }
}
