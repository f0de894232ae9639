//! `spots ledger` as people type it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn spots(folder: &Path, arguments: &[&str]) -> (i32, String) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runs the binary as people do"
    )]
    let output: Output = Command::new(env!("CARGO_BIN_EXE_spots"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8(said).unwrap(),
    )
}

/// The permanent vectors.
fn vectors() -> Value {
    let path = "../spots-privacy/tests/vectors/ledger.json";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn a_receipt_is_checked_offline() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let vectors = vectors();
    let key = vectors["key"].as_str().unwrap();
    let keep = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let receipt = vectors["receipts"][1].as_str().unwrap();
    keep("receipt.json", receipt);
    let verify = |more: &[&str]| spots(folder, &[&["ledger", "verify"], more].concat());

    let (status, said) = verify(&["receipt.json", "--key", key]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("in the ledger at position 3"), "{said}");
    assert!(
        said.contains("holds, against a ledger of 8 entries"),
        "{said}"
    );

    let (status, said) = verify(&["receipt.json"]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("proves nothing"), "{said}");

    let mut altered: Value = serde_json::from_str(receipt).unwrap();
    altered["pii_processing"][0]["purpose"] = json!("To sell it.");
    keep("altered.json", &altered.to_string());
    let (status, said) = verify(&["altered.json", "--key", key]);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("this one was altered"), "{said}");

    for (number, expected) in [(1, 1), (2, 0)] {
        let note = vectors["checkpoints"][number]["note"].as_str().unwrap();
        keep("checkpoint", note);
        let kept = ["receipt.json", "--key", key, "--checkpoint", "checkpoint"];
        let (status, said) = verify(&kept);
        assert_eq!(status, expected, "{said}");
    }

    keep("certificate.txt", vectors["certificate"].as_str().unwrap());
    let (status, said) = verify(&["certificate.txt", "--key", key]);
    assert_eq!(
        (status, said.contains("account: user_1")),
        (0, true),
        "{said}"
    );

    keep("nonsense.json", "{\"a\": 1}");
    assert_eq!(verify(&["nonsense.json", "--key", key]).0, 1);
    assert_eq!(verify(&["missing.json", "--key", key]).0, 2);
    assert_eq!(verify(&["receipt.json", "--key", "no key"]).0, 2);
}

#[test]
fn a_new_database_has_a_ledger_that_nobody_altered() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(spots(folder, &["keys", "init"]).0, 0);
    let (status, key) = spots(folder, &["ledger", "key"]);
    assert_eq!(
        (status, key.starts_with("spots/ledger/")),
        (0, true),
        "{key}"
    );
    let verify = ["ledger", "verify", "--database", "sqlite://spots.db"];
    let verify = [&verify[..], &["--key-file", "spots.keys"]].concat();
    let (status, said) = spots(folder, &verify);
    assert_eq!(
        (status, said.contains("there is no database")),
        (2, true),
        "{said}"
    );

    let statistics = ["statistics", "--from", "2026-12-01", "--json"];
    let (status, said) = spots(folder, &statistics);
    assert_eq!(
        (status, said.contains("countedPeopleMin")),
        (0, true),
        "{said}"
    );
    let (status, said) = spots(folder, &verify);
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("0 entries, 0 wait: nothing was altered"),
        "{said}"
    );
    let (status, said) = spots(folder, &["ledger", "checkpoint"]);
    assert_eq!((status, said.contains("\n0\n")), (0, true), "{said}");
    let (status, said) = spots(folder, &["ledger", "replay", "--ledger-dir", "copy"]);
    assert_eq!(
        (status, said.contains("has all that the copy has")),
        (0, true),
        "{said}"
    );
}
