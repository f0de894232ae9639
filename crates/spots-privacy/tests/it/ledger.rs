//! Receipts and checkpoints against numbers that never change, against nonsense, and against a
//! verifier that shares no code with ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};
use spots_privacy::consent::{commitment, sha256};
use spots_privacy::ledger::merkle::{Frontier, consistency, extends, fold, inclusion, nodes_of};
use spots_privacy::ledger::receipt::{
    Event, Evidence, Inclusion, Information, Party, Processing, Proof, SCHEMA,
};
use spots_privacy::ledger::{
    Audit, Checkpoint, Entry, Granted, LedgerKey, Place, Receipt, ReceiptError,
};

const SEED: [u8; 32] = [42; 32];
const REQUIREMENTS: &str = "spots.requirements.1\nreservation\n1\n";
const AT_NS: i64 = 1_795_366_800_000_000_001;
const END_NS: i64 = 1_795_971_600_000_000_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

fn key() -> LedgerKey {
    LedgerKey::from_seed(&SEED)
}

fn salt(number: u8) -> [u8; 32] {
    [number; 32]
}

fn granted(number: u8) -> Entry {
    let share = format!("share_{number}");
    let facts = Granted {
        host: "host_1",
        share: &share,
        field: "name",
        at_ns: AT_NS,
        requirements_hash: &sha256(REQUIREMENTS.as_bytes()),
        expires_at_ns: END_NS,
    };
    let commitment = facts.commitment(&salt(number));
    Entry {
        host: "host_1".to_owned(),
        share,
        field: "name".to_owned(),
        kind: "granted".to_owned(),
        stamp: [number; 16],
        commitment,
    }
}

/// Seven consents, of which the fourth was taken back at the end.
fn entries() -> Vec<Entry> {
    let mut entries: Vec<_> = (0..7).map(granted).collect();
    let first = &entries[3];
    let facts = [
        "revoked",
        "host_1",
        &first.share,
        "name",
        "1795366800000000009",
    ];
    entries.push(Entry {
        kind: "revoked".to_owned(),
        stamp: [99; 16],
        commitment: commitment(&salt(3), &facts),
        ..first.clone()
    });
    entries
}

struct Tree {
    frontier: Frontier,
    nodes: std::collections::BTreeMap<spots_privacy::ledger::Node, [u8; 32]>,
    roots: Vec<[u8; 32]>,
}

fn tree(entries: &[Entry]) -> Tree {
    let mut tree = Tree {
        frontier: Frontier::default(),
        nodes: std::collections::BTreeMap::new(),
        roots: vec![spots_privacy::ledger::merkle::empty_root()],
    };
    for entry in entries {
        tree.nodes.extend(tree.frontier.push(entry.leaf()));
        tree.roots.push(tree.frontier.root());
    }
    tree
}

impl Tree {
    fn prove(&self, ranges: Vec<std::ops::Range<u64>>) -> Vec<[u8; 32]> {
        let hash = |range| {
            let nodes = nodes_of(range);
            fold(
                &nodes
                    .iter()
                    .map(|node| self.nodes[node])
                    .collect::<Vec<_>>(),
            )
            .unwrap()
        };
        ranges.into_iter().map(hash).collect()
    }

    fn checkpoint(&self, size: u64) -> Checkpoint {
        Checkpoint {
            size,
            root: self.roots[usize::try_from(size).unwrap()],
        }
    }
}

fn proof(entry: &Entry, salt: Option<[u8; 32]>, inclusion: Option<Inclusion>) -> Proof {
    Proof {
        host: entry.host.clone(),
        share: entry.share.clone(),
        field: entry.field.clone(),
        kind: entry.kind.clone(),
        stamp: STANDARD.encode(entry.stamp),
        commitment: STANDARD.encode(entry.commitment),
        moment: if entry.ends() { AT_NS + 8 } else { AT_NS }.to_string(),
        expires_at: (!entry.ends()).then(|| END_NS.to_string()),
        salt: salt.map(|salt| STANDARD.encode(salt)),
        inclusion,
    }
}

/// How far a receipt's entry has come: promised, proved, its salt destroyed.
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Promised,
    Proved,
    Unsalted,
}

/// What the receipt of the fourth share rests on.
fn evidence(stage: Stage) -> Evidence {
    let entries = entries();
    let tree = tree(&entries);
    let proved = stage != Stage::Promised;
    let salted = stage != Stage::Unsalted;
    let of_share = entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.share == "share_3");
    let proofs = of_share.map(|(index, entry)| {
        let included = proved.then(|| Inclusion {
            leaf_index: index as u64,
            hashes: tree
                .prove(inclusion(index as u64, 8).unwrap())
                .iter()
                .map(|hash| STANDARD.encode(hash))
                .collect(),
        });
        proof(entry, salted.then(|| salt(3)), included)
    });
    let text = str::to_owned;
    Evidence {
        key: key().public().to_string(),
        issued_at: text("2026-11-22T17:00:01Z"),
        included_by: text("2026-11-23T17:00:01Z"),
        requirements: text(REQUIREMENTS),
        checkpoint: proved.then(|| tree.checkpoint(8).sign(&key())),
        entries: proofs.collect(),
    }
}

/// A receipt of the fourth share.
fn receipt(stage: Stage) -> Receipt {
    let text = str::to_owned;
    Receipt {
        schema_version: text(SCHEMA),
        receipt_id: text("share_3/1"),
        record_id: text("share_3"),
        pii_principal_id: text("Guest K7Q-2M4"),
        pii_processing: vec![Processing {
            privacy_notice: text("/privacy"),
            language: text("en"),
            purpose: text("To greet you: “hello”, \u{7}\n"),
            lawful_basis: text("consent"),
            pii_information: vec![Information {
                pii_type: text("name"),
                pii_optional: true,
            }],
            pii_controllers: vec![text("host_1")],
            collection_method: text("entered by the person"),
            storage_conditions: text("sealed"),
            retention_period: text("P7D"),
            service: text("Dinner"),
            recipient_third_parties: Vec::new(),
            withdrawal_method: text("/me/sharing"),
            privacy_rights: vec![text("/me/export")],
        }],
        party_identification: vec![Party {
            party_id: text("host_1"),
            party_name: text("Café Mira"),
            party_role: text("PII controller"),
            party_type: text("business"),
        }],
        events: vec![Event {
            event_time: text("2026-11-22T17:00:00Z"),
            valid_until: None,
            entity_id: text("Guest K7Q-2M4"),
            event_type: text("explicit consent: name"),
            event_state: text("consent given"),
        }],
        ledger: evidence(stage),
        signature: String::new(),
    }
    .sign(&key())
}

fn vectors() -> Value {
    let entries = entries();
    let tree = tree(&entries);
    let checkpoints: Vec<_> = [1, 5, 8]
        .map(|size| {
            let checkpoint = tree.checkpoint(size);
            json!({
                "size": size,
                "root": STANDARD.encode(checkpoint.root),
                "note": checkpoint.sign(&key()),
            })
        })
        .into();
    let leaves: Vec<_> = entries
        .iter()
        .map(|entry| json!({"entry": proof(entry, None, None), "leaf": STANDARD.encode(entry.leaf())}))
        .collect();
    // As texts: the signature covers the members in the order in which they are written.
    let receipts = [Stage::Promised, Stage::Proved, Stage::Unsalted]
        .map(|stage| serde_json::to_string(&receipt(stage)).unwrap());
    json!({
        "seed": STANDARD.encode(SEED),
        "key": key().public().to_string(),
        "entries": leaves,
        "checkpoints": checkpoints,
        "receipts": receipts,
        "certificate": key().sign("spots.erasure.1\nspots/ledger\naccount: user_1\n"),
    })
}

#[test]
fn the_permanent_vectors_stay() {
    let path = folder().join("vectors/ledger.json");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let now = serde_json::to_string_pretty(&vectors()).unwrap() + "\n";
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ledger.json");
    std::fs::write(&fresh, &now).unwrap();
    assert!(
        kept == now,
        "the formats changed: what people keep would not verify any more (see {})",
        fresh.display()
    );
}

#[test]
fn a_verifier_without_our_code_agrees() {
    #[expect(clippy::disallowed_methods, reason = "the other verifier is a program")]
    let output = Command::new("node")
        .arg(folder().join("verify.mjs"))
        .arg(folder().join("vectors/ledger.json"))
        .output()
        .expect("Node is installed where tests run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "15 hold\n");
}

#[test]
fn a_receipt_says_what_it_proves() {
    let promised = receipt(Stage::Promised).verify(key().public()).unwrap();
    assert!(
        promised
            .entries
            .iter()
            .all(|one| one.position.is_none() && one.facts)
    );
    let proved = receipt(Stage::Proved).verify(key().public()).unwrap();
    let positions: Vec<_> = proved.entries.iter().map(|one| one.position).collect();
    assert_eq!(positions, [Some(3), Some(7)]);
    assert_eq!(proved.checkpoint.unwrap().size, 8);
    let unsalted = receipt(Stage::Unsalted).verify(key().public()).unwrap();
    assert!(
        unsalted
            .entries
            .iter()
            .all(|one| one.position.is_some() && !one.facts)
    );
    let other = LedgerKey::from_seed(&[1; 32]);
    assert!(receipt(Stage::Proved).verify(other.public()).is_err());
}

/// Every text of a receipt, altered one by one, is noticed.
#[test]
fn nothing_in_a_receipt_can_be_altered() {
    fn alter(value: &mut Value, path: &str, altered: &mut Vec<(String, Value)>, whole: &Value) {
        let found: Vec<String> = match value {
            Value::Object(members) => members
                .keys()
                .map(|name| format!("{path}/{name}"))
                .collect(),
            Value::Array(items) => (0..items.len())
                .map(|index| format!("{path}/{index}"))
                .collect(),
            _ => {
                let mut copy = whole.clone();
                let place = copy.pointer_mut(path).unwrap();
                *place = match &*place {
                    Value::String(text) => json!(format!("{text}x")),
                    Value::Number(number) => json!(number.as_u64().unwrap() + 1),
                    Value::Bool(flag) => json!(!flag),
                    _ => return,
                };
                altered.push((path.to_owned(), copy));
                return;
            }
        };
        for path in found {
            let mut inner = whole.pointer(&path).unwrap().clone();
            alter(&mut inner, &path, altered, whole);
        }
    }
    let whole = serde_json::to_value(receipt(Stage::Proved)).unwrap();
    let mut altered = Vec::new();
    alter(&mut whole.clone(), "", &mut altered, &whole);
    assert!(altered.len() > 50, "{}", altered.len());
    for (path, value) in altered {
        let parsed = Receipt::parse(&value.to_string()).unwrap();
        assert!(parsed.verify(key().public()).is_err(), "{path}");
    }
}

/// Signed by us, and still wrong: a receipt that a faulty server would issue.
#[test]
fn a_signed_receipt_with_wrong_evidence_does_not_hold() {
    let again = |change: &dyn Fn(&mut Receipt)| {
        let mut wrong = receipt(Stage::Proved);
        change(&mut wrong);
        wrong.sign(&key()).verify(key().public()).unwrap_err()
    };
    let error = again(&|wrong| wrong.ledger.entries[0].moment = "1".to_owned());
    assert!(matches!(error, ReceiptError::Facts(0)), "{error}");
    let error = again(&|wrong| wrong.ledger.requirements.push('x'));
    assert!(matches!(error, ReceiptError::Facts(0)), "{error}");
    let error = again(&|wrong| wrong.record_id = "share_4".to_owned());
    assert!(matches!(error, ReceiptError::OtherShare(0)), "{error}");
    let error = again(&|wrong| {
        wrong.ledger.entries[1]
            .inclusion
            .as_mut()
            .unwrap()
            .leaf_index = 6;
    });
    assert!(matches!(error, ReceiptError::NotIncluded(1)), "{error}");
    let error = again(&|wrong| wrong.ledger.checkpoint = None);
    assert!(matches!(error, ReceiptError::NotIncluded(0)), "{error}");
}

#[test]
fn nonsense_is_no_receipt() {
    for text in [
        "",
        "{}",
        "[]",
        "null",
        "{\"schema_version\": 1}",
        "spots.receipt.1",
    ] {
        assert!(
            matches!(Receipt::parse(text), Err(ReceiptError::Form(_))),
            "{text}"
        );
    }
    let long = format!("\"{}\"", "x".repeat(1024 * 1024));
    assert!(matches!(Receipt::parse(&long), Err(ReceiptError::TooLong)));
    let text = serde_json::to_string(&receipt(Stage::Proved)).unwrap();
    for end in 0..text.len() {
        if text.is_char_boundary(end) {
            assert!(Receipt::parse(&text[..end]).is_err(), "cut at {end}");
        }
    }
}

#[test]
fn an_audit_names_what_was_rewritten_by_its_batch() {
    let entries = entries();
    let honest = tree(&entries);
    let notes = [3, 6, 8].map(|size| (size, honest.checkpoint(size).sign(&key())));
    let mut rewritten = entries;
    rewritten[4].kind = "revoked".to_owned();
    let mut audit = Audit::begin(key().public().clone(), notes.into());
    for entry in &rewritten {
        audit.position(Some(entry.leaf()), std::slice::from_ref(entry), None);
    }
    let (findings, more) = audit.end();
    assert_eq!((findings.len(), more), (1, 0), "{findings:?}");
    assert_eq!(findings[0].place, Place::Between(3, 6));
}

proptest! {
    #[test]
    fn grown_trees_are_consistent_and_forked_ones_are_not(old in 1..60_usize, more in 0..60_usize) {
        let entries: Vec<_> = (0..old + more).map(|number| {
            Entry { stamp: u128::try_from(number).unwrap().to_be_bytes(), ..granted(1) }
        }).collect();
        let tree = tree(&entries);
        let (first, second) = (old as u64, (old + more) as u64);
        let proof = tree.prove(consistency(first, second).unwrap());
        let (a, b) = (tree.checkpoint(first), tree.checkpoint(second));
        prop_assert!(extends((a.size, &a.root), (b.size, &b.root), &proof));
        let mut forked = a.root;
        forked[0] ^= 1;
        prop_assert!(!extends((a.size, &forked), (b.size, &b.root), &proof));
    }

    #[test]
    fn no_text_makes_the_readers_panic(text in ".{0,400}") {
        drop(Receipt::parse(&text));
        drop(Checkpoint::open(&text, key().public()));
        drop(Entry::from_line(&text));
        drop(spots_privacy::ledger::PublicKey::parse(&text));
    }
}
