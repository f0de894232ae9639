//! Leaving: what is destroyed, what remains, and a signed certificate of both.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use spots_host::ServiceError;
use spots_privacy::consent::Person;
use spots_privacy::ledger::Entry;
use spots_privacy::ledger::entry::{ERASED, commitment_of_erasure, erased_name};
use spots_store::keys::DestroyedKey;
use spots_store::model::Removal;

use super::receipts::PROMISE_HOURS;
use super::{Answer, Ctx, stored};

/// What the text of a certificate starts with.
pub(crate) const LABEL: &str = "spots.erasure.1";

/// What remains after an account is gone, and why.
const REMAINS: [&str; 5] = [
    "bookings that were over or under way, in the hosts' books, under the guest handle and an agent \
     id that leads to nobody any more: the hosts' records",
    "the sealed bytes of what was shared, whose keys are destroyed: nobody can read them",
    "entries of the consent ledger, made of random ids and hashes: so that what others hold stays \
     provable",
    "copies that hosts downloaded or wrote down before: SPOTS cannot call them back",
    "backups made before, until they are overwritten: they hold the sealed bytes, and keys that open \
     only with the master key; when one is restored, this erasure is carried out again",
];

/// An account that is gone.
#[derive(Debug)]
pub struct Erased {
    /// What was done.
    pub removal: Removal,
    /// The signed certificate: a note that `spots ledger verify` checks.
    pub certificate: String,
}

/// Deletes a person's account: their keys and those of all they shared are destroyed, what is to
/// come is cancelled, their sessions end.
pub async fn remove_account(ctx: &Ctx, person: &Person) -> Answer<Erased> {
    let stamp = ctx.stamp();
    let removal = ctx
        .store()
        .remove_account(person.user(), person.agent(), stamp)
        .await
        .map_err(stored)?;
    let certificate = certificate(ctx, &person.user().reveal(), &removal);
    Ok(Erased {
        removal,
        certificate,
    })
}

/// When the last copy of the key of an account that is gone became unreadable, by the name that the
/// ledger gives the account; `None` inside if one may still be read.
pub async fn erased_key(ctx: &Ctx, erased: &str) -> Answer<DestroyedKey> {
    let key = ctx.store().lookup_destroyed(erased).await.map_err(stored)?;
    key.ok_or_else(|| ServiceError::not_found("erased account"))
}

fn certificate(ctx: &Ctx, user: &str, removal: &Removal) -> String {
    let (stamp, key) = (ctx.stamp(), ctx.platform().ledger_key());
    let entry = Entry {
        host: "-".to_owned(),
        share: erased_name(user),
        field: "account".to_owned(),
        kind: ERASED.to_owned(),
        stamp: stamp.id,
        commitment: commitment_of_erasure(user, stamp.at_ns),
    };
    let by = ctx.now() + SignedDuration::from_hours(PROMISE_HOURS);
    let mut text = format!(
        "{LABEL}\n{origin}\naccount: {user}\nerased at: {at}\nmoment: {ns}\nledger leaf: {leaf}\n\
         in the ledger by: {by}\nnamed there: {name}\n\
         gone from logs and backups: see /api/v1/ledger/erasures/{name}\ndestroyed: {fields} keys of shared fields\n",
        origin = key.public().name(),
        at = ctx.now(),
        ns = stamp.at_ns,
        leaf = STANDARD.encode(entry.leaf()),
        name = entry.share,
        fields = removal.fields,
    );
    for (table, count) in removal.rows.iter().filter(|(_, count)| *count > 0) {
        writeln!(text, "destroyed: {count} of {table}").expect("a text takes what is written");
    }
    writeln!(text, "cancelled: {} bookings to come", removal.bookings)
        .expect("a text takes what is written");
    for line in REMAINS {
        writeln!(text, "remains: {line}").expect("a text takes what is written");
    }
    key.sign(&text)
}
