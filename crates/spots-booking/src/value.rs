//! A field's value, checked and normalised.

use email_address::EmailAddress;
use jiff::civil::Date;

use crate::field::{FieldName, StandardField};
use crate::membership::member_entry;
use crate::refusal::FieldProblem;
use crate::requirement::ValueKind;

/// The longest one-line text, in characters.
pub const LINE_CHARS_MAX: usize = 200;
/// The longest additional text, in characters.
pub const TEXT_CHARS_MAX: usize = 1000;
/// The longest e-mail address, in bytes (RFC 5321).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Fewest digits of a phone number.
pub const PHONE_DIGITS_MIN: usize = 5;
/// Most digits of a phone number (ITU-T E.164).
pub const PHONE_DIGITS_MAX: usize = 15;
/// Most marks on one letter.
const MARKS_MAX: usize = 4;
/// What is said of text that hides something, and of text that covers what is around it.
pub(crate) const HIDDEN: &str =
    "Leave out invisible characters, control characters and writing-direction marks.";
pub(crate) const PILES: &str = "Leave out piles of accents: at most four marks on one letter.";
/// What is said to somebody who gives something else where the host asks for a yes.
const NOT_A_YES: &str = "The host asks for a yes; where it is not so, leave this out.";
/// The earliest year of birth.
const BIRTH_YEAR_MIN: i16 = 1900;

/// A value that fits its field.
#[derive(Clone, PartialEq, Eq)]
pub struct FieldValue(String);

/// Personal data does not print.
impl std::fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FieldValue(…)")
    }
}

impl FieldValue {
    /// Checks and normalises a text for a field. `today` bounds birthdays.
    pub fn parse(
        field: &FieldName,
        kind: &ValueKind,
        text: &str,
        today: Date,
    ) -> Result<Self, FieldProblem> {
        let text = text.trim();
        let checked = match field {
            FieldName::Standard(standard) => parse_standard(*standard, text, today),
            FieldName::Additional(_) => parse_kind(kind, text),
        };
        checked
            .map(Self)
            .map_err(|message| FieldProblem::new(field, "invalid", message))
    }

    /// What SPOTS says in place of data; see [`crate::attestation`].
    pub(crate) fn attested(text: String) -> Self {
        Self(text)
    }

    /// The normalised text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn parse_standard(field: StandardField, text: &str, today: Date) -> Result<String, String> {
    match field {
        StandardField::Name | StandardField::CompanyAffiliation => line(text),
        StandardField::PhoneNumber => phone(text),
        StandardField::Email => email(text),
        StandardField::Birthday => birthday(text, today),
    }
}

fn parse_kind(kind: &ValueKind, text: &str) -> Result<String, String> {
    match kind {
        ValueKind::Text => paragraph(text),
        ValueKind::Number => number(text),
        ValueKind::YesNo => match text {
            "yes" | "true" | "on" => Ok("yes".to_owned()),
            "no" | "false" | "off" => Ok("no".to_owned()),
            _ => Err("Answer yes or no.".to_owned()),
        },
        ValueKind::Date => text.parse::<Date>().map(|date| date.to_string()).or(Err(
            "Enter a date as year-month-day, for example 2026-05-31.".to_owned(),
        )),
        ValueKind::Over18
        | ValueKind::Over21
        | ValueKind::CompanyMember(_)
        | ValueKind::ClubMember(_) => match text {
            "yes" | "true" | "on" => Ok("yes".to_owned()),
            "no" | "false" | "off" => Err(NOT_A_YES.to_owned()),
            number if kind.is_listed() && !number.contains('@') => member_entry(number),
            _ => Err(NOT_A_YES.to_owned()),
        },
        ValueKind::Choice(choices) => match choices.iter().find(|choice| *choice == text) {
            Some(choice) => Ok(choice.clone()),
            None => Err(format!("Choose one of: {}.", choices.join(", "))),
        },
    }
}

/// One line of text about a person or a thing: what people see is what is stored, and stays on its
/// line.
pub fn line(text: &str) -> Result<String, String> {
    shown(text.trim(), LINE_CHARS_MAX, is_deceptive)
}

fn paragraph(text: &str) -> Result<String, String> {
    shown(text, TEXT_CHARS_MAX, is_deceptive_in_lines)
}

fn shown(text: &str, most: usize, is_hidden: fn(char) -> bool) -> Result<String, String> {
    if text.is_empty() {
        return Err("Enter some text.".to_owned());
    }
    if text.chars().count() > most {
        return Err(format!("Enter at most {most} characters."));
    }
    if text.chars().any(is_hidden) {
        return Err(HIDDEN.to_owned());
    }
    if has_piles(text) {
        return Err(PILES.to_owned());
    }
    Ok(text.to_owned())
}

/// Control characters, characters that show nothing, and marks that make text look other than it
/// is.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || u32::from(c) & 0xfffe == 0xfffe
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fdd0}'..='\u{fdef}' | '\u{feff}'
                | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// The same where text may have lines.
pub(crate) fn is_deceptive_in_lines(c: char) -> bool {
    is_deceptive(c) && !matches!(c, '\n' | '\r' | '\t')
}

/// Whether marks stand on each other until they cover what is written above and below. No language
/// needs more than [`MARKS_MAX`] on one letter.
pub(crate) fn has_piles(text: &str) -> bool {
    let is_mark = |c| {
        matches!(
            c,
            '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}'
                | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{e31}' | '\u{e34}'..='\u{e3a}'
                | '\u{e47}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
                | '\u{20d0}'..='\u{20ff}' | '\u{302a}'..='\u{302f}' | '\u{3099}' | '\u{309a}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{e0100}'..='\u{e01ef}'
        )
    };
    let mut letters = text.split(|c| !is_mark(c));
    letters.any(|marks| marks.chars().count() > MARKS_MAX)
}

fn phone(text: &str) -> Result<String, String> {
    const MEND: &str = "Enter a phone number, for example +49 30 1234567.";
    let (plus, rest) = match text.strip_prefix('+') {
        Some(rest) => ("+", rest),
        None => ("", text),
    };
    if !rest
        .chars()
        .all(|c| c.is_ascii_digit() || " -/().".contains(c))
    {
        return Err(MEND.to_owned());
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    if !(PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits.len()) {
        return Err(MEND.to_owned());
    }
    Ok([plus, &digits].concat())
}

/// An e-mail address with its domain in lowercase.
pub fn email(text: &str) -> Result<String, String> {
    const MEND: &str = "Enter an e-mail address, for example name@example.org.";
    let text = text.trim();
    if text.len() > EMAIL_BYTES_MAX || !EmailAddress::is_valid(text) {
        return Err(MEND.to_owned());
    }
    match text.rsplit_once('@') {
        Some((name, domain)) if domain.contains('.') => {
            Ok([name, "@", &domain.to_lowercase()].concat())
        }
        _ => Err(MEND.to_owned()),
    }
}

fn birthday(text: &str, today: Date) -> Result<String, String> {
    let date: Date = text.parse().or(Err(
        "Enter a date as year-month-day, for example 1990-05-31.".to_owned(),
    ))?;
    if date > today {
        return Err("A birthday lies in the past.".to_owned());
    }
    if date.year() < BIRTH_YEAR_MIN {
        return Err(format!("Enter a year from {BIRTH_YEAR_MIN} on."));
    }
    Ok(date.to_string())
}

fn number(text: &str) -> Result<String, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && text.len() <= 32 => Ok(text.to_owned()),
        _ => Err("Enter a number, for example 12 or 1.5.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(field: StandardField, text: &str) -> Result<String, String> {
        parse_standard(field, text, jiff::civil::date(2026, 11, 22))
    }

    #[test]
    fn phone_numbers_are_normalised() {
        assert_eq!(
            check(StandardField::PhoneNumber, "+49 (30) 123-4567").unwrap(),
            "+49301234567"
        );
        for bad in ["", "12", "call me", "+1234567890123456", "12345;drop"] {
            assert!(check(StandardField::PhoneNumber, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn emails_keep_their_local_part() {
        assert_eq!(
            check(StandardField::Email, "Ada@Example.ORG").unwrap(),
            "Ada@example.org"
        );
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.org",
            "a b@example.org",
            "ada@localhost",
        ] {
            assert!(check(StandardField::Email, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn birthdays_lie_between_1900_and_today() {
        assert!(check(StandardField::Birthday, "2026-11-22").is_ok());
        for bad in ["2026-11-23", "1899-12-31", "31.5.1990", "2023-02-29"] {
            assert!(check(StandardField::Birthday, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_hide_nothing() {
        assert_eq!(check(StandardField::Name, "  Żółć ").unwrap(), "Żółć");
        for fine in [
            "Vie\u{323}\u{302}t",
            "\u{5e9}\u{5c1}\u{5bc}\u{5b8}",
            "葛\u{e0100}",
            "محمد",
            "👍\u{fe0f}",
        ] {
            assert_eq!(check(StandardField::Name, fine).unwrap(), fine);
        }
        for bad in [
            "",
            "a\u{202e}b",
            "a\u{0}b",
            "a\nb",
            "\u{200b}",
            "\u{3164}",
            "a\u{ad}b",
            "a\u{e0041}",
            "a\u{ffff}",
            "a\u{2028}b",
            &format!("a{}", "\u{301}".repeat(5)),
            &"x".repeat(201),
        ] {
            assert!(check(StandardField::Name, bad).is_err(), "{bad:?}");
        }
    }
}
