//! `spots ledger`: checking receipts and the ledger, checkpoints, and what to do after a restore.

mod document;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use spots_clock::AtomicClock;
use spots_privacy::ledger::{Checkpoint, LedgerKey, PublicKey, merkle};
use spots_store::Store;
use spots_web::ledger::{self, Mirror, Standing};

use super::serve::{Database, runtime};
use crate::keyring::KeyPlace;
use crate::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Print the public key that verifies receipts, checkpoints and certificates.
    Key(KeyPlace),
    /// Give waiting entries their places and print, or write, the signed checkpoint.
    Checkpoint(CheckpointArgs),
    /// Check a receipt or certificate without asking anybody, or a whole database.
    Verify(VerifyArgs),
    /// After an old backup was restored: end again what ended since, by the ledger's copy.
    Replay(ReplayArgs),
}

/// Which database.
#[derive(Debug, Args)]
pub(crate) struct DatabaseUrl {
    /// The database: `sqlite://FILE` or `postgres://USER@HOST/NAME`.
    #[arg(
        long,
        env = "SPOTS_DATABASE_URL",
        default_value = "sqlite://spots.db",
        value_name = "URL"
    )]
    database_url: String,
}

/// `spots ledger checkpoint`.
#[derive(Debug, Args)]
pub(crate) struct CheckpointArgs {
    #[command(flatten)]
    database: DatabaseUrl,
    #[command(flatten)]
    keys: KeyPlace,
    /// Write it to this file instead of printing it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `spots ledger verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// A receipt (JSON) or a certificate of erasure.
    #[arg(conflicts_with = "database", required_unless_present = "database")]
    document: Option<PathBuf>,
    /// Check this whole database instead: `sqlite://FILE` or `postgres://USER@HOST/NAME`.
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The ledger's public key, as `spots ledger key` prints it.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Without `--key`: it follows from the master keys.
    #[command(flatten)]
    keys: KeyPlace,
    /// A checkpoint that somebody kept: what it covers must still be there.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// With a receipt and another checkpoint: the answer of `/api/v1/ledger/consistency` for both.
    #[arg(long, value_name = "FILE", requires = "document")]
    consistency: Option<PathBuf>,
    /// With a database: the copy of its ledger.
    #[arg(long, value_name = "DIR", requires = "database")]
    ledger_dir: Option<PathBuf>,
}

/// `spots ledger replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    database: DatabaseUrl,
    #[command(flatten)]
    keys: KeyPlace,
    /// The copy of the ledger.
    #[arg(long, env = "SPOTS_LEDGER_DIR", value_name = "DIR")]
    ledger_dir: PathBuf,
    /// Where the atomic clock keeps its forward window.
    #[arg(
        long,
        env = "SPOTS_CLOCK_STATE",
        default_value = "spots-clock",
        value_name = "DIR"
    )]
    clock_state: PathBuf,
}

pub(crate) fn run(command: &LedgerCommand, output: &mut Output) -> anyhow::Result<ExitCode> {
    match command {
        LedgerCommand::Key(keys) => {
            output.line(&key(keys)?.public().to_string())?;
            Ok(ExitCode::SUCCESS)
        }
        LedgerCommand::Checkpoint(args) => checkpoint(args, output),
        LedgerCommand::Verify(args) => verify(args, output),
        LedgerCommand::Replay(args) => replay(args, output),
    }
}

fn key(place: &KeyPlace) -> anyhow::Result<Arc<LedgerKey>> {
    Ok(Arc::new(LedgerKey::derive(place.read()?.lookup())))
}

fn checkpoint(args: &CheckpointArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let key = key(&args.keys)?;
    let note = runtime()?.block_on(async {
        let store = open(&args.database.database_url, output).await?;
        ledger::sequence(store.as_ref(), &key).await?;
        let empty = Checkpoint {
            size: 0,
            root: merkle::empty_root(),
        };
        let last = store.last_checkpoint().await?;
        anyhow::Ok(last.map_or_else(|| empty.sign(&key), |last| last.note))
    })?;
    match &args.out {
        None => output.line(note.trim_end())?,
        Some(path) => {
            let context = || format!("failed to write {}", path.display());
            fs::write(path, note).with_context(context)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens a database that is there.
async fn open(url: &str, output: &mut Output) -> anyhow::Result<Arc<dyn Store>> {
    let database = Database::parse(url)?;
    if let Database::Sqlite(path) = &database
        && !path.exists()
    {
        bail!("there is no database in {}", path.display());
    }
    database.open(None, output).await
}

/// A document cannot vouch for itself.
const NO_KEY: &str = "say which ledger: --key with what `spots ledger key` prints or \
     /api/v1/ledger/checkpoint shows, or --key-file; a key that the document brings along proves \
     nothing";

fn verify(args: &VerifyArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let public = match &args.key {
        Some(text) => PublicKey::parse(text)?,
        None => key(&args.keys).context(NO_KEY)?.public().clone(),
    };
    let kept = args
        .checkpoint
        .iter()
        .map(|path| read(path))
        .collect::<anyhow::Result<Vec<_>>>()?;
    match (&args.document, &args.database) {
        (Some(path), _) => {
            let consistency = args.consistency.as_deref().map(read).transpose()?;
            document::verify(
                &read(path)?,
                &public,
                (&kept, consistency.as_deref()),
                output,
            )
        }
        (None, Some(url)) => verify_database(url, &public, (args, kept), output),
        (None, None) => bail!("name a document or a --database"),
    }
}

/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

fn read(path: &Path) -> anyhow::Result<String> {
    let context = || format!("failed to read {}", path.display());
    let length = fs::metadata(path).with_context(context)?.len();
    if length > FILE_BYTES_MAX {
        bail!("{} is larger than any document of a ledger", path.display());
    }
    fs::read_to_string(path).with_context(context)
}

fn verify_database(
    url: &str,
    key: &PublicKey,
    (args, kept): (&VerifyArgs, Vec<String>),
    output: &mut Output,
) -> anyhow::Result<ExitCode> {
    let audited = runtime()?.block_on(async {
        let store = open(url, output).await?;
        let mirror = args.ledger_dir.as_deref();
        let mirror = mirror
            .map(|directory| Mirror::open(directory, key))
            .transpose()?;
        anyhow::Ok(ledger::audit(store.as_ref(), key, mirror.as_ref(), kept).await?)
    })?;
    for finding in &audited.findings {
        output.line(&finding.to_string())?;
    }
    if audited.more > 0 {
        output.line(&format!("and {} more", audited.more))?;
    }
    let state = if audited.findings.is_empty() {
        "nothing was altered"
    } else {
        "the ledger was tampered with"
    };
    output.line(&format!(
        "{} entries, {} wait: {state}",
        audited.size, audited.waiting
    ))?;
    Ok(ExitCode::from(u8::from(!audited.findings.is_empty())))
}

fn replay(args: &ReplayArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let keys = args.keys.read()?;
    let key = LedgerKey::derive(keys.lookup());
    let clock = AtomicClock::open(&args.clock_state).context("failed to open the clock's state")?;
    let (standing, done) = runtime()?.block_on(async {
        let store = open(&args.database.database_url, output).await?;
        let mirror = Mirror::open(&args.ledger_dir, key.public())?;
        let stamp = clock.now()?.into();
        anyhow::Ok(ledger::replay(store.as_ref(), keys.lookup(), &mirror, stamp).await?)
    })?;
    output.line(&format!(
        "{} entries put back, {} fields ended again, {} accounts deleted again",
        done.restored, done.ended, done.erased
    ))?;
    match standing {
        Standing::Continues => output.line("the database has all that the copy has")?,
        Standing::Behind(_) => output.line("the database may serve again")?,
        Standing::Forked(_) => {
            output.line(
                "the database went on without its copy, so the entries stay apart: keep the copy as \
                 evidence and give an empty --ledger-dir",
            )?;
            return Ok(ExitCode::from(1));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Refuses to serve a database that lost what the copy of its ledger has.
pub(crate) async fn check_standing(
    store: &dyn Store,
    keys: &spots_privacy::MasterKeys,
    directory: &Path,
) -> anyhow::Result<()> {
    let key = LedgerKey::derive(keys.lookup());
    let mirror = Mirror::open(directory, key.public())?;
    let next = format!(
        "run: spots ledger replay --ledger-dir {}",
        directory.display()
    );
    match ledger::compare(store, &mirror).await? {
        Standing::Continues => Ok(()),
        Standing::Behind(lost) => bail!(
            "this database is older than the copy of its ledger by {lost} entries: an old backup \
             was restored, and what people took back since would be open again; {next}"
        ),
        Standing::Forked(_) => bail!(
            "this database is not the one that the copy of its ledger follows, or went on after an \
             old backup was restored; {next}"
        ),
    }
}
