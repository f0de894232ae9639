//! `spots operator`.

use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use spots_privacy::{Randomness as _, SystemRandomness};
use spots_web::service::Operators;

use crate::output::Output;

/// The largest file of operators, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// Random bytes of a token.
const TOKEN_BYTES: usize = 32;

#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// Add an operator and show their token, once. Servers read the file when they start; to take
    /// the right away, delete the line and start them again.
    Add(AddArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// What to call them: lower-case letters, digits and hyphens.
    name: String,

    /// The file; it holds hashes, no tokens.
    #[arg(
        long,
        env = "SPOTS_OPERATOR_FILE",
        default_value = "spots.operators",
        value_name = "FILE"
    )]
    operator_file: PathBuf,
}

pub(crate) fn run(command: &OperatorCommand, output: &mut Output) -> anyhow::Result<ExitCode> {
    let OperatorCommand::Add(AddArgs {
        name,
        operator_file: path,
    }) = command;
    if !Operators::is_name(name) {
        bail!("`{name}` is no name for an operator: use lower-case letters, digits and hyphens");
    }
    if read(path)?.holds(name) {
        bail!(
            "{} has an operator {name} already; delete that line first to give them a new token",
            path.display()
        );
    }
    let mut bytes = [0; TOKEN_BYTES];
    SystemRandomness.fill(&mut bytes);
    let token = bytes.iter().fold(String::new(), |mut token, byte| {
        write!(token, "{byte:02x}").expect("a string takes all text");
        token
    });
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("failed to write the file of operators {}", path.display()))?;
    file.write_all(Operators::line(name, &token).as_bytes())?;
    file.sync_all()?;
    output.line(&token)?;
    output.note(&format!(
        "this is the token of {name}; it is shown only now. Start the servers again to let it in"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the file of operators; where there is none, there is none.
pub(super) fn read(path: &Path) -> anyhow::Result<Operators> {
    let context = || format!("failed to read the file of operators {}", path.display());
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(Operators::default()),
        Err(cause) => return Err(cause).with_context(context),
    };
    if metadata.len() > FILE_BYTES_MAX {
        bail!("{} is larger than {FILE_BYTES_MAX} bytes", path.display());
    }
    if metadata.permissions().mode() & 0o022 != 0 {
        bail!(
            "{path} can be written by others than its owner; run: chmod 600 {path}",
            path = path.display()
        );
    }
    Operators::parse(&fs::read_to_string(path).with_context(context)?).with_context(context)
}
