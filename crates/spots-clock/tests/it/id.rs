//! The id: a valid UUIDv7, lossless, sorted like what it names.

use proptest::prelude::*;
use spots_clock::{IdError, NodeIdentity, TimestampId};

fn any_identity() -> impl Strategy<Value = NodeIdentity> {
    (any::<u16>(), 0..=NodeIdentity::INCARNATION_MAX)
        .prop_map(|(node, life)| NodeIdentity::new(node, life).expect("in range"))
}

fn any_instant() -> impl Strategy<Value = u64> {
    let edges = prop_oneof![
        Just(0),
        Just(999_999),
        Just(1_000_000),
        Just(u64::from(u32::MAX)),
        Just(TimestampId::NANOSECONDS_MAX - 1),
        Just(TimestampId::NANOSECONDS_MAX),
    ];
    prop_oneof![1 => edges, 8 => 0..=TimestampId::NANOSECONDS_MAX]
}

proptest! {
    #[test]
    fn nothing_is_lost(nanos in any_instant(), identity in any_identity()) {
        let id = TimestampId::new(nanos, identity).expect("in range");
        prop_assert_eq!(id.nanoseconds(), nanos);
        prop_assert_eq!(id.identity(), identity);
        prop_assert_eq!(TimestampId::from_bytes(id.to_bytes()), Ok(id));
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(id.to_string().to_uppercase().parse(), Ok(id));
        let text = id.to_string();
        prop_assert_eq!(text.as_bytes()[14], b'7', "version");
        prop_assert!(matches!(text.as_bytes()[19], b'8'..=b'b'), "variant");
        let millis = u64::from_str_radix(&text.replace('-', "")[..12], 16);
        prop_assert_eq!(millis, Ok(nanos / 1_000_000));
    }

    #[test]
    fn bytes_and_text_sort_as_time_node_incarnation(
        left in (any_instant(), any_identity()),
        right in (any_instant(), any_identity()),
        near in any::<bool>(),
    ) {
        // Half of the cases tie in time, which random instants would never do.
        let right = if near { (left.0, right.1) } else { right };
        let order = left.cmp(&right);
        let ids = [left, right].map(|(nanos, who)| TimestampId::new(nanos, who).expect("in range"));
        prop_assert_eq!(ids[0].cmp(&ids[1]), order);
        prop_assert_eq!(ids[0].to_bytes().cmp(&ids[1].to_bytes()), order);
        prop_assert_eq!(ids[0].to_string().cmp(&ids[1].to_string()), order);
    }

    #[test]
    fn whatever_is_read_was_written(bytes in any::<[u8; 16]>()) {
        if let Ok(id) = TimestampId::from_bytes(bytes) {
            let again = TimestampId::new(id.nanoseconds(), id.identity());
            prop_assert_eq!(again.map(TimestampId::to_bytes), Some(bytes));
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,40}") {
        prop_assert!(text.parse::<TimestampId>().is_err() || text.len() == 36);
    }
}

#[test]
fn others_are_refused() {
    for (text, why) in [
        ("", IdError::NotUuid),
        ("01a2045ccc7c75f2bc793b8000010000", IdError::NotUuid),
        ("01a2045c-cc7c-75f2-bc79-3b800001000g", IdError::NotUuid),
        ("01a2045c-cc7c-45f2-bc79-3b8000010000", IdError::NotVersion7),
        ("01a2045c-cc7c-75f2-3c79-3b8000010000", IdError::NotVersion7),
        ("01a2045c-cc7c-75f2-bc79-3b8000010001", IdError::Foreign),
        ("01a2045c-cc7c-7fff-bfff-3b8000010000", IdError::Foreign),
        ("ffffffff-ffff-75f2-bc79-3b8000010000", IdError::Foreign),
    ] {
        assert_eq!(text.parse::<TimestampId>(), Err(why), "{text}");
    }
}
