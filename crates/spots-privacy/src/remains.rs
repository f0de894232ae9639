//! Looks for wrapped keys that should be gone, in bytes of any kind, and tries them.

use crate::consent::SHARE_KEY_TABLE;
use crate::keys::{EPOCH_FORMAT, KEY_BYTES, MasterKeys, PREFIX_BYTES, WrappedKey};
use crate::seal::{FORMAT, Place};

/// How a wrapped key begins, and how many bytes it has: a format, an epoch's number if there is one,
/// nonce, key, tag.
const FORMS: [(u8, usize); 2] = [
    (FORMAT, 1 + 12 + KEY_BYTES + 16),
    (EPOCH_FORMAT, PREFIX_BYTES + 12 + KEY_BYTES + 16),
];

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
    let epochs = keys.epochs();
    let opens = |at: usize, length: usize| {
        let wrapped = bytes.get(at..at + length)?;
        // Most bytes that look like an epoch are of none that lives; nothing has to be tried.
        if let [EPOCH_FORMAT, a, b, c, d, ..] = wrapped
            && !epochs.contains(&u32::from_be_bytes([*a, *b, *c, *d]))
        {
            return None;
        }
        let opens = |version| {
            let wrapped = WrappedKey {
                version,
                bytes: wrapped.to_vec(),
            };
            keys.unwrap(&wrapped, place).is_ok()
        };
        (1..=keys.current_version()).any(opens).then_some(at)
    };
    bytes.iter().enumerate().find_map(|(at, first)| {
        let form = FORMS.iter().find(|(format, _)| format == first);
        form.and_then(|(_, length)| opens(at, *length))
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
