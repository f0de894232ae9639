//! Looks for wrapped keys that should be gone, in bytes of any kind, and tries them.

use crate::consent::SHARE_KEY_TABLE;
use crate::keys::{KEY_BYTES, MasterKeys, WrappedKey};
use crate::seal::Place;

/// Bytes of a wrapped key: format, nonce, key, tag.
const WRAPPED_BYTES: usize = 1 + 12 + KEY_BYTES + 16;
/// The first of them.
const FORMAT: u8 = 1;

/// Where in these bytes a wrapped key of this field of a share begins that a key of ours still
/// opens. Tells no more than that it does.
pub fn find_opening(
    keys: &MasterKeys,
    (share, field): (&str, &str),
    bytes: &[u8],
) -> Option<usize> {
    let place = Place {
        table: SHARE_KEY_TABLE,
        row: share,
        field,
    };
    bytes.windows(WRAPPED_BYTES).position(|window| {
        window.first() == Some(&FORMAT)
            && (1..=keys.current_version()).any(|version| {
                let wrapped = WrappedKey {
                    version,
                    bytes: window.to_vec(),
                };
                keys.unwrap(&wrapped, place).is_ok()
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::NewShareField;
    use crate::{Personal, SystemRandomness};

    #[test]
    fn a_key_that_still_opens_is_found_among_other_bytes() {
        let keys = MasterKeys::generate(&SystemRandomness);
        let text = Personal::new("Ada");
        let field = NewShareField::seal("share_1", "name", &text, &keys, &SystemRandomness);
        let wrapped = field.unwrap().key.bytes;
        let bytes = [vec![1; 200], wrapped.clone(), vec![1; 200]].concat();
        assert_eq!(find_opening(&keys, ("share_1", "name"), &bytes), Some(200));
        assert_eq!(find_opening(&keys, ("share_1", "email"), &bytes), None);
        assert_eq!(find_opening(&keys, ("share_2", "name"), &bytes), None);
        let others = MasterKeys::generate(&SystemRandomness);
        assert_eq!(find_opening(&others, ("share_1", "name"), &bytes), None);
        let broken = bytes
            .iter()
            .enumerate()
            .map(|(at, byte)| byte ^ u8::from(at == 230));
        let broken: Vec<_> = broken.collect();
        assert_eq!(find_opening(&keys, ("share_1", "name"), &broken), None);
    }
}
