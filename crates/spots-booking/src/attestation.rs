//! Answers in place of data: "18 or over: yes" and no birthday, "member of a club: yes" and no card.
//!
//! An answer says what it rests on, who vouches for it, and when it was given, to the minute. A no
//! is never told: the person is told that it is not so, and leaves it out.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::membership::{Membership, Voucher};
use crate::requirement::ValueKind;
use crate::value::FieldValue;

/// What SPOTS knows of a person when it answers for them. No host sees it.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The birthday in their sealed profile.
    pub birthday: Option<Date>,
    /// The domain of their e-mail address, if they confirmed that the address is theirs.
    pub email_domain: Option<String>,
    /// How the host's own list names them.
    pub listed: Option<Listed>,
}

/// How a host's own list names a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// By the e-mail address that they confirmed.
    Address,
    /// By a member number that they gave.
    Number,
}

/// Answers for a person. `None` where the kind is data, not an answer; an error says to the person
/// how to mend it.
pub fn attest(
    kind: &ValueKind,
    evidence: &Evidence,
    now: Timestamp,
) -> Option<Result<FieldValue, String>> {
    let claim = match kind {
        ValueKind::Over18 => age(18, evidence.birthday, now),
        ValueKind::Over21 => age(21, evidence.birthday, now),
        ValueKind::CompanyMember(company) => {
            vouched(company, evidence).map(|by| format!("affiliated with {}, {by}", company.name))
        }
        ValueKind::ClubMember(club) => {
            vouched(club, evidence).map(|by| format!("member of {}, {by}", club.name))
        }
        _ => return None,
    };
    let moment = now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC");
    Some(claim.map(|claim| FieldValue::attested(format!("yes: {claim} ({moment})"))))
}

/// Who vouches, in words for the host.
fn vouched(membership: &Membership, evidence: &Evidence) -> Result<String, String> {
    match (&membership.voucher, evidence.listed) {
        (Voucher::Person, _) => Ok("by the guest's own word".to_owned()),
        (Voucher::EmailDomain(domain), _) => match &evidence.email_domain {
            Some(own) if own == domain => Ok(format!("by a confirmed e-mail address at {domain}")),
            Some(_) => Err(format!(
                "Your confirmed e-mail address is not at {domain}; leave this out."
            )),
            None => Err(format!(
                "Confirm your e-mail address under Profile; it has to be at {domain}. The host \
                 gets the answer, not the address."
            )),
        },
        (Voucher::HostList, Some(Listed::Address)) => {
            Ok("on the host's own list, by a confirmed e-mail address".to_owned())
        }
        (Voucher::HostList, Some(Listed::Number)) => {
            Ok("on the host's own list, by a member number".to_owned())
        }
        (Voucher::HostList, None) => Err(
            "The host's list does not name you. Confirm your e-mail address under Profile, or \
             give your member number here; if neither helps, ask the host, or leave this out."
                .to_owned(),
        ),
    }
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
        let evidence = Evidence {
            birthday: birthday.map(|text| text.parse().unwrap()),
            ..Evidence::default()
        };
        given(kind, &evidence, now)
    }

    fn given(kind: &ValueKind, evidence: &Evidence, now: &str) -> Result<String, String> {
        let answer = attest(kind, evidence, now.parse().unwrap()).unwrap();
        answer.map(|value| value.as_str().to_owned())
    }

    fn club(voucher: Voucher) -> ValueKind {
        ValueKind::ClubMember(Membership {
            name: "Ruderclub".to_owned(),
            voucher,
        })
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
        let yes = answer(&club(Voucher::Person), None, "2026-11-27T01:20:42Z").unwrap();
        assert_eq!(
            yes,
            "yes: member of Ruderclub, by the guest's own word (2026-11-27 01:20 UTC)"
        );
        assert!(
            attest(
                &ValueKind::Text,
                &Evidence::default(),
                Timestamp::UNIX_EPOCH
            )
            .is_none()
        );
    }

    #[test]
    fn only_the_voucher_that_is_asked_for_vouches() {
        let now = "2026-11-27T01:20:42Z";
        let domain = club(Voucher::EmailDomain("mira.example".to_owned()));
        let list = club(Voucher::HostList);
        let of = |domain: Option<&str>, listed| Evidence {
            email_domain: domain.map(str::to_owned),
            listed,
            ..Evidence::default()
        };
        assert_eq!(
            given(&domain, &of(Some("mira.example"), None), now).unwrap(),
            "yes: member of Ruderclub, by a confirmed e-mail address at mira.example (2026-11-27 \
             01:20 UTC)"
        );
        for other in [
            None,
            Some("example"),
            Some("x.mira.example"),
            Some("evilmira.example"),
        ] {
            let listed = Some(Listed::Address);
            assert!(
                given(&domain, &of(other, listed), now).is_err(),
                "{other:?}"
            );
        }
        assert!(
            given(&list, &of(None, Some(Listed::Number)), now)
                .unwrap()
                .contains("on the host's own list, by a member number")
        );
        assert!(
            given(&list, &of(Some("mira.example"), None), now)
                .unwrap_err()
                .contains("ask the host")
        );
    }
}
