//! The journal: what people's apps and operators add, and what operators read.

use jiff::Timestamp;
use spots_booking::{FieldProblem, Refusal, Stream};
use spots_clock::offline::Correction;
use spots_clock::{Remote, TimestampId};
use spots_host::ServiceError;
use spots_privacy::consent::{Person, sha256};
use spots_store::StoreError;
use spots_store::journal::{Append, Appended, Evidence, JournalFilter, JournalPart, NewEntry};

use super::operators::Operator;
use super::time::open_receipt;
use super::{Answer, Ctx, stored};

/// A claim further beyond its arrival than this is refused, in nanoseconds; anything less is the
/// honest error of a clock that nobody has synchronised yet.
const FUTURE_NS_MAX: i64 = 60_000_000_000;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;
/// Entries that one transaction removes.
const RETIRED_AT_ONCE: u32 = 1_000;

/// Who adds.
#[derive(Clone, Copy, Debug)]
pub enum Author<'a> {
    /// A person, as their agent.
    Person(&'a Person),
    /// An operator.
    Operator(&'a Operator),
    /// The server itself, by a name.
    Server(&'static str),
}

impl Author<'_> {
    fn actor(&self) -> String {
        match self {
            Self::Person(person) => person.agent().reveal(),
            Self::Operator(operator) => format!("operator:{}", operator.name()),
            Self::Server(name) => format!("server:{name}"),
        }
    }

    fn may_add_to(&self, stream: Stream) -> bool {
        let is_person = matches!(self, Self::Person(_));
        is_person != (stream == Stream::Admin)
    }
}

/// An entry to add, understood and without personal data.
#[derive(Clone, Debug)]
pub struct NewJournalEntry {
    /// The author's name for it.
    pub key: String,
    /// What happened.
    pub kind: String,
    /// What it happened to, where the last writer counts.
    pub subject: Option<String>,
    /// Ids, words and numbers as JSON.
    pub body: String,
    /// A peer's stamp that it answers to.
    pub peer: Option<TimestampId>,
    /// When the author says that it happened.
    pub claim: Option<Claim>,
    /// The author's last sync receipt.
    pub receipt: Option<String>,
}

/// A stamp of the author's own clock.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The stamp as it came, as JSON.
    pub text: String,
    /// Its instant.
    pub at_ns: u64,
    /// What the device's clock showed.
    pub device_ns: u64,
    /// Its error bound, if one was known.
    pub bound_ns: Option<u64>,
    /// What was learned about it afterwards, and that as JSON.
    pub correction: Option<(Correction, String)>,
}

/// Adds entries, all or none.
pub async fn append_journal(
    ctx: &Ctx,
    author: Author<'_>,
    stream: Stream,
    entries: Vec<NewJournalEntry>,
) -> Answer<Vec<Appended>> {
    if !author.may_add_to(stream) {
        return Err(ServiceError::NotAnOperator);
    }
    let mut problems = Vec::new();
    let mut placed = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        match place(ctx, stream, entry) {
            Ok(evidence) => placed.push(evidence),
            Err((field, code, message)) => {
                let field = format!("entries[{index}].{field}");
                problems.push(FieldProblem::new(field, code, message));
            }
        }
    }
    if !problems.is_empty() {
        return Err(Refusal::Fields(problems).into());
    }
    let entries = entries.into_iter().zip(placed);
    let append = Append {
        stream,
        actor: author.actor(),
        entries: entries
            .map(|(entry, evidence)| new_entry(entry, evidence))
            .collect(),
    };
    ctx.store().append_journal(append).await.map_err(stored)
}

/// The digest is of what was said at first: what was learned later, or another receipt, makes no
/// other entry.
fn new_entry(entry: NewJournalEntry, evidence: Evidence) -> NewEntry {
    let claimed = entry.claim.as_ref().map_or("", |claim| claim.text.as_str());
    let said = [entry.kind.as_str(), &entry.body, claimed].join("\n");
    NewEntry {
        digest: sha256(said.as_bytes()),
        key: entry.key,
        kind: entry.kind,
        subject: entry.subject,
        body: entry.body,
        evidence,
    }
}

type Fault = (&'static str, &'static str, &'static str);

/// When an entry can have happened: what its author says, cut to what is known here.
fn place(ctx: &Ctx, stream: Stream, entry: &NewJournalEntry) -> Result<Evidence, Fault> {
    if let Some(peer) = entry.peer {
        ctx.platform()
            .clock()
            .merge(Remote::from(peer))
            .map_err(|_too_far| {
                (
                    "body.peerStamp",
                    "too-far-ahead",
                    "The peer's stamp lies further in the future than clocks honestly differ.",
                )
            })?;
    }
    let receipt = match &entry.receipt {
        None => None,
        Some(text) => open_receipt(ctx, text).map_err(|_not_ours| {
            (
                "receipt",
                "invalid",
                "This is no receipt of this service. Synchronise and send the new one, or none.",
            )
        })?,
    };
    let at = ctx.at();
    let arrival = signed(at.server_time_nanos());
    let latest_possible = arrival.saturating_add(signed(at.time_error().unwrap_or(0)));
    let claimed = entry.claim.as_ref().and_then(interval);
    if claimed.is_some_and(|(earliest, _)| earliest > latest_possible.saturating_add(FUTURE_NS_MAX))
    {
        return Err((
            "stamp",
            "in-the-future",
            "It cannot have happened after it arrived.",
        ));
    }
    let receipt_ns = receipt.map(|stamp| signed(stamp.nanoseconds()));
    let earliest = claimed.map(|(earliest, _)| earliest).max(receipt_ns);
    let latest = claimed.map_or(latest_possible, |(_, latest)| latest.min(latest_possible));
    // What contradicts itself proves only that it arrived.
    let (earliest_ns, latest_ns) = match earliest {
        Some(earliest) if earliest > latest => (receipt_ns, latest_possible),
        earliest => (earliest, latest),
    };
    let oldest = arrival.saturating_sub(i64::from(stream.late_days_max()) * NANOS_PER_DAY);
    if latest_ns < oldest {
        return Err(("stamp", "too-late", "It is too old for this stream."));
    }
    Ok(Evidence {
        claimed: entry.claim.as_ref().map(|claim| claim.text.clone()),
        correction: entry
            .claim
            .as_ref()
            .and_then(|claim| Some(claim.correction.as_ref()?.1.clone())),
        receipt: receipt.map(TimestampId::to_bytes),
        earliest_ns,
        latest_ns,
    })
}

/// The interval that a claim stands for: by what was learned afterwards, else by its own bound.
fn interval(claim: &Claim) -> Option<(i64, i64)> {
    let (earliest, latest) = if let Some((correction, _)) = &claim.correction {
        correction.place(claim.device_ns)?
    } else {
        let bound = claim.bound_ns?;
        (
            claim.at_ns.saturating_sub(bound),
            claim.at_ns.saturating_add(bound),
        )
    };
    Some((signed(earliest), signed(latest)))
}

fn signed(nanoseconds: u64) -> i64 {
    i64::try_from(nanoseconds).unwrap_or(i64::MAX)
}

/// Reads part of a stream, and enters the reading itself among the operations of operators.
pub async fn read_journal(
    ctx: &Ctx,
    operator: &Operator,
    filter: JournalFilter,
) -> Answer<JournalPart> {
    let stream = filter.stream;
    let part = ctx.store().list_journal(filter).await.map_err(stored)?;
    // A reader that finds nothing new leaves no trace, or watching the watchers would never end.
    if !part.entries.is_empty() && stream != Stream::Admin {
        let body = format!(
            "{{\"entries\":{},\"operation\":\"journal-read\",\"target\":\"{stream}\"}}",
            part.entries.len()
        );
        let entry = NewJournalEntry {
            key: format!("read-{}", ctx.at().id()),
            kind: "performed".to_owned(),
            subject: None,
            body,
            peer: None,
            claim: None,
            receipt: None,
        };
        append_journal(ctx, Author::Operator(operator), Stream::Admin, vec![entry]).await?;
    }
    Ok(part)
}

/// An operation of the server's own, entered among those of operators.
pub async fn note_operation(
    ctx: &Ctx,
    server: &'static str,
    operation: &'static str,
) -> Answer<()> {
    let entry = NewJournalEntry {
        key: format!("{operation}-{}", ctx.at().id()),
        kind: "performed".to_owned(),
        subject: None,
        body: format!("{{\"operation\":\"{operation}\"}}"),
        peer: None,
        claim: None,
        receipt: None,
    };
    append_journal(ctx, Author::Server(server), Stream::Admin, vec![entry]).await?;
    Ok(())
}

/// Removes what a stream has kept for as long as it may; returns how many entries.
pub(crate) async fn retire_journal(ctx: &Ctx, stream: Stream) -> Result<u64, StoreError> {
    let Some(days) = stream.kept_days() else {
        return Ok(0);
    };
    let before_ns = ctx.stamp().at_ns - i64::from(days) * NANOS_PER_DAY;
    let mut removed = 0;
    loop {
        let store = ctx.store();
        let some = store.retire_journal(stream, before_ns, RETIRED_AT_ONCE);
        let some = some.await?;
        removed += some;
        if some < u64::from(RETIRED_AT_ONCE) {
            return Ok(removed);
        }
    }
}

/// The moment of nanoseconds since the Unix epoch, for people.
pub(crate) fn moment(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds))
        .expect("64 bits of nanoseconds lie within the calendar")
}
