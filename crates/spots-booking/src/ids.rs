//! Ids that hosts may see: random, so that they tell nothing.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

/// Random bytes in an id.
pub const ID_BYTES: usize = 16;

/// The text is not an id of the kind that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an id of the form `{0}` and 22 base64url characters")]
pub struct NotAnId(&'static str);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; ID_BYTES]);

        impl $name {
            /// The id made of these random bytes.
            pub fn from_random(bytes: [u8; ID_BYTES]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), URL_SAFE_NO_PAD.encode(self.0))
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let rest = text.strip_prefix($prefix).ok_or(NotAnId($prefix))?;
                let bytes = URL_SAFE_NO_PAD.decode(rest).or(Err(NotAnId($prefix)))?;
                bytes.try_into().map(Self).or(Err(NotAnId($prefix)))
            }
        }
    )*};
}

ids! {
    /// One person's place in an event of any type.
    BookingId = "booking_";
    /// Something people book.
    EventId = "event_";
    /// How one host names one guest: the same at every booking there, another at every other host.
    GuestId = "guest_";
    /// Who offers something.
    HostId = "host_";
    /// The data one person gives one host for one booking.
    ShareId = "share_";
}

/// Characters of a guest code: digits and capitals without I, L, O and U.
const CODE_ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A guest as people read it aloud at a door: `K7Q-2M4`. Unique at its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestCode([u8; 6]);

impl GuestCode {
    /// A code from 30 random bits.
    pub fn from_random(bytes: [u8; 4]) -> Self {
        let mut bits = u32::from_be_bytes(bytes);
        Self([0; 6].map(|_: u8| {
            let digit = CODE_ALPHABET
                .get((bits & 31) as usize)
                .expect("five bits index an alphabet of 32");
            bits >>= 5;
            *digit
        }))
    }
}

impl fmt::Display for GuestCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, digit) in self.0.iter().enumerate() {
            if index == 3 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(*digit))?;
        }
        Ok(())
    }
}

/// Part of a guest code, as someone types it to look for a guest: without regard to case, with or
/// without the word `Guest` that pages put before a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodePart {
    letters: [u8; Self::LETTERS_MAX],
    count: usize,
}

/// The text is no part of a guest code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no part of a guest code such as K7Q-2M4")]
pub struct NotACodePart;

impl CodePart {
    const LETTERS_MAX: usize = 7;
}

impl FromStr for CodePart {
    type Err = NotACodePart;

    fn from_str(text: &str) -> Result<Self, NotACodePart> {
        let text = text.trim().to_ascii_uppercase();
        let text = text.strip_prefix("GUEST").unwrap_or(&text).trim_start();
        let fits = |byte: u8| byte == b'-' || CODE_ALPHABET.contains(&byte);
        if text.is_empty() || text.len() > Self::LETTERS_MAX || !text.bytes().all(fits) {
            return Err(NotACodePart);
        }
        let mut letters = [0; Self::LETTERS_MAX];
        for (to, from) in letters.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        Ok(Self {
            letters,
            count: text.len(),
        })
    }
}

impl fmt::Display for CodePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.letters.iter().take(self.count);
        letters.try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_back_and_refuse_each_other() {
        let event = EventId::from_random([7; ID_BYTES]);
        assert_eq!(event.to_string().parse(), Ok(event));
        assert!(event.to_string().parse::<HostId>().is_err());
        assert!("event_short".parse::<EventId>().is_err());
    }

    #[test]
    fn part_of_a_code_is_found_as_typed() {
        for (typed, part) in [("k7q", "K7Q"), ("Guest K7Q-2m4", "K7Q-2M4"), (" 2M4 ", "2M4")] {
            let read: CodePart = typed.parse().unwrap();
            assert_eq!(read.to_string(), part, "{typed}");
        }
        for typed in ["", "guest", "%", "K7Q-2M44", "olé"] {
            assert!(typed.parse::<CodePart>().is_err(), "{typed}");
        }
    }

    #[test]
    fn a_guest_code_has_two_groups_of_three() {
        let code = GuestCode::from_random([0xff; 4]).to_string();
        assert_eq!(code, "ZZZ-ZZZ");
    }
}
