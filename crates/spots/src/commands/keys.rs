//! `spots keys`.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use spots_privacy::{MasterKeys, SystemRandomness};

use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Write new master keys for a new database. Never replaces a file.
    Init(KeyFile),
}

/// Where the keys are.
#[derive(Debug, Args)]
pub(crate) struct KeyFile {
    /// The file; only its owner will be able to read it.
    #[arg(
        long,
        env = "SPOTS_KEY_FILE",
        default_value = "spots.keys",
        value_name = "FILE"
    )]
    key_file: PathBuf,
}

pub(crate) fn run(command: &KeysCommand, output: &mut Output) -> anyhow::Result<ExitCode> {
    let KeysCommand::Init(place) = command;
    make(&place.key_file, output)?;
    Ok(ExitCode::SUCCESS)
}

/// Makes new master keys and writes them to a file that is not there yet.
pub(super) fn make(path: &Path, output: &mut Output) -> anyhow::Result<MasterKeys> {
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
    Ok(keys)
}

/// Reads the master keys from a file that nobody else can read.
pub(super) fn read(path: &Path) -> anyhow::Result<MasterKeys> {
    let context = || {
        format!(
            "failed to read the master keys from {}; without the keys that sealed this database \
             nothing in it opens; for a new database run: spots keys init",
            path.display()
        )
    };
    let mode = fs::metadata(path)
        .with_context(context)?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        bail!(
            "{path} can be read by others than its owner; run: chmod 600 {path}",
            path = path.display()
        );
    }
    MasterKeys::parse(&fs::read_to_string(path).with_context(context)?).with_context(context)
}
