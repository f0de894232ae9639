//! Receipts, and the proofs behind them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use spots_booking::{FieldRule, Requirements, ShareId};
use spots_clock::TimestampId;
use spots_host::ServiceError;
use spots_privacy::consent::Person;
use spots_privacy::ledger::merkle::{consistency, fold, inclusion, nodes_of};
use spots_privacy::ledger::receipt::{
    Event, Evidence, Inclusion, Information, Party, Processing, Proof, SCHEMA,
};
use spots_privacy::ledger::{Checkpoint, Hash, Receipt};
use spots_store::ledger::{LedgerRow, ShareRecord, SignedCheckpoint};

use super::{Answer, Ctx, stored};

/// Within how many hours an entry is promised to be in the ledger. It takes a second; the rest is
/// for servers that are down.
pub const PROMISE_HOURS: i64 = 24;

/// That an entry is in the ledger.
#[derive(Debug)]
pub struct Included {
    /// Its position.
    pub position: u64,
    /// The hashes from the leaf to the root.
    pub hashes: Vec<Hash>,
    /// The checkpoint that they lead to.
    pub checkpoint: SignedCheckpoint,
}

/// The last signed checkpoint; that of an empty ledger where nothing was entered yet.
pub async fn checkpoint(ctx: &Ctx) -> Answer<SignedCheckpoint> {
    let last = ctx.store().last_checkpoint().await.map_err(stored)?;
    Ok(last.unwrap_or_else(|| {
        let empty = Checkpoint {
            size: 0,
            root: spots_privacy::ledger::merkle::empty_root(),
        };
        SignedCheckpoint {
            size: 0,
            note: empty.sign(ctx.platform().ledger_key()),
        }
    }))
}

/// Proves that the entry of this leaf is in the ledger.
pub async fn included(ctx: &Ctx, leaf: Hash) -> Answer<Included> {
    let position = ctx.store().find_ledger_leaf(leaf).await.map_err(stored)?;
    let position = position.ok_or_else(|| ServiceError::not_found("entry"))?;
    let checkpoint = checkpoint(ctx).await?;
    let ranges = inclusion(position, checkpoint.size);
    let ranges = ranges.ok_or_else(|| ServiceError::not_found("entry"))?;
    Ok(Included {
        position,
        hashes: hashes(ctx, &[ranges]).await?.pop().unwrap_or_default(),
        checkpoint,
    })
}

/// Proves that the ledger of the second size goes on from that of the first.
pub async fn consistent(ctx: &Ctx, from: u64, to: u64) -> Answer<Vec<Hash>> {
    let last = checkpoint(ctx).await?.size;
    let ranges = consistency(from, to).filter(|_| to <= last);
    let ranges = ranges.ok_or_else(|| {
        let message = format!("Give sizes with 1 ≤ from ≤ to ≤ {last}.");
        ServiceError::field("to", "range", &message)
    })?;
    Ok(hashes(ctx, &[ranges]).await?.pop().unwrap_or_default())
}

/// The hash over each range, for each proof.
async fn hashes(ctx: &Ctx, proofs: &[Vec<std::ops::Range<u64>>]) -> Answer<Vec<Vec<Hash>>> {
    let ranges = proofs.iter().flatten();
    let nodes = ranges.flat_map(|range| nodes_of(range.clone())).collect();
    let stored = ctx.store().list_ledger_nodes(nodes).await;
    let stored = stored.map_err(super::stored)?;
    let hash = |range: &std::ops::Range<u64>| {
        let nodes = nodes_of(range.clone());
        let hashes: Option<Vec<_>> = nodes.iter().map(|node| stored.get(node).copied()).collect();
        let missing = || ServiceError::failed("prove an entry", "a hash of the ledger is missing");
        hashes.and_then(|hashes| fold(&hashes)).ok_or_else(missing)
    };
    let proof = |ranges: &Vec<_>| ranges.iter().map(hash).collect();
    proofs.iter().map(proof).collect()
}

/// A receipt, and the words in which its host asked.
#[derive(Debug)]
pub struct Issued {
    /// The receipt.
    pub receipt: Receipt,
    /// What was asked, as the person saw it.
    pub asked: Requirements,
}

/// The receipt of a share as it stands now.
pub async fn receipt(ctx: &Ctx, person: &Person, share: ShareId) -> Answer<Issued> {
    let store = ctx.store();
    let record = store
        .lookup_share(person.agent(), share)
        .await
        .map_err(stored)?
        .ok_or_else(|| ServiceError::not_found("share"))?;
    let (host, version) = (record.host.id, record.requirements_version);
    let asked = store
        .lookup_requirements_at(host, record.event_type, version)
        .await
        .map_err(stored)?;
    let requirements = asked.map_or_else(
        || Requirements::none(record.event_type),
        |asked| asked.requirements,
    );
    let checkpoint = checkpoint(ctx).await?;
    let proofs = proofs(ctx, &record, checkpoint.size).await?;
    let key = ctx.platform().ledger_key();
    let included_by = ctx.now() + SignedDuration::from_hours(PROMISE_HOURS);
    let rules = requirements.rules().iter();
    let shared = |rule: &&FieldRule| {
        let name = rule.field.to_string();
        record.fields.iter().any(|(field, ..)| *field == name)
    };
    let receipt = Receipt {
        schema_version: SCHEMA.to_owned(),
        receipt_id: format!("{share}/{}", ctx.at().id()),
        record_id: share.to_string(),
        pii_principal_id: format!("Guest {}", record.code),
        pii_processing: rules
            .filter(shared)
            .map(|rule| processing(rule, &record))
            .collect(),
        party_identification: parties(&record),
        events: record.rows.iter().map(|row| event(row, &record)).collect(),
        ledger: Evidence {
            key: key.public().to_string(),
            issued_at: ctx.now().to_string(),
            included_by: included_by.to_string(),
            requirements: requirements.canonical(),
            checkpoint: (checkpoint.size > 0).then_some(checkpoint.note),
            entries: proofs,
        },
        signature: String::new(),
    };
    Ok(Issued {
        receipt: receipt.sign(key),
        asked: requirements,
    })
}

async fn proofs(ctx: &Ctx, record: &ShareRecord, size: u64) -> Answer<Vec<Proof>> {
    let ranges: Vec<_> = record
        .rows
        .iter()
        .map(|row| row.position.and_then(|position| inclusion(position, size)))
        .collect();
    let wanted: Vec<_> = ranges.iter().flatten().cloned().collect();
    let mut found = hashes(ctx, &wanted).await?.into_iter();
    let rows = record.rows.iter().zip(&ranges);
    Ok(rows
        .map(|(row, ranges)| {
            let hashes = ranges.as_ref().and_then(|_| found.next());
            proof(row, record, hashes)
        })
        .collect())
}

fn proof(row: &LedgerRow, record: &ShareRecord, hashes: Option<Vec<Hash>>) -> Proof {
    let entry = &row.entry;
    let field = record.fields.iter().find(|(name, ..)| *name == entry.field);
    let salt = field.and_then(|(_, _, salt)| *salt);
    let expires = field.filter(|_| !entry.ends());
    Proof {
        host: entry.host.clone(),
        share: entry.share.clone(),
        field: entry.field.clone(),
        kind: entry.kind.clone(),
        stamp: STANDARD.encode(entry.stamp),
        commitment: STANDARD.encode(entry.commitment),
        moment: nanoseconds(row).to_string(),
        expires_at: expires.map(|(_, expires, _)| expires.to_string()),
        salt: salt.map(|salt| STANDARD.encode(salt)),
        inclusion: row
            .position
            .zip(hashes)
            .map(|(leaf_index, hashes)| Inclusion {
                leaf_index,
                hashes: hashes.iter().map(|hash| STANDARD.encode(hash)).collect(),
            }),
    }
}

/// The moment of an entry: its timestamp's id is lossless.
fn nanoseconds(row: &LedgerRow) -> i64 {
    let id = TimestampId::from_bytes(row.entry.stamp);
    id.map_or(0, |id| i64::try_from(id.nanoseconds()).unwrap_or(i64::MAX))
}

fn moment(at_ns: i64) -> String {
    Timestamp::from_nanosecond(i128::from(at_ns))
        .map(|at| at.to_string())
        .unwrap_or_default()
}

fn processing(rule: &FieldRule, record: &ShareRecord) -> Processing {
    Processing {
        privacy_notice: "/privacy".to_owned(),
        language: "en".to_owned(),
        purpose: rule.purpose.clone(),
        lawful_basis: "consent".to_owned(),
        pii_information: vec![Information {
            pii_type: rule.field.to_string(),
            pii_optional: rule.ask != spots_booking::requirement::Ask::Required,
        }],
        pii_controllers: vec![record.host.id.to_string()],
        collection_method: "entered or chosen by the person while booking".to_owned(),
        storage_conditions: "sealed under a key of its own, which is destroyed at the end"
            .to_owned(),
        retention_period: format!("P{}D", rule.retention_days),
        service: record.title.clone(),
        recipient_third_parties: Vec::new(),
        withdrawal_method: "/me/sharing".to_owned(),
        privacy_rights: ["/me/export", "/me/profile", "/me/delete"]
            .map(str::to_owned)
            .into(),
    }
}

fn parties(record: &ShareRecord) -> Vec<Party> {
    let host = &record.host;
    vec![
        Party {
            party_id: host.id.to_string(),
            party_name: host.name.clone(),
            party_role: "PII controller".to_owned(),
            party_type: host.kind.as_str().to_owned(),
        },
        Party {
            party_id: "spots".to_owned(),
            party_name: "SPOTS".to_owned(),
            party_role: "PII processor".to_owned(),
            party_type: "platform".to_owned(),
        },
    ]
}

fn event(row: &LedgerRow, record: &ShareRecord) -> Event {
    let entry = &row.entry;
    let guest = format!("Guest {}", record.code);
    let (event_type, event_state, entity_id) = match entry.kind.as_str() {
        "granted" => ("explicit consent", "consent given", guest),
        "revoked" => ("withdrawal", "consent withdrawn", guest),
        "cancelled" => ("booking cancelled", "consent withdrawn", guest),
        "removed" => ("account deleted", "consent withdrawn", guest),
        "expired" => ("retention ended", "consent expired", "spots".to_owned()),
        "replayed" => ("ended again", "consent withdrawn", "spots".to_owned()),
        other => (other, "consent ended", "spots".to_owned()),
    };
    let field = record.fields.iter().find(|(name, ..)| *name == entry.field);
    let until = field.filter(|_| !entry.ends());
    Event {
        event_time: moment(nanoseconds(row)),
        valid_until: until.map(|(_, expires, _)| moment(*expires)),
        entity_id,
        event_type: format!("{event_type}: {}", entry.field),
        event_state: event_state.to_owned(),
    }
}
