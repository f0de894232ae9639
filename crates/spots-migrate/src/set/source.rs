//! One file of a migration as text: what may stand in it, and its checksum.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use spots_findings::{Finding, Level, Place};

/// The largest file that is read, in bytes. A larger one is data, which belongs in a backfill.
pub const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The text of a file, without a byte order mark and with LF line ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Reads bytes as SQL or TOML; `path` is relative to the set, with `/` between parts.
    ///
    /// # Errors
    /// A finding on the line at fault: bytes that are no UTF-8, a NUL, or too large a file.
    pub fn from_bytes(path: &str, bytes: &[u8]) -> Result<Self, Box<Finding>> {
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(Box::new(too_large(path, bytes.len() as u64)));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let line = line_of(bytes, error.valid_up_to());
            unreadable(path, line, "is not UTF-8 from here on").fix("Save the file as UTF-8.")
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if let Some(at) = text.find('\0') {
            let line = line_of(text.as_bytes(), at);
            return Err(Box::new(
                unreadable(path, line, "holds a NUL character").fix("Remove the NUL character."),
            ));
        }
        let text = if text.contains('\r') {
            text.replace("\r\n", "\n")
        } else {
            text.to_owned()
        };
        Ok(Self {
            path: path.to_owned(),
            text,
        })
    }

    /// The same file with part of its text.
    pub(crate) fn with_text(&self, text: String) -> Self {
        Self {
            path: self.path.clone(),
            text,
        }
    }

    /// Relative to the set, with `/` between parts.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The normalised text.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// SHA-256 as 64 hexadecimal digits over length-prefixed parts.
pub(crate) fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut out = String::with_capacity(64);
    for byte in hash.finalize() {
        write!(out, "{byte:02x}").expect("writing to a string cannot fail");
    }
    out
}

/// The line, from 1, on which a byte stands.
pub(crate) fn line_of(bytes: &[u8], offset: usize) -> u32 {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let lines = before.split(|byte| *byte == b'\n').count();
    u32::try_from(lines).unwrap_or(u32::MAX)
}

pub(crate) fn too_large(path: &str, bytes: u64) -> Finding {
    let message = format!("{path} has {bytes} bytes; at most {FILE_BYTES_MAX} are read.");
    Finding::new("oversized-file", Level::Error, path, message)
        .at(Place::file(path))
        .fix("Move the data into a backfill, or split the file.")
}

fn unreadable(path: &str, line: u32, what: &str) -> Finding {
    Finding::new(
        "unreadable-file",
        Level::Error,
        path,
        format!("{path} {what}."),
    )
    .at(Place::line(path, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_byte_order_mark_do_not_change_the_text() {
        let unix = Source::from_bytes("a.sql", b"SELECT 1;\nSELECT 2;\n").unwrap();
        let windows =
            Source::from_bytes("a.sql", b"\xef\xbb\xbfSELECT 1;\r\nSELECT 2;\r\n").unwrap();
        assert_eq!(unix, windows);
    }

    #[test]
    fn bytes_that_are_no_text_are_found_on_their_line() {
        let finding = Source::from_bytes("a.sql", b"SELECT 1;\n-- \xff\n").unwrap_err();
        assert_eq!(finding.place, Some(Place::line("a.sql", 2)));
        let finding = Source::from_bytes("a.sql", b"\n\n\0").unwrap_err();
        assert_eq!(finding.place, Some(Place::line("a.sql", 3)));
    }

    #[test]
    fn parts_of_a_digest_do_not_run_together() {
        assert_ne!(digest(["ab", "c"]), digest(["a", "bc"]));
    }
}
