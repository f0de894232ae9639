//! Who operates the platform: names with the hashes of their tokens, in a file beside the keys.
//!
//! Not in the database, so that nobody who can write there makes themselves an operator; and no
//! account, so that no host and no attendee ever is one.

use std::collections::BTreeMap;

use spots_privacy::consent::sha256;
use thiserror::Error;

/// Operators that one file may hold.
const OPERATORS_MAX: usize = 100;
/// Characters of an operator's name.
const NAME_CHARS_MAX: usize = 40;

/// Why a file of operators could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OperatorsError {
    /// Not one of our lines.
    #[error("line {0} is not `operator <name> <SHA-256 of the token as hexadecimal digits>`")]
    Line(usize),
    /// A name or token stands twice.
    #[error("line {0} repeats an operator")]
    Repeated(usize),
    /// Too many.
    #[error("there are more than {OPERATORS_MAX} operators")]
    TooMany,
}

/// All operators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operators(BTreeMap<[u8; 32], String>);

/// One of them, who presented their token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator(String);

impl Operator {
    /// Their name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl Operators {
    /// Reads the file's text; empty lines and those that begin with `#` do not count.
    pub fn parse(text: &str) -> Result<Self, OperatorsError> {
        let mut operators = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let words: Vec<_> = line.split_whitespace().collect();
            let (name, hash) = match words.as_slice() {
                [] => continue,
                [comment, ..] if comment.starts_with('#') => continue,
                ["operator", name, hash] if Self::is_name(name) => (*name, *hash),
                _ => return Err(OperatorsError::Line(number)),
            };
            let hash = digits(hash).ok_or(OperatorsError::Line(number))?;
            let known = operators.values().any(|known| known == name);
            if known || operators.insert(hash, name.to_owned()).is_some() {
                return Err(OperatorsError::Repeated(number));
            }
        }
        if operators.len() > OPERATORS_MAX {
            return Err(OperatorsError::TooMany);
        }
        Ok(Self(operators))
    }

    /// Whether a name may stand in the file: lower-case letters, digits and hyphens.
    pub fn is_name(name: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(allowed)
    }

    /// The file's line for an operator with this token.
    pub fn line(name: &str, token: &str) -> String {
        use std::fmt::Write as _;
        let mut line = format!("operator {name} ");
        for byte in sha256(token.as_bytes()) {
            write!(line, "{byte:02x}").expect("a string takes all text");
        }
        line.push('\n');
        line
    }

    /// Whose token this is. Tokens are 256 random bits, so their hash tells nothing about them.
    pub(crate) fn find(&self, token: &str) -> Option<Operator> {
        let name = self.0.get(&sha256(token.as_bytes()))?;
        Some(Operator(name.clone()))
    }

    /// Whether this name is among them.
    pub fn holds(&self, name: &str) -> bool {
        self.0.values().any(|known| known == name)
    }
}

fn digits(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_and_finds_its_token() {
        let text = format!("# who\n\n{}", Operators::line("grafana", "token"));
        let operators = Operators::parse(&text).unwrap();
        assert_eq!(operators.find("token").unwrap().name(), "grafana");
        assert_eq!(operators.find("Token"), None);
        assert!(operators.holds("grafana") && !operators.holds("token"));
    }

    #[test]
    fn bad_lines_are_named() {
        let good = Operators::line("a", "x");
        for (text, error) in [
            ("operator a".to_owned(), OperatorsError::Line(1)),
            ("operator A 00".to_owned(), OperatorsError::Line(1)),
            (
                format!("operator a {}", "g".repeat(64)),
                OperatorsError::Line(1),
            ),
            (format!("{good}{good}"), OperatorsError::Repeated(2)),
            (
                format!("{good}{}", Operators::line("b", "x")),
                OperatorsError::Repeated(2),
            ),
        ] {
            assert_eq!(Operators::parse(&text), Err(error), "{text}");
        }
    }
}
