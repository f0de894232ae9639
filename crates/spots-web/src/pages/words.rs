//! Moments and bounds of the atomic clock, as people read them.

use jiff::Timestamp;
use spots_store::Stamp;

/// A moment in nanoseconds as a time for calendars.
pub(super) fn nanoseconds(at_ns: i64) -> Timestamp {
    Stamp {
        at_ns,
        bound_ns: None,
        id: [0; 16],
    }
    .timestamp()
}

/// `± 1.2 ms`.
pub(super) fn bound(bound_ns: i64) -> String {
    let bound = bound_ns.unsigned_abs();
    match bound {
        0..1_000 => format!("± {bound} ns"),
        1_000..1_000_000 => format!("± {}.{} µs", bound / 1_000, bound % 1_000 / 100),
        1_000_000..1_000_000_000 => {
            format!("± {}.{} ms", bound / 1_000_000, bound % 1_000_000 / 100_000)
        }
        _ => format!(
            "± {}.{} s",
            bound / 1_000_000_000,
            bound % 1_000_000_000 / 100_000_000
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_read_in_their_unit() {
        assert_eq!(bound(999), "± 999 ns");
        assert_eq!(bound(1_250), "± 1.2 µs");
        assert_eq!(bound(16_500_000), "± 16.5 ms");
        assert_eq!(bound(2_000_000_000), "± 2.0 s");
    }
}
