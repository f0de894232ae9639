//! Ids of timestamps, from bytes and from text: what is read is written again, the order is the time's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spots_clock::TimestampId;

fuzz_target!(|input: ([u8; 16], [u8; 16], &str)| {
    let (a, b, text) = input;
    if let Ok(id) = text.parse::<TimestampId>() {
        assert_eq!(id.to_string().parse::<TimestampId>(), Ok(id));
        assert_eq!(TimestampId::from_bytes(id.to_bytes()), Ok(id));
    }
    let (Ok(a), Ok(b)) = (TimestampId::from_bytes(a), TimestampId::from_bytes(b)) else {
        return;
    };
    assert_eq!(a.to_string().parse::<TimestampId>(), Ok(a));
    assert_eq!(TimestampId::new(a.nanoseconds(), a.identity()), Some(a));
    if a.nanoseconds() != b.nanoseconds() {
        assert_eq!(a.to_bytes() < b.to_bytes(), a.nanoseconds() < b.nanoseconds());
    }
});
