//! Names of instants that nobody else uses: a UUIDv7 that is lossless to the nanosecond.

use std::fmt;
use std::str::FromStr;

const NANOS_PER_MILLI: u64 = 1_000_000;

/// Who issues: a node and how often its clock was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIdentity {
    node: u16,
    incarnation: u32,
}

impl NodeIdentity {
    /// The largest incarnation: 22 bits.
    pub const INCARNATION_MAX: u32 = (1 << 22) - 1;

    /// A node in one of its lives; nothing if the incarnation does not fit 22 bits.
    pub const fn new(node: u16, incarnation: u32) -> Option<Self> {
        if incarnation > Self::INCARNATION_MAX {
            return None;
        }
        Some(Self { node, incarnation })
    }

    /// Number of the node among its peers.
    pub const fn node(self) -> u16 {
        self.node
    }

    /// How often the node's clock was started.
    pub const fn incarnation(self) -> u32 {
        self.incarnation
    }

    /// Both numbers in one word, for an atomic.
    pub(crate) const fn to_word(self) -> u64 {
        (self.node as u64) << 32 | self.incarnation as u64
    }

    /// The inverse of [`Self::to_word`].
    pub(crate) const fn from_word(word: u64) -> Self {
        Self {
            node: low_16(word >> 32),
            incarnation: low_32(word),
        }
    }

    /// The same node in its next life; nothing after the last one.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        Self::new(self.node, self.incarnation + 1)
    }
}

/// A unique name of one timestamp: 16 bytes that are a valid UUIDv7 (RFC 9562).
///
/// Comparing two ids, their bytes or their text gives the same order: time, then node, then
/// incarnation.
///
/// | bits | content |
/// | --- | --- |
/// | 48 | milliseconds since the Unix epoch |
/// | 4 | version, `7` |
/// | 12 | nanoseconds within the millisecond, high part |
/// | 2 | variant, `10` |
/// | 8 | nanoseconds within the millisecond, low part |
/// | 16 | node |
/// | 22 | incarnation |
/// | 16 | zero; a UUIDv7 from elsewhere has random bits here and is refused |
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimestampId([u8; 16]);

impl TimestampId {
    /// The largest instant an id may name: `i64::MAX` nanoseconds, in the year 2262, so that every
    /// instant fits a signed 64-bit column.
    pub const NANOSECONDS_MAX: u64 = i64::MAX.cast_unsigned();

    /// The id of an instant at a node; instants above [`Self::NANOSECONDS_MAX`] have none.
    pub const fn new(nanoseconds: u64, identity: NodeIdentity) -> Option<Self> {
        if nanoseconds > Self::NANOSECONDS_MAX {
            return None;
        }
        Some(Self::encode(nanoseconds, identity))
    }

    pub(crate) const fn encode(nanoseconds: u64, identity: NodeIdentity) -> Self {
        let millis = (nanoseconds / NANOS_PER_MILLI) as u128;
        let nanos = (nanoseconds % NANOS_PER_MILLI) as u128;
        let bits = millis << 80
            | 0x7 << 76
            | (nanos >> 8) << 64
            | 0b10 << 62
            | (nanos & 0xff) << 54
            | (identity.node as u128) << 38
            | (identity.incarnation as u128) << 16;
        Self(bits.to_be_bytes())
    }

    /// The bytes in network order, as databases store a UUID.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Reads 16 bytes; refuses what is no id of ours.
    pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, IdError> {
        let id = Self(bytes);
        let bits = u128::from_be_bytes(bytes);
        if bits >> 76 & 0xf != 0x7 || bits >> 62 & 0b11 != 0b10 {
            return Err(IdError::NotVersion7);
        }
        if bits & 0xffff != 0 || id.nanos_within_milli() >= NANOS_PER_MILLI {
            return Err(IdError::Foreign);
        }
        let inside = id
            .millis()
            .checked_mul(NANOS_PER_MILLI)
            .is_some_and(|nanos| nanos + id.nanos_within_milli() <= Self::NANOSECONDS_MAX);
        if inside {
            Ok(id)
        } else {
            Err(IdError::Foreign)
        }
    }

    /// The instant, in nanoseconds since the Unix epoch.
    pub const fn nanoseconds(self) -> u64 {
        self.millis() * NANOS_PER_MILLI + self.nanos_within_milli()
    }

    /// Who issued it.
    pub const fn identity(self) -> NodeIdentity {
        let bits = u128::from_be_bytes(self.0);
        let low = low_64(bits);
        NodeIdentity {
            node: low_16(low >> 38),
            incarnation: low_32(low >> 16) & NodeIdentity::INCARNATION_MAX,
        }
    }

    const fn millis(self) -> u64 {
        low_64(u128::from_be_bytes(self.0) >> 80)
    }

    const fn nanos_within_milli(self) -> u64 {
        let bits = u128::from_be_bytes(self.0);
        low_64((bits >> 64 & 0xfff) << 8 | (bits >> 54 & 0xff))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are wanted")]
const fn low_64(bits: u128) -> u64 {
    bits as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are wanted")]
const fn low_32(bits: u64) -> u32 {
    bits as u32
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are wanted")]
const fn low_16(bits: u64) -> u16 {
    bits as u16
}

impl fmt::Display for TimestampId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            bits >> 80 & 0xffff,
            bits >> 64 & 0xffff,
            bits >> 48 & 0xffff,
            bits & 0xffff_ffff_ffff,
        )
    }
}

impl fmt::Debug for TimestampId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TimestampId({self})")
    }
}

impl FromStr for TimestampId {
    type Err = IdError;

    /// Reads the hyphenated form of a UUID, in either case.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut bits = 0_u128;
        if text.len() != 36 {
            return Err(IdError::NotUuid);
        }
        for (place, byte) in text.bytes().enumerate() {
            if matches!(place, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return Err(IdError::NotUuid);
                }
                continue;
            }
            let digit = char::from(byte).to_digit(16).ok_or(IdError::NotUuid)?;
            bits = bits << 4 | u128::from(digit);
        }
        Self::from_bytes(bits.to_be_bytes())
    }
}

/// Why something is no timestamp id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdError {
    /// Not 32 hexadecimal digits in the hyphenated form of a UUID.
    NotUuid,
    /// A UUID, but not of version 7.
    NotVersion7,
    /// A UUIDv7 that no atomic clock has issued.
    Foreign,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUuid => "not a hyphenated UUID",
            Self::NotVersion7 => "not a UUID of version 7",
            Self::Foreign => "a UUIDv7 that no atomic clock has issued",
        })
    }
}

impl std::error::Error for IdError {}
