//! Who vouches for a person: the address that they confirmed, and hosts' own lists of members.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use spots_booking::attestation::{Evidence, Listed};
use spots_booking::membership::member_entry;
use spots_booking::{FieldProblem, HostId, Refusal, StandardField, ValueKind};
use spots_host::ServiceError;
use spots_privacy::consent::{Person, sha256};
use spots_privacy::{Personal, random};
use spots_store::vouchers::{MEMBER_LIST_MAX, NewConfirmation, Presented};

use super::accounts::email_lookup;
use super::journal::moment;
use super::{Answer, Ctx, Member, profile, stored};
use crate::mail::Letter;

/// For how many hours the link of a letter confirms an address.
pub const CONFIRMATION_HOURS: i64 = 24;
/// How many minutes lie between two letters to one person.
pub const CONFIRMATION_WAIT_MINUTES: i64 = 5;
/// Wrong member numbers that may be tried at one host in an hour, by all people together and at one
/// server.
pub const WRONG_NUMBERS_MAX: u32 = 30;
/// What the keyed hashes of a host's list are for; the host's id follows.
const MEMBER_CONTEXT: &str = "member of ";
/// Random bytes of a letter's token.
const TOKEN_BYTES: usize = 32;
const SUBJECT: &str = "Confirm your e-mail address";

/// What is known of a person's e-mail address.
#[derive(Clone, Debug)]
pub struct ConfirmedAddress {
    /// The address in the profile.
    pub address: Option<Personal>,
    /// When the last letter to it went out.
    pub sent_at: Option<Timestamp>,
    /// When the person proved that they read it.
    pub confirmed_at: Option<Timestamp>,
}

/// Wrong member numbers, counted for one hour.
#[derive(Debug, Default)]
pub(crate) struct WrongNumbers {
    hour: i64,
    by_host: BTreeMap<HostId, u32>,
}

impl WrongNumbers {
    /// Counts one, unless there were too many.
    fn count(&mut self, host: HostId, now: Timestamp) -> bool {
        let counted = self.of(host, now);
        let may = *counted < WRONG_NUMBERS_MAX;
        *counted += u32::from(may);
        may
    }

    /// One was right after all.
    fn take_back(&mut self, host: HostId, now: Timestamp) {
        let counted = self.of(host, now);
        *counted = counted.saturating_sub(1);
    }

    fn of(&mut self, host: HostId, now: Timestamp) -> &mut u32 {
        let hour = now.as_second() / 3_600;
        if self.hour != hour {
            *self = Self {
                hour,
                ..Self::default()
            };
        }
        self.by_host.entry(host).or_default()
    }
}

/// Looks up what is known of a person's e-mail address.
pub async fn confirmed_address(ctx: &Ctx, person: &Person) -> Answer<ConfirmedAddress> {
    let address = profile(ctx, person).await?.remove(&StandardField::Email);
    of_address(ctx, person, address).await
}

async fn of_address(
    ctx: &Ctx,
    person: &Person,
    address: Option<Personal>,
) -> Answer<ConfirmedAddress> {
    let known = match &address {
        Some(address) => {
            let lookup = email_lookup(ctx, address.disclose());
            let known = ctx.store().lookup_confirmation(person.user(), lookup);
            known.await.map_err(stored)?
        }
        None => None,
    };
    Ok(ConfirmedAddress {
        address,
        sent_at: known.map(|known| moment(known.sent_at_ns)),
        confirmed_at: known.and_then(|known| known.confirmed_at_ns).map(moment),
    })
}

/// Sends a letter with a link to the address that a person signs in with. One that is confirmed
/// already stays so.
pub async fn begin_confirmation(ctx: &Ctx, person: &Person) -> Answer<ConfirmedAddress> {
    let known = confirmed_address(ctx, person).await?;
    if known.confirmed_at.is_some() {
        return Ok(known);
    }
    let mail = ctx.platform().settings().mail.as_ref();
    let mail = mail.ok_or(ServiceError::NoMail)?;
    let address = known.address.ok_or_else(|| {
        let message = "Add your e-mail address to your profile first.";
        ServiceError::field("email", "required", message)
    })?;
    let token = URL_SAFE_NO_PAD.encode(random::bytes::<TOKEN_BYTES>(ctx.random()));
    let text = letter_text(mail.site(), &token);
    let letter = Letter::to(&address, SUBJECT, text, ctx.now()).ok_or_else(|| {
        let message = "SPOTS writes only to addresses of plain letters, digits and marks. Use \
                       another address if you need it confirmed.";
        ServiceError::field("email", "not-plain", message)
    })?;
    let wait = SignedDuration::from_mins(CONFIRMATION_WAIT_MINUTES);
    let new = NewConfirmation {
        address_lookup: email_lookup(ctx, address.disclose()),
        token_hash: sha256(token.as_bytes()),
        last_before_ns: before(ctx, wait),
        stamp: ctx.stamp(),
    };
    let noted = ctx.store().add_confirmation(person.user(), new).await;
    if !noted.map_err(stored)? {
        let message = format!(
            "A letter went out a moment ago. Look for it, also among spam; another can be sent \
             {CONFIRMATION_WAIT_MINUTES} minutes after it."
        );
        return Err(ServiceError::field("email", "too-soon", message));
    }
    mail.send(&letter, ctx.random())
        .await
        .map_err(|cause| ServiceError::failed("hand over a letter", cause))?;
    of_address(ctx, person, Some(address)).await
}

fn letter_text(site: &str, token: &str) -> Personal {
    Personal::new(format!(
        "Somebody who signs in to SPOTS with this address asks to confirm that it is theirs.\n\n\
         If that is you, open this link within {CONFIRMATION_HOURS} hours and press the button \
         there:\n\n{site}/me/email?token={token}\n\n\
         Hosts do not get your address by this. If it is not you, ignore this letter: without the \
         link nothing happens.\n"
    ))
}

/// The moment that lies this long before the request, in nanoseconds.
fn before(ctx: &Ctx, span: SignedDuration) -> i64 {
    let span = i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    ctx.stamp().at_ns.saturating_sub(span)
}

/// Confirms the address of whoever asks, by the token of the letter to it. A token serves once.
pub async fn confirm_address(ctx: &Ctx, person: &Person, token: &str) -> Answer<ConfirmedAddress> {
    let known = confirmed_address(ctx, person).await?;
    let refused = || {
        let message = format!(
            "This link is not the latest one, was used, is older than {CONFIRMATION_HOURS} hours, \
             or was sent to another account. Ask for a new letter under Profile."
        );
        ServiceError::field("token", "invalid", message)
    };
    let address = known.address.ok_or_else(refused)?;
    let presented = Presented {
        address_lookup: email_lookup(ctx, address.disclose()),
        token_hash: sha256(token.trim().as_bytes()),
        sent_since_ns: before(ctx, SignedDuration::from_hours(CONFIRMATION_HOURS)),
        stamp: ctx.stamp(),
    };
    let confirmed = ctx.store().confirm_address(person.user(), presented).await;
    if !confirmed.map_err(stored)? {
        return Err(refused());
    }
    of_address(ctx, person, Some(address)).await
}

/// Replaces the list of members of a host. What is not an e-mail address is a member number. Kept
/// are keyed hashes alone.
pub async fn update_member_list(ctx: &Ctx, member: &Member, entries: &[Personal]) -> Answer<u64> {
    if entries.len() > MEMBER_LIST_MAX {
        let most = MEMBER_LIST_MAX as u64;
        let what = "members of one host's list";
        return Err(Refusal::Limit { what, most }.into());
    }
    let host = member.host().id;
    let mut problems = Vec::new();
    let mut hashes = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        match member_entry(entry.disclose()) {
            Ok(entry) => hashes.push(hashed(ctx, host, &entry)),
            Err(message) => {
                let field = format!("entries[{index}]");
                problems.push(FieldProblem::new(field, "invalid", message));
            }
        }
    }
    if !problems.is_empty() {
        return Err(Refusal::Fields(problems).into());
    }
    let done = ctx.store().update_member_list(host, hashes).await;
    done.map_err(stored)
}

/// How many entries the list of a host has.
pub async fn count_member_list(ctx: &Ctx, member: &Member) -> Answer<u64> {
    let count = ctx.store().count_member_list(member.host().id).await;
    count.map_err(stored)
}

fn hashed(ctx: &Ctx, host: HostId, entry: &str) -> [u8; 32] {
    let context = [MEMBER_CONTEXT, &host.to_string()].concat();
    ctx.keys().lookup().hash(&context, entry)
}

/// What SPOTS knows of a person, so that it can answer a host for them.
pub(super) struct Known {
    birthday: Option<jiff::civil::Date>,
    /// The address, if it is confirmed.
    address: Option<Personal>,
}

pub(super) async fn known(ctx: &Ctx, person: &Person) -> Answer<Known> {
    let mut own = profile(ctx, person).await?;
    let birthday = own.get(&StandardField::Birthday);
    let birthday = birthday.and_then(|text| text.disclose().parse().ok());
    let known = of_address(ctx, person, own.remove(&StandardField::Email)).await?;
    let address = known.confirmed_at.and(known.address);
    Ok(Known { birthday, address })
}

/// What answers one question of a host, to which the person gave this.
pub(super) async fn evidence(
    ctx: &Ctx,
    known: &Known,
    host: HostId,
    (kind, given): (&ValueKind, &str),
) -> Answer<Evidence> {
    let address = known.address.as_ref().map(Personal::disclose);
    let domain = address.and_then(|address| Some(address.rsplit_once('@')?.1.to_lowercase()));
    Ok(Evidence {
        birthday: known.birthday,
        email_domain: domain,
        listed: if kind.is_listed() {
            listed(ctx, host, address, given).await?
        } else {
            None
        },
    })
}

/// How the host's list names a person: by their address, or else by the number that they give.
async fn listed(
    ctx: &Ctx,
    host: HostId,
    address: Option<&str>,
    given: &str,
) -> Answer<Option<Listed>> {
    if let Some(Ok(address)) = address.map(member_entry) {
        let entry = hashed(ctx, host, &address);
        let found = ctx.store().is_on_member_list(host, entry).await;
        if found.map_err(stored)? {
            return Ok(Some(Listed::Address));
        }
    }
    if given == "yes" {
        return Ok(None);
    }
    let now = ctx.now();
    // Counted before it is looked up: many guesses at once are many guesses.
    if !ctx.platform().wrong_numbers().count(host, now) {
        let what = "wrong member numbers in an hour at this host";
        let most = u64::from(WRONG_NUMBERS_MAX);
        return Err(Refusal::Limit { what, most }.into());
    }
    let entry = hashed(ctx, host, given);
    let found = ctx.store().is_on_member_list(host, entry).await;
    if !found.map_err(stored)? {
        return Ok(None);
    }
    ctx.platform().wrong_numbers().take_back(host, now);
    Ok(Some(Listed::Number))
}
