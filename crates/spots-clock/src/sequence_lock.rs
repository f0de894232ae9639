//! Several words published as one, to readers that take no lock.

use super::atomic::{AtomicU64, Ordering, fence};

/// A sequence lock: one writer at a time, any number of readers.
///
/// The two fences are what makes a torn read impossible under the language's memory model and not
/// only on x86: the data are stored after the odd number, and read before it is looked at again.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct SequenceLock<const N: usize> {
    sequence: AtomicU64,
    words: [AtomicU64; N],
}

impl<const N: usize> SequenceLock<N> {
    pub(crate) fn new(words: [u64; N]) -> Self {
        Self {
            sequence: AtomicU64::new(0),
            words: words.map(AtomicU64::new),
        }
    }

    /// The words of one write, or nothing if a writer was in the middle of one.
    #[inline]
    pub(crate) fn try_read(&self) -> Option<[u64; N]> {
        let before = self.sequence.load(Ordering::Acquire);
        let words = self
            .words
            .each_ref()
            .map(|word| word.load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        let after = self.sequence.load(Ordering::Relaxed);
        (before == after && before.is_multiple_of(2)).then_some(words)
    }

    /// Publishes the words. The caller holds the lock that makes it the only writer.
    pub(crate) fn write(&self, words: [u64; N]) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (word, value) in self.words.iter().zip(words) {
            word.store(value, Ordering::Relaxed);
        }
        self.sequence.store(sequence + 2, Ordering::Release);
    }
}
