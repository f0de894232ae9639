//! `spots keys rotate`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use spots_privacy::{MasterKeys, SystemRandomness, Wrapping};
use spots_store::Store;
use spots_store::keys::Closing;
use spots_store::rotation::{Pace, rewrap};

use super::{Where, check, status};
use crate::output::Output;

/// How long servers have to take a new version from the file; they look every second.
const SETTLE: Duration = Duration::from_secs(3);
/// How often a rotation looks for keys that a server still wrapped by the old version.
const PASSES_MAX: u32 = 20;

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    place: Where,

    /// Keys wrapped again in a second, at most.
    #[arg(long, default_value_t = Pace::default().rate, value_name = "COUNT",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,

    /// Only write the new version to the key file, to copy it to all servers first.
    #[arg(long)]
    prepare: bool,
}

pub(super) async fn run(args: &RotateArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let (keys, store) = args.place.open(output).await?;
    check(store.as_ref(), &keys).await?;
    let keys = if is_under_way(store.as_ref(), &keys).await? {
        let older = count_older(store.as_ref(), &keys).await?;
        output.note(&format!(
            "going on with version {}, which is in the key file: {older} keys are wrapped by an \
             older version",
            keys.newest().version
        ))?;
        keys
    } else {
        begin(args, &keys, output)?
    };
    if args.prepare {
        output.note("copy the key file to every server; then run: spots keys rotate")?;
        return Ok(ExitCode::SUCCESS);
    }
    tokio::time::sleep(SETTLE).await;
    move_all(args, store.as_ref(), &keys, output).await
}

/// Adds a version to the key file.
fn begin(args: &RotateArgs, keys: &MasterKeys, output: &mut Output) -> anyhow::Result<MasterKeys> {
    let place = &args.place.keys;
    if !place.is_file() {
        bail!(
            "the master keys do not come from a file that this program can change; add the line \
             `master {} <base64 of 32 random bytes>` where they come from, restart the servers, \
             and run: spots keys rotate",
            keys.newest().version.saturating_add(1)
        );
    }
    let next = keys.with_new_version(&SystemRandomness)?;
    place.write(&next)?;
    output.note(&format!(
        "wrote master key version {} to {}; back it up before you retire the old one",
        next.newest().version,
        place.key_file.display()
    ))?;
    // Read again, with the epochs beside it.
    place.read()
}

/// Whether a rotation was begun, by this command or by `--prepare`, and has not ended with its proof.
async fn is_under_way(store: &dyn Store, keys: &MasterKeys) -> anyhow::Result<bool> {
    let floor = store.lookup_floor().await?;
    let proved = floor.map_or(0, |floor| floor.wrapping.version);
    Ok(keys.versions().len() > 1 && proved < keys.newest().version)
}

async fn count_older(store: &dyn Store, keys: &MasterKeys) -> anyhow::Result<u64> {
    let newest = keys.newest().version;
    let counts = store.count_wrappings().await?;
    let older = counts
        .iter()
        .filter(|count| count.wrapping.version < newest);
    Ok(older.map(|count| count.keys).sum())
}

async fn move_all(
    args: &RotateArgs,
    store: &dyn Store,
    keys: &MasterKeys,
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let total = count_older(store, keys).await?;
    let pace = Pace {
        batch: (args.rate / 10).clamp(1, Pace::default().batch),
        rate: args.rate,
    };
    let below = Wrapping {
        version: keys.newest().version,
        epoch: 0,
    };
    let mut before = 0;
    for _ in 0..PASSES_MAX {
        let mut told = None;
        let mut progress = |done: u64| {
            let done = before + done;
            let share = (done * 20).checked_div(total);
            if share != told {
                told = share;
                // Progress that cannot be shown is no reason to stop.
                drop(output.note(&format!("{done} of {total} keys wrapped again")));
            }
        };
        before += rewrap(store, keys, &SystemRandomness, pace, &mut progress).await?;
        match store.close_wrappings(below, super::now()?).await? {
            Closing::Proved(floor) => {
                output.line(&status::proof(&floor))?;
                output.note("the old version may go; run: spots keys retire")?;
                return Ok(ExitCode::SUCCESS);
            }
            Closing::Left(_) => tokio::time::sleep(SETTLE).await,
        }
    }
    bail!(
        "servers go on wrapping keys by an older version; give every server the new key file, or \
         restart it, and run: spots keys rotate"
    )
}
