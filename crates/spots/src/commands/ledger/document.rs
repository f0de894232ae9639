//! Checking a receipt or a certificate without asking anybody.

use std::process::ExitCode;

use anyhow::Context as _;
use serde::Deserialize;
use spots_privacy::ledger::merkle::{PROOF_HASHES_MAX, extends};
use spots_privacy::ledger::{Checkpoint, PublicKey, Receipt, Verdict};

use crate::output::Output;

/// The answer of `/api/v1/ledger/consistency`.
#[derive(Deserialize)]
struct Consistency {
    from: u64,
    to: u64,
    hashes: Vec<String>,
}

/// Says what the document proves: 0 where it holds, 1 where it does not.
pub(super) fn verify(
    text: &str,
    key: &PublicKey,
    (kept, consistency): (&[String], Option<&str>),
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    if !text.trim_start().starts_with('{') {
        return certificate(text, key, output);
    }
    let verdict = match Receipt::parse(text).and_then(|receipt| receipt.verify(key)) {
        Ok(verdict) => verdict,
        Err(error) => {
            output.line(&format!("does not hold: {error}"))?;
            return Ok(ExitCode::from(1));
        }
    };
    for note in kept {
        if let Err(why) = goes_on(&verdict, note, key, consistency)? {
            output.line(&format!("does not hold: {why}"))?;
            return Ok(ExitCode::from(1));
        }
    }
    tell(&verdict, output)?;
    Ok(ExitCode::SUCCESS)
}

fn certificate(text: &str, key: &PublicKey, output: &mut Output) -> anyhow::Result<ExitCode> {
    match key.open(text) {
        Ok(signed) => {
            output.line("holds: signed by this ledger, word for word")?;
            output.line(signed.trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            output.line(&format!("does not hold: {error}"))?;
            Ok(ExitCode::from(1))
        }
    }
}

fn tell(verdict: &Verdict, output: &mut Output) -> anyhow::Result<()> {
    for proved in &verdict.entries {
        let place = match proved.position {
            Some(position) => format!("in the ledger at position {position}"),
            None => "promised, not proved yet; fetch the receipt again".to_owned(),
        };
        let facts = if proved.facts {
            "with moment, end and requirements"
        } else {
            "that it happened; its salt is destroyed, so no more can be proved"
        };
        output.line(&format!("{}: {place}; {facts}", proved.entry))?;
    }
    let size = verdict.checkpoint.as_ref().map_or(0, |signed| signed.size);
    output.line(&format!("holds, against a ledger of {size} entries"))?;
    Ok(())
}

/// Whether the receipt's ledger and that of a kept checkpoint are one.
fn goes_on(
    verdict: &Verdict,
    note: &str,
    key: &PublicKey,
    consistency: Option<&str>,
) -> anyhow::Result<Result<(), String>> {
    let kept = match Checkpoint::open(note, key) {
        Ok(kept) => kept,
        Err(error) => return Ok(Err(format!("the kept checkpoint is {error}"))),
    };
    let Some(own) = &verdict.checkpoint else {
        return Ok(Err("the receipt has no checkpoint yet".to_owned()));
    };
    if own.size == kept.size {
        let same = own.root == kept.root;
        return Ok(same
            .then_some(())
            .ok_or_else(|| "the kept checkpoint has another ledger of the same size".to_owned()));
    }
    let (old, new) = if own.size < kept.size {
        (own, &kept)
    } else {
        (&kept, own)
    };
    let Some(text) = consistency else {
        return Ok(Err(format!(
            "the checkpoints have sizes {} and {}; give --consistency with the answer of \
             /api/v1/ledger/consistency?from={}&to={}",
            old.size, new.size, old.size, new.size
        )));
    };
    let proof: Consistency = serde_json::from_str(text).context("not a proof of consistency")?;
    let hashes = hashes(&proof.hashes)?;
    let holds = (proof.from, proof.to) == (old.size, new.size)
        && extends((old.size, &old.root), (new.size, &new.root), &hashes);
    Ok(holds
        .then_some(())
        .ok_or_else(|| "the later ledger does not go on from the earlier one".to_owned()))
}

fn hashes(texts: &[String]) -> anyhow::Result<Vec<[u8; 32]>> {
    anyhow::ensure!(texts.len() <= PROOF_HASHES_MAX, "the proof is too long");
    texts
        .iter()
        .map(|text| {
            spots_privacy::ledger::merkle::hash_of(text).context("a hash of the proof is none")
        })
        .collect()
}
