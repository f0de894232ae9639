//! What several servers agree on, when a few of them lie.

use super::interval::Interval;

/// The result of a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Holds the truth if at most the tolerated number of servers lie.
    pub interval: Interval,
    /// How many intervals meet at the best place.
    pub supporters: usize,
}

/// The smallest interval that holds every offset supported by at least `quorum` intervals.
///
/// K. Marzullo's algorithm, with the hull instead of the most popular stretch: with `n` servers of
/// which at most `f` lie, the truth is supported by `n − f`, but it need not be where most meet.
/// `None` if no offset has a quorum.
pub fn agree(intervals: &[Interval], quorum: usize) -> Option<Agreement> {
    // Starts sort before ends at the same offset: touching intervals meet.
    let mut edges: Vec<(i64, bool)> = intervals
        .iter()
        .flat_map(|interval| [(interval.low(), false), (interval.high(), true)])
        .collect();
    edges.sort_unstable();
    let (mut depth, mut supporters) = (0_usize, 0_usize);
    let (mut low, mut high) = (None, None);
    for (offset, ends) in edges {
        if ends {
            if depth >= quorum {
                high = Some(offset);
            }
            depth -= 1;
        } else {
            depth += 1;
            supporters = supporters.max(depth);
            if depth >= quorum && low.is_none() {
                low = Some(offset);
            }
        }
    }
    Some(Agreement {
        interval: Interval::new(low?, high?)?,
        supporters,
    })
    .filter(|agreement| quorum > 0 && agreement.supporters >= quorum)
}

#[cfg(test)]
mod tests {
    use super::{Interval, agree};

    fn interval(low: i64, high: i64) -> Interval {
        Interval::new(low, high).expect("the ends are the right way round")
    }

    #[test]
    fn a_lying_minority_is_outvoted() {
        let honest = [interval(-5, 10), interval(0, 20)];
        let liar = interval(1_000, 1_010);
        let found = agree(&[honest[0], liar, honest[1]], 2).expect("two agree");
        assert_eq!(found.interval, interval(0, 10));
        assert_eq!(agree(&[honest[0], liar], 2), None);
    }

    #[test]
    fn the_hull_keeps_every_supported_offset() {
        // Two places have two supporters each; the truth may be in either.
        let votes = [interval(0, 10), interval(5, 30), interval(25, 40)];
        let found = agree(&votes, 2).expect("two agree");
        assert_eq!(found.interval, interval(5, 30));
    }
}
