//! The parts of a rule, from what was typed about it.

use spots_booking::ValueKind;
use spots_booking::field::KEY_CHARS_MAX;

use crate::view::{AdditionalRow, Ask, FormErrors};

pub(super) fn rule_ask(ask: Ask) -> Option<spots_booking::Ask> {
    match ask {
        Ask::None => None,
        Ask::Optional => Some(spots_booking::Ask::Optional),
        Ask::Required => Some(spots_booking::Ask::Required),
    }
}

pub(super) fn value_kind(row: &AdditionalRow) -> ValueKind {
    let chosen = row.kinds.iter().find(|kind| kind.chosen);
    let word = chosen.map_or("text", |kind| kind.value.as_str());
    if ["company_member", "club_member"].contains(&word) {
        let voucher = row.vouchers.iter().find(|voucher| voucher.chosen);
        let voucher = voucher.map_or("person", |voucher| voucher.value.as_str());
        let mut list = vec![row.name.trim().to_owned()];
        if voucher != "person" {
            list.push(voucher.to_owned());
        }
        if voucher == "email_domain" {
            list.push(row.email_domain.clone());
        }
        return ValueKind::parse(word, list).unwrap_or(ValueKind::Text);
    }
    let choices = row.choices.lines().map(str::trim);
    let choices = choices.filter(|line| !line.is_empty()).map(str::to_owned);
    ValueKind::parse(word, choices.collect()).unwrap_or(ValueKind::Text)
}

pub(super) fn days(text: &str, input: String, errors: &mut FormErrors) -> u16 {
    text.trim().parse().unwrap_or_else(|_| {
        errors.add(input, "Enter a whole number of days, for example 7.");
        0
    })
}

/// A key made of a question's letters, unlike the others.
pub(super) fn new_key(label: &str, index: usize, taken: &[String]) -> String {
    let letters = label.chars().filter(char::is_ascii_alphanumeric);
    let letters = letters.skip_while(char::is_ascii_digit);
    let key: String = letters
        .take(KEY_CHARS_MAX / 2)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    if key.is_empty() || taken.contains(&key) {
        format!("question{index}{key}")
    } else {
        key
    }
}
