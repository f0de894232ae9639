//! `spots keys retire`.

use std::process::ExitCode;

use anyhow::bail;
use spots_privacy::Wrapping;
use spots_store::keys::Purge;

use super::{Where, check, now, status};
use crate::output::Output;

pub(super) async fn run(place: &Where, output: &mut Output) -> anyhow::Result<ExitCode> {
    let (keys, store) = place.open(output).await?;
    check(store.as_ref(), &keys).await?;
    let floor = store.lookup_floor().await?;
    let Some(floor) = floor.filter(|floor| floor.wrapping.version > 0) else {
        bail!("no rotation has proved that a version is unused; run: spots keys rotate");
    };
    let version = floor.wrapping.version;
    let old: Vec<_> = keys
        .versions()
        .into_iter()
        .filter(|old| *old < version)
        .collect();
    if !old.is_empty() {
        if !place.keys.is_file() {
            bail!(
                "take the lines `master N` with N below {version} out of where the keys come from, \
                 restart the servers, and run: spots keys retire"
            );
        }
        place.keys.write(&keys.without_versions_below(version)?)?;
    }
    let floor_of_versions = Wrapping { version, epoch: 0 };
    let purged = store
        .purge(Purge::Before(floor_of_versions), now()?)
        .await?;
    output.line(&status::proof(&floor))?;
    output.line(&format!("{} versions of the master key removed", old.len()))?;
    output.line(&format!(
        "{purged} destroyed keys became unreadable everywhere"
    ))?;
    output.note(
        "destroy the old versions in your backups of the key file too, unless you still need \
         database backups from before the rotation",
    )?;
    Ok(ExitCode::SUCCESS)
}
