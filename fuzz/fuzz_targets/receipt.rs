//! Receipts, checkpoints and lines of the ledger's copy: whatever text comes, reading it ends in an
//! answer, and nothing that was not signed holds.

#![no_main]

use libfuzzer_sys::fuzz_target;
use spots_privacy::ledger::{Checkpoint, Entry, LedgerKey, PublicKey, Receipt};

fuzz_target!(|text: &str| {
    let key = LedgerKey::from_seed(&[42; 32]);
    let public = key.public();
    if let Ok(receipt) = Receipt::parse(text) {
        // A valid signature cannot be found by trying; sign it, so that the rest is reached.
        let signed = receipt.sign(&key);
        if let Ok(verdict) = signed.verify(public) {
            let again = serde_json::to_string(&signed).expect("a receipt has a JSON form");
            let again = Receipt::parse(&again).expect("what was written reads back");
            assert_eq!(again.verify(public).expect("it holds again"), verdict);
        }
    }
    drop(Checkpoint::open(text, public));
    drop(PublicKey::parse(text));
    if let Some((position, entry)) = Entry::from_line(text) {
        assert_eq!(Entry::from_line(&entry.to_line(position)), Some((position, entry)));
    }
});
