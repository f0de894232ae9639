//! `spots verify`.

mod kept;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use spots_clock::AtomicClock;
use spots_privacy::{MasterKeys, SystemRandomness};
use spots_store::Store;
use spots_web::leaks::{Hunt, Leak, Walk, Walked};
use spots_web::{Carrier, Mail, Platform, Settings};
use tempfile::TempDir;

use self::kept::Kept;
use super::serve::runtime;
use crate::output::{Output, TextFormat};

#[derive(Debug, Subcommand)]
pub(crate) enum VerifyCommand {
    /// Send people with data that occurs nowhere else through every route, page and error; then
    /// search the answers, the letters, the log, the database's files and a backup for that data,
    /// for agent ids and for destroyed keys. Exits 0 (nothing came out), 1 (something did) or 2 (cannot tell).
    Leaks(LeaksArgs),
}

/// Where to look.
#[derive(Debug, Args)]
pub(crate) struct LeaksArgs {
    /// An empty database to do it in: `sqlite://FILE` or `postgres://USER@HOST/NAME`. Without it, a
    /// temporary SQLite file.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Also search this file or folder afterwards, such as PostgreSQL's data directory or a place
    /// for backups. May be said several times.
    #[arg(long, value_name = "PATH")]
    search: Vec<PathBuf>,
    /// In what form to say what was found.
    #[arg(long, default_value = "text", value_enum)]
    format: TextFormat,
}

/// What was done, and what was found.
struct Found {
    leaks: Vec<Leak>,
    requests: usize,
    routes: usize,
    letters: usize,
    log_bytes: usize,
    searched: Vec<PathBuf>,
}

impl Found {
    fn to_json(&self) -> serde_json::Value {
        let leak = |leak: &Leak| {
            serde_json::json!({
                "what": leak.what,
                "form": leak.form,
                "place": leak.place,
                "at": leak.at,
            })
        };
        serde_json::json!({
            "leaks": self.leaks.iter().map(leak).collect::<Vec<_>>(),
            "counts": {
                "leaks": self.leaks.len(),
                "requests": self.requests,
                "routes": self.routes,
                "letters": self.letters,
                "logBytes": self.log_bytes,
            },
            "searched": self.searched,
        })
    }
}

pub(crate) fn run(command: &VerifyCommand, output: &mut Output) -> anyhow::Result<ExitCode> {
    let VerifyCommand::Leaks(args) = command;
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        // Marks of colour could cut a secret in pieces.
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();
    let folder = tempfile::tempdir().context("failed to make a temporary folder")?;
    let found = runtime()?.block_on(look(args, &folder, &log, output))?;
    let leaks = &found.leaks;
    if args.format == TextFormat::Json {
        output.line(&serde_json::to_string_pretty(&found.to_json())?)?;
    } else {
        for leak in leaks {
            output.line(&leak.to_string())?;
        }
        if leaks.is_empty() {
            output.line("nothing came out")?;
        } else {
            output.note(&format!("{} leaks", leaks.len()))?;
        }
    }
    Ok(ExitCode::from(u8::from(!leaks.is_empty())))
}

async fn look(
    args: &LeaksArgs,
    folder: &TempDir,
    log: &Log,
    output: &mut Output,
) -> anyhow::Result<Found> {
    let kept = Kept::new(args.database_url.as_deref(), folder.path())?;
    let clock = Arc::new(AtomicClock::volatile()?);
    let store = kept.open(Arc::clone(&clock), output).await?;
    if kept.people().await? > 0 {
        bail!("there are accounts in this database; name one that is empty");
    }
    let keys = Arc::new(MasterKeys::generate(&SystemRandomness));
    let letters = folder.path().join("letters");
    let platform = platform(store, clock, Arc::clone(&keys), &letters)?;
    let document = serde_json::to_value(spots_web::openapi())?;

    let walk = Walk::begin(spots_web::router(platform), &letters, &SystemRandomness).await?;
    let destroyed = kept.wrapped_keys().await?;
    if destroyed.is_empty() {
        bail!("nothing that was shared has a key; this proves nothing");
    }
    let Walked {
        requests,
        routes,
        mut leaks,
    } = walk.everywhere(&document).await?;
    output.note(&format!("{requests} requests to {} routes", routes.len()))?;
    let letters = walk.letters(&destroyed)?;
    output.note(&format!("{} letters", letters.count))?;
    leaks.extend(letters.leaks);

    let text = log.take();
    if text.is_empty() {
        bail!("nothing was logged; this proves nothing");
    }
    output.note(&format!("{} bytes of log at trace level", text.len()))?;
    let secrets = [walk.secrets(), letters.tokens.clone()].concat();
    leaks.extend(Hunt::new(&secrets)?.search("the log", &text));
    // Ids stand in the database; data must not, and a destroyed key must be gone.
    let hunt = Hunt::new(&[walk.stored_secrets(), letters.tokens, destroyed].concat())?;
    let places = kept.settle(folder.path()).await?;
    let searched: Vec<_> = places.iter().chain(&args.search).cloned().collect();
    for place in &searched {
        leaks.extend(search(&hunt, place)?);
        output.note(&format!("searched {}", place.display()))?;
    }
    leaks.extend(kept::still_opening(&keys, walk.shares(), &places)?);
    leaks.sort();
    leaks.dedup();
    Ok(Found {
        leaks,
        requests,
        routes: routes.len(),
        letters: letters.count,
        log_bytes: text.len(),
        searched,
    })
}

/// A platform whose letters go into a folder, which is made.
fn platform(
    store: Arc<dyn Store>,
    clock: Arc<AtomicClock>,
    keys: Arc<MasterKeys>,
    letters: &Path,
) -> anyhow::Result<Platform> {
    fs::create_dir(letters).context("failed to make a folder for letters")?;
    let carrier = Carrier::Folder(letters.to_owned());
    let mail = Mail::new(carrier, "spots@example.org", "https://spots.example.org")?;
    let settings = Settings {
        mail: Some(mail),
        ..Settings::default()
    };
    let random = Arc::new(SystemRandomness);
    Ok(Platform::new(store, clock, keys, random, settings)?)
}

fn search(hunt: &Hunt, place: &Path) -> anyhow::Result<Vec<Leak>> {
    let found = if place.is_dir() {
        hunt.search_folder(place)
    } else {
        hunt.search_file(place)
    };
    found.with_context(|| format!("failed to search {}", place.display()))
}

/// A log that is kept.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
