//! Timestamp ids: what is read writes back alike, bytes and text sort alike, the rest is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spots_clock::{NodeIdentity, TimestampId};

fuzz_target!(|input: ([u8; 16], [u8; 16], &str)| {
    let (first, second, text) = input;
    let ids = [first, second].map(TimestampId::from_bytes);
    for (bytes, id) in [first, second].into_iter().zip(&ids) {
        let Ok(id) = id else { continue };
        assert_eq!(id.to_bytes(), bytes);
        assert_eq!(id.to_string().parse(), Ok(*id));
        assert_eq!(TimestampId::new(id.nanoseconds(), id.identity()), Some(*id));
        assert!(id.nanoseconds() <= TimestampId::NANOSECONDS_MAX);
    }
    if let [Ok(a), Ok(b)] = ids {
        let key = |id: TimestampId| (id.nanoseconds(), id.identity());
        assert_eq!(a.cmp(&b), key(a).cmp(&key(b)));
        assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }
    if let Ok(id) = text.parse::<TimestampId>() {
        assert!(id.to_string().eq_ignore_ascii_case(text));
    }
    // Whatever the bytes say, a node at an instant reads back.
    let number = u64::from_be_bytes(first[..8].try_into().expect("eight bytes"));
    let node = u16::from_be_bytes([second[0], second[1]]);
    let incarnation = u32::from_be_bytes([0, second[2] & 0x3f, second[3], second[4]]);
    let identity = NodeIdentity::new(node, incarnation).expect("22 bits");
    if let Some(id) = TimestampId::new(number, identity) {
        assert_eq!(TimestampId::from_bytes(id.to_bytes()), Ok(id));
        assert_eq!((id.nanoseconds(), id.identity()), (number, identity));
    }
});
