//! `spots keys`.

mod retire;
mod rotate;
mod status;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use spots_clock::AtomicClock;
use spots_privacy::{MasterKeys, SystemRandomness};
use spots_store::Store;
use spots_store::rotation::check_keys;

use super::serve::Database;
use crate::keyring::KeyPlace;
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Write new master keys for a new database. Never replaces a file.
    Init(KeyPlace),
    /// Say which master keys are held, what they wrap, and what is retired.
    Status(Where),
    /// Wrap every key again by a new version of the master key, while the service runs.
    Rotate(rotate::RotateArgs),
    /// Remove versions of the master key that a rotation proved to be unused.
    Retire(Where),
}

/// Which keys, and which database.
#[derive(Debug, Args)]
pub(crate) struct Where {
    #[command(flatten)]
    keys: KeyPlace,

    /// The database: `sqlite://FILE` or `postgres://USER@HOST/NAME`.
    #[arg(
        long,
        env = "SPOTS_DATABASE_URL",
        default_value = "sqlite://spots.db",
        value_name = "URL"
    )]
    database_url: String,
}

impl Where {
    /// Reads the keys and opens the database.
    async fn open(&self, output: &mut Output) -> anyhow::Result<(MasterKeys, Arc<dyn Store>)> {
        let keys = self.keys.read()?;
        let store = Database::parse(&self.database_url)?
            .open(None, output)
            .await?;
        Ok((keys, store))
    }
}

pub(crate) fn run(command: &KeysCommand, output: &mut Output) -> anyhow::Result<ExitCode> {
    let runtime = super::serve::runtime()?;
    match command {
        KeysCommand::Init(place) => {
            make(&place.key_file, output)?;
            Ok(ExitCode::SUCCESS)
        }
        KeysCommand::Status(place) => runtime.block_on(status::run(place, output)),
        KeysCommand::Rotate(args) => runtime.block_on(rotate::run(args, output)),
        KeysCommand::Retire(place) => runtime.block_on(retire::run(place, output)),
    }
}

/// Makes new master keys and writes them to a file that is not there yet.
pub(super) fn make(path: &Path, output: &mut Output) -> anyhow::Result<()> {
    let keys = MasterKeys::generate(&SystemRandomness);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("failed to write the key file {}", path.display()))?;
    file.write_all(keys.to_file().as_bytes())?;
    file.sync_all()?;
    output.note(&format!(
        "wrote new master keys to {}; back them up apart from the database",
        path.display()
    ))?;
    Ok(())
}

/// The moment of a command.
fn now() -> anyhow::Result<spots_store::Stamp> {
    Ok(AtomicClock::volatile()?.now()?.into())
}

/// Refuses keys that are not those of the database.
pub(super) async fn check(store: &dyn Store, keys: &MasterKeys) -> anyhow::Result<()> {
    check_keys(store, keys).await.context(
        "these master keys do not open what this database holds; give the keys that sealed it",
    )
}
