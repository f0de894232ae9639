//! The line that turns a counter into time, published to all readers without a lock.

use crate::sequence_lock::SequenceLock;

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

/// The newest [`Line`], for readers that never wait for a lock.
#[derive(Debug)]
pub(crate) struct Published(SequenceLock<WORDS>);

impl Published {
    pub(crate) fn new(line: Line) -> Self {
        Self(SequenceLock::new(line.to_words()))
    }

    /// The newest line that was published as a whole.
    #[inline]
    pub(crate) fn read(&self) -> Line {
        loop {
            if let Some(words) = self.0.try_read() {
                return Line::from_words(words);
            }
            std::hint::spin_loop();
        }
    }

    /// Publishes a line. The caller holds the lock that makes it the only writer.
    pub(crate) fn write(&self, line: Line) {
        self.0.write(line.to_words());
    }
}
