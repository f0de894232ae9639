//! Moments on the wire.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

/// An instant as RFC 3339: written in UTC, read with any offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-12-01T18:00:00Z")]
pub struct Instant(pub Timestamp);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time with an offset, for example 2026-12-01T18:00:00Z")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                let invalid = |_| E::invalid_value(serde::de::Unexpected::Other("text"), &self);
                text.parse().map_err(invalid)
            }
        }

        reader.deserialize_str(Text).map(Self)
    }
}

/// An instant cut to its minute: so that hosts cannot link people by when they did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-12-01T18:00:00Z")]
pub struct Minute(Instant);

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.0.fmt(f)
    }
}

impl From<Timestamp> for Minute {
    fn from(at: Timestamp) -> Self {
        let second = at.as_second();
        let minute = second - second.rem_euclid(60);
        Self(Instant(
            Timestamp::from_second(minute).unwrap_or(Timestamp::MIN),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_and_utc_is_written() {
        let at: Instant = serde_json::from_str("\"2026-12-01T19:00:00+01:00\"").unwrap();
        assert_eq!(
            serde_json::to_string(&at).unwrap(),
            "\"2026-12-01T18:00:00Z\""
        );
        assert!(serde_json::from_str::<Instant>("\"2026-12-01 18:00\"").is_err());
    }

    #[test]
    fn a_minute_has_no_seconds_before_the_epoch_either() {
        for (at, minute) in [
            ("2026-12-01T18:00:59.999Z", "\"2026-12-01T18:00:00Z\""),
            ("1969-12-31T23:59:59Z", "\"1969-12-31T23:59:00Z\""),
        ] {
            let at: Timestamp = at.parse().unwrap();
            assert_eq!(serde_json::to_string(&Minute::from(at)).unwrap(), minute);
        }
    }
}
