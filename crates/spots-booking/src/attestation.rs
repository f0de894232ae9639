//! Answers in place of data: "18 or over: yes" and no birthday, "member of a club: yes" and no card.
//!
//! An answer says what it rests on, who vouches for it, and when it was given, to the minute. A no
//! is never told: the person is told that it is not so, and leaves it out.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::requirement::ValueKind;
use crate::value::FieldValue;

/// Answers for a person. `birthday` is the one in their sealed profile. `None` where the kind is
/// data, not an answer; an error says to the person how to mend it.
pub fn attest(
    kind: &ValueKind,
    birthday: Option<Date>,
    now: Timestamp,
) -> Option<Result<FieldValue, String>> {
    let claim = match kind {
        ValueKind::Over18 => age(18, birthday, now),
        ValueKind::Over21 => age(21, birthday, now),
        ValueKind::CompanyMember(names) => {
            let name = names.first().map_or("", String::as_str);
            Ok(format!("affiliated with {name}, by the guest's own word"))
        }
        ValueKind::ClubMember(names) => {
            let name = names.first().map_or("", String::as_str);
            Ok(format!("member of {name}, by the guest's own word"))
        }
        _ => return None,
    };
    let moment = now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC");
    Some(claim.map(|claim| FieldValue::attested(format!("yes: {claim} ({moment})"))))
}

fn age(years: i16, birthday: Option<Date>, now: Timestamp) -> Result<String, String> {
    let Some(birthday) = birthday else {
        let mend = "Add your birthday to your profile. It stays sealed there: the host gets the \
                    answer, not the date.";
        return Err(mend.to_owned());
    };
    let today = now.to_zoned(TimeZone::UTC).date();
    if full_years(birthday, today) < years {
        let mend =
            format!("The birthday in your profile is not {years} years ago; leave this out.");
        return Err(mend);
    }
    Ok(format!(
        "{years} or over, by the birthday in the guest's sealed profile, which is the guest's own \
         word"
    ))
}

/// Who is born on 29 February is a year older on 1 March of other years.
fn full_years(birthday: Date, today: Date) -> i16 {
    let before = (today.month(), today.day()) < (birthday.month(), birthday.day());
    today.year() - birthday.year() - i16::from(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: &ValueKind, birthday: Option<&str>, now: &str) -> Result<String, String> {
        let birthday = birthday.map(|text| text.parse().unwrap());
        let answer = attest(kind, birthday, now.parse().unwrap()).unwrap();
        answer.map(|value| value.as_str().to_owned())
    }

    #[test]
    fn an_age_is_answered_without_the_date() {
        let now = "2026-11-27T01:20:42Z";
        let yes = answer(&ValueKind::Over18, Some("2008-11-27"), now).unwrap();
        assert_eq!(
            yes,
            "yes: 18 or over, by the birthday in the guest's sealed profile, which is the guest's \
             own word (2026-11-27 01:20 UTC)"
        );
        assert!(!yes.contains("2008"));
        assert!(answer(&ValueKind::Over18, Some("2008-11-28"), now).is_err());
        assert!(answer(&ValueKind::Over21, Some("2008-11-27"), now).is_err());
        assert!(
            answer(&ValueKind::Over21, None, now)
                .unwrap_err()
                .contains("profile")
        );
    }

    #[test]
    fn a_leap_day_counts_from_the_first_of_march() {
        let born = Some("2008-02-29");
        assert!(answer(&ValueKind::Over18, born, "2026-02-28T12:00:00Z").is_err());
        assert!(answer(&ValueKind::Over18, born, "2026-03-01T00:00:00Z").is_ok());
    }

    #[test]
    fn a_membership_names_who_vouches() {
        let club = ValueKind::ClubMember(vec!["Ruderclub".to_owned()]);
        let yes = answer(&club, None, "2026-11-27T01:20:42Z").unwrap();
        assert_eq!(
            yes,
            "yes: member of Ruderclub, by the guest's own word (2026-11-27 01:20 UTC)"
        );
        assert!(attest(&ValueKind::Text, None, Timestamp::UNIX_EPOCH).is_none());
    }
}
