//! The line that turns a counter into time, published to all readers without a lock.

use super::atomic::{AtomicU64, Ordering, fence};

/// How many words a line takes.
const WORDS: usize = 6;

/// Marks an error bound that is not known.
pub(crate) const UNKNOWN: u64 = u64::MAX;

/// Time as a function of the counter: `time = (device at as_of + elapsed) + offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Counter reading that the other fields belong to.
    pub(crate) as_of: u64,
    /// What the device's own clock showed then, in nanoseconds since the Unix epoch.
    pub(crate) device: u64,
    /// Added to device time to give server time, in nanoseconds.
    pub(crate) offset: i64,
    /// Half width of the interval that holds the truth at `as_of`; [`UNKNOWN`] if there is none.
    pub(crate) error: u64,
    /// By how many parts in 10⁹ the counter may run fast or slow.
    pub(crate) drift_ppb: u64,
    /// Correction of the counter's rate: parts in 2⁶⁰ of the elapsed time, added to it.
    pub(crate) slope: i64,
}

impl Line {
    fn to_words(self) -> [u64; WORDS] {
        [
            self.as_of,
            self.device,
            self.offset.cast_unsigned(),
            self.error,
            self.drift_ppb,
            self.slope.cast_unsigned(),
        ]
    }

    fn from_words([as_of, device, offset, error, drift_ppb, slope]: [u64; WORDS]) -> Self {
        Self {
            as_of,
            device,
            offset: offset.cast_signed(),
            error,
            drift_ppb,
            slope: slope.cast_signed(),
        }
    }
}

/// A sequence lock over a [`Line`]: one writer at a time, readers never wait for a lock.
///
/// The two fences are what makes a torn read impossible under the language's memory model and not
/// only on x86: the data are stored after the odd number, and read before it is looked at again.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Published {
    sequence: AtomicU64,
    words: [AtomicU64; WORDS],
}

impl Published {
    pub(crate) fn new(line: Line) -> Self {
        Self {
            sequence: AtomicU64::new(0),
            words: line.to_words().map(AtomicU64::new),
        }
    }

    /// The newest line that was published as a whole.
    pub(crate) fn read(&self) -> Line {
        loop {
            if let Some(line) = self.try_read() {
                return line;
            }
            pause();
        }
    }

    /// A line, or nothing if a writer was in the middle of it.
    #[inline]
    pub(crate) fn try_read(&self) -> Option<Line> {
        let before = self.sequence.load(Ordering::Acquire);
        let words = self
            .words
            .each_ref()
            .map(|word| word.load(Ordering::Relaxed));
        fence(Ordering::Acquire);
        let after = self.sequence.load(Ordering::Relaxed);
        (before == after && before.is_multiple_of(2)).then(|| Line::from_words(words))
    }

    /// Publishes a line. The caller holds the lock that makes it the only writer.
    pub(crate) fn write(&self, line: Line) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (word, value) in self.words.iter().zip(line.to_words()) {
            word.store(value, Ordering::Relaxed);
        }
        self.sequence.store(sequence + 2, Ordering::Release);
    }
}

#[inline]
fn pause() {
    std::hint::spin_loop();
}
