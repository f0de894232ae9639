//! Content lines (RFC 5545, section 3.1): unfolded, split into name, parameters and value.

use super::LINE_BYTES_MAX;

/// One property as the file writes it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Where it begins, from 1.
    pub(super) number: u32,
    /// In capitals.
    pub(super) name: String,
    parameters: Vec<(String, String)>,
    /// Still escaped.
    pub(super) value: String,
}

/// A line that is no property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// Where it begins, from 1.
    pub(super) number: u32,
    /// What is wrong with it.
    pub(super) why: &'static str,
}

impl Line {
    /// The value of a parameter, by its name in capitals.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a parameter has this value, in whatever case.
    pub(super) fn says(&self, name: &str, value: &str) -> bool {
        self.parameter(name)
            .is_some_and(|given| given.eq_ignore_ascii_case(value))
    }

    fn parse(number: u32, text: &str) -> Result<Self, Broken> {
        let broken = |why| Broken { number, why };
        let no_name = broken("it has no name before a colon; is it the rest of the line above?");
        let (name, mut rest) = split_before(text, &[';', ':']).ok_or(no_name)?;
        let name = name.trim();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(no_name);
        }
        let mut parameters = Vec::new();
        while let Some(after) = rest.strip_prefix(';') {
            let (key, after) =
                split_before(after, &['=', ';', ':']).ok_or(broken("it has no value"))?;
            let (value, after) = match after.strip_prefix('=') {
                Some(after) => parameter_value(after)
                    .ok_or(broken("the quotes of its parameters do not close"))?,
                None => (String::new(), after),
            };
            parameters.push((key.trim().to_ascii_uppercase(), value));
            rest = after;
        }
        let value = rest.strip_prefix(':').ok_or(broken("it has no value"))?;
        Ok(Self {
            number,
            name: name.to_ascii_uppercase(),
            parameters,
            value: value.to_owned(),
        })
    }
}

/// The values of one parameter, joined by commas, and what follows them.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (part, after) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => split_before(rest, &[',', ';', ':'])?,
        };
        value.push_str(part.trim());
        match after.strip_prefix(',') {
            Some(after) => {
                value.push(',');
                rest = after;
            }
            None => return Some((value, split_before(after, &[';', ':'])?.1)),
        }
    }
}

/// The text before the first of these characters, and the text from it on.
fn split_before<'a>(text: &'a str, ends: &[char]) -> Option<(&'a str, &'a str)> {
    text.find(ends).map(|at| text.split_at(at))
}

/// The lines of a file in order. Folds are undone on bytes, because some programs fold in the
/// middle of a character.
pub(super) fn lines(bytes: &[u8]) -> Vec<Result<Line, Broken>> {
    let end = if bytes.contains(&b'\n') { b'\n' } else { b'\r' };
    let mut out = Vec::new();
    let mut open: Option<(u32, Vec<u8>)> = None;
    for (number, raw) in (1_u32..).zip(bytes.split(|byte| *byte == end)) {
        let kept = raw
            .iter()
            .rposition(|byte| *byte != b'\r')
            .map_or(0, |at| at + 1);
        let raw = raw.get(..kept).unwrap_or_default();
        match (raw, &mut open) {
            ([], _) => {}
            ([b' ' | b'\t', rest @ ..], Some((_, text))) => {
                // One byte more than the limit says that the line is too long.
                let room = (LINE_BYTES_MAX + 1).saturating_sub(text.len());
                text.extend(rest.iter().take(room));
            }
            _ => {
                let text = raw.iter().copied().take(LINE_BYTES_MAX + 1).collect();
                let before = open.replace((number, text));
                out.extend(before.map(|(number, text)| finish(number, &text)));
            }
        }
    }
    out.extend(open.map(|(number, text)| finish(number, &text)));
    out
}

fn finish(number: u32, bytes: &[u8]) -> Result<Line, Broken> {
    if bytes.len() > LINE_BYTES_MAX {
        let why = "it is too long; leave out attachments";
        return Err(Broken { number, why });
    }
    let not_utf8 = Broken {
        number,
        why: "it is not UTF-8 text",
    };
    Line::parse(number, std::str::from_utf8(bytes).or(Err(not_utf8))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Line {
        lines(text.as_bytes()).remove(0).unwrap()
    }

    #[test]
    fn a_line_has_a_name_parameters_and_a_value() {
        let line = one("dtstart;tzid=\"W. Europe: Berlin; x\";VALUE=DATE-TIME:20260101T100000");
        assert_eq!(line.name, "DTSTART");
        assert_eq!(line.parameter("TZID"), Some("W. Europe: Berlin; x"));
        assert!(line.says("VALUE", "date-time"));
        assert_eq!(line.value, "20260101T100000");
    }

    #[test]
    fn a_value_keeps_its_colons_and_semicolons() {
        assert_eq!(one("SUMMARY:a: b; c, \"d").value, "a: b; c, \"d");
    }

    #[test]
    fn folds_are_undone_even_within_a_character() {
        let folded = b"SUMMARY:caf\xc3\r\n \xa9 \r\n\tau lait\r\nX-A:1\n";
        let read = lines(folded);
        let values: Vec<_> = read
            .iter()
            .map(|line| {
                let line = line.as_ref().unwrap();
                (line.number, line.value.as_str())
            })
            .collect();
        assert_eq!(values, [(1, "caf\u{e9} au lait"), (4, "1")]);
    }

    #[test]
    fn every_way_to_end_a_line_is_read() {
        for text in [
            "A:1\r\nB:2\r\n",
            "A:1\nB:2",
            "A:1\rB:2\r",
            "A:1\r\r\n\r\nB:2\n",
        ] {
            let names: Vec<_> = lines(text.as_bytes())
                .into_iter()
                .map(|line| line.unwrap().name)
                .collect();
            assert_eq!(names, ["A", "B"], "{text:?}");
        }
    }

    #[test]
    fn what_is_no_property_is_said_with_its_line() {
        let long = format!("X:{}", "a".repeat(LINE_BYTES_MAX));
        let text = format!("A:1\nno name here\nB;C=\"x:1\nD;E=1\n{long}\nF:\u{e9}\n");
        let bytes: Vec<u8> = text.bytes().filter(|byte| *byte != 0xc3).collect();
        let broken: Vec<_> = lines(&bytes)
            .into_iter()
            .filter_map(Result::err)
            .map(|broken| (broken.number, &broken.why[..14]))
            .collect();
        let expected = [
            (2, "it has no name"),
            (3, "the quotes of "),
            (4, "the quotes of "),
            (5, "it is too long"),
            (6, "it is not UTF-"),
        ];
        assert_eq!(broken, expected);
    }
}
