//! `spots keys status`.

use std::process::ExitCode;

use jiff::Timestamp;
use spots_store::keys::Floor;

use super::Where;
use crate::output::Output;

pub(super) async fn run(place: &Where, output: &mut Output) -> anyhow::Result<ExitCode> {
    let (keys, store) = place.open(output).await?;
    let held = keys.versions();
    let epochs = keys.epochs();
    let texts = |numbers: &[u32]| {
        let texts: Vec<_> = numbers.iter().map(u32::to_string).collect();
        texts.join(", ")
    };
    output.line(&format!("master key versions held: {}", texts(&held)))?;
    if !epochs.is_empty() {
        output.line(&format!("epochs held: {}", texts(&epochs)))?;
    }
    output.line(&format!("new keys are wrapped by {}", keys.newest()))?;
    let (mut older, mut lost) = (0, 0);
    for count in store.count_wrappings().await? {
        let by = count.wrapping;
        let known = held.contains(&by.version) && (by.epoch == 0 || epochs.contains(&by.epoch));
        let remark = match (known, by.version < keys.newest().version) {
            (false, _) => "  (this key is not held: these do not open)",
            (true, true) => "  (older)",
            (true, false) => "",
        };
        older += if remark == "  (older)" { count.keys } else { 0 };
        lost += if known { 0 } else { count.keys };
        output.line(&format!(
            "{:>12} {:<11} by {by}{remark}",
            count.keys, count.table
        ))?;
    }
    if let Some(floor) = store.lookup_floor().await? {
        output.line(&proof(&floor))?;
    }
    if lost > 0 {
        output.note(&format!("{lost} keys do not open with the keys given here"))?;
        return Ok(ExitCode::from(1));
    }
    if older > 0 {
        output.note(&format!(
            "a rotation is not finished; run: spots keys rotate ({older} keys left)"
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is retired, and since when.
pub(super) fn proof(floor: &Floor) -> String {
    let since = Timestamp::from_nanosecond(i128::from(floor.proved_at_ns));
    let since = since.expect("64 bits of nanoseconds lie within the calendar");
    format!(
        "proved at {since:.0}: nothing is wrapped below {}, and nothing can be",
        floor.wrapping
    )
}
