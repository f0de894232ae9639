//! The line that turns a counter into time, published to all readers without a lock.

use crate::sequence_lock::SequenceLock;

/// How many words a line takes.
const WORDS: usize = 5;

/// Marks an error bound that is not known.
pub(crate) const UNKNOWN: u64 = u64::MAX;

/// True time as a function of the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Counter reading that the other fields belong to.
    pub(crate) as_of: u64,
    /// The best estimate of true time then, in nanoseconds since the Unix epoch.
    pub(crate) time: u64,
    /// Half width of the interval that holds the truth at `as_of`, and what rounding and the
    /// source's resolution add to it; [`UNKNOWN`] if there is none.
    pub(crate) error: u64,
    /// How fast the error grows: parts in 2⁶⁴ of the elapsed time.
    pub(crate) drift: u64,
    /// Correction of the counter's rate: parts in 2⁶⁴ of the elapsed time, added to it.
    pub(crate) slope: i64,
}

impl Line {
    fn to_words(self) -> [u64; WORDS] {
        let slope = self.slope.cast_unsigned();
        [self.as_of, self.time, self.error, self.drift, slope]
    }

    fn from_words([as_of, time, error, drift, slope]: [u64; WORDS]) -> Self {
        Self {
            as_of,
            time,
            error,
            drift,
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
