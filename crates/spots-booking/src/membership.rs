//! What a host asks people to belong to, and who has to vouch that they do.

use crate::value;

/// Fewest characters of a member number: shorter ones are guessed.
pub const MEMBER_NUMBER_CHARS_MIN: usize = 6;
/// Most characters of a member number.
pub const MEMBER_NUMBER_CHARS_MAX: usize = 64;

/// A company or a club, and who vouches for its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// What it is called.
    pub name: String,
    /// Who vouches.
    pub voucher: Voucher,
}

/// Who vouches for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voucher {
    /// The person: their own word.
    Person,
    /// An e-mail address at this domain, which the person confirmed.
    EmailDomain(String),
    /// The host's own list of members.
    HostList,
}

impl Voucher {
    /// The word on the wire and in the database.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::EmailDomain(_) => "email_domain",
            Self::HostList => "host_list",
        }
    }

    /// The voucher with this word; only an e-mail domain takes a domain.
    pub fn parse(word: &str, domain: Option<&str>) -> Option<Self> {
        match (word, domain) {
            ("person", None) => Some(Self::Person),
            ("email_domain", Some(domain)) => Some(Self::EmailDomain(domain.trim().to_lowercase())),
            ("host_list", None) => Some(Self::HostList),
            _ => None,
        }
    }

    /// The domain, of an e-mail domain.
    pub fn domain(&self) -> Option<&str> {
        match self {
            Self::EmailDomain(domain) => Some(domain),
            Self::Person | Self::HostList => None,
        }
    }
}

impl Membership {
    /// Reads the list form: the name; then, unless the person vouches, the voucher's word and what
    /// it takes.
    pub fn from_list(list: &[String]) -> Option<Self> {
        let (name, voucher) = match list {
            [] => return Some(Self::by_own_word("")),
            [name] => return Some(Self::by_own_word(name)),
            [name, word] => (name, Voucher::parse(word, None)),
            [name, word, domain] => (name, Voucher::parse(word, Some(domain))),
            _ => return None,
        };
        // The person is said by saying nothing, so that one meaning has one form.
        let voucher = voucher.filter(|voucher| *voucher != Voucher::Person)?;
        Some(Self {
            name: name.clone(),
            voucher,
        })
    }

    /// The list form.
    pub fn to_list(&self) -> Vec<String> {
        let mut list = vec![self.name.clone()];
        if self.voucher != Voucher::Person {
            list.push(self.voucher.as_str().to_owned());
            list.extend(self.voucher.domain().map(str::to_owned));
        }
        list
    }

    fn by_own_word(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            voucher: Voucher::Person,
        }
    }

    /// What is wrong with it, in words for the host.
    pub(crate) fn problem(&self) -> Option<(&'static str, String)> {
        if value::line(&self.name).as_ref() != Ok(&self.name) {
            let message = "Name the company or the club, on one line.";
            return Some(("choices", message.to_owned()));
        }
        let domain = self.voucher.domain()?;
        value::email(&["x@", domain].concat()).is_err().then(|| {
            let message = "Give the domain of the addresses, for example mira.example.";
            ("domain", message.to_owned())
        })
    }
}

/// One entry of a host's list of members, or what a person types to be found in it: an e-mail
/// address or a member number, without regard to case and space.
pub fn member_entry(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.contains('@') {
        return value::email(text).map(|address| address.to_lowercase());
    }
    let number: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect();
    let length = number.chars().count();
    if !(MEMBER_NUMBER_CHARS_MIN..=MEMBER_NUMBER_CHARS_MAX).contains(&length)
        || number.chars().any(value::is_deceptive)
    {
        return Err(format!(
            "A member number has {MEMBER_NUMBER_CHARS_MIN} to {MEMBER_NUMBER_CHARS_MAX} \
             characters; shorter ones are guessed."
        ));
    }
    Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_membership_reads_back() {
        for voucher in [
            Voucher::Person,
            Voucher::EmailDomain("mira.example".to_owned()),
            Voucher::HostList,
        ] {
            let membership = Membership {
                name: "Ruderclub".to_owned(),
                voucher,
            };
            assert_eq!(
                Membership::from_list(&membership.to_list()),
                Some(membership)
            );
        }
        for bad in [
            &["A", "B"][..],
            &["A", "person"],
            &["A", "email_domain"],
            &["A", "host_list", "x.example"],
            &["A", "email_domain", "x.example", "y"],
        ] {
            let list: Vec<_> = bad.iter().map(|&text| text.to_owned()).collect();
            assert_eq!(Membership::from_list(&list), None, "{bad:?}");
        }
    }

    #[test]
    fn entries_are_compared_without_case_and_space() {
        assert_eq!(
            member_entry(" Ada@Example.ORG ").unwrap(),
            "ada@example.org"
        );
        assert_eq!(member_entry("RC 2026 0042").unwrap(), "rc20260042");
        for bad in [
            "",
            "12345",
            "ada@",
            "\u{202e}1234567",
            &"9".repeat(MEMBER_NUMBER_CHARS_MAX + 1),
        ] {
            assert!(member_entry(bad).is_err(), "{bad:?}");
        }
    }
}
