//! `spots verify`.

mod kept;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use spots_clock::AtomicClock;
use spots_privacy::{MasterKeys, SystemRandomness};
use spots_web::leaks::{Hunt, Leak, Secret, Walk, Walked};
use spots_web::{Platform, Settings};
use tempfile::TempDir;

use self::kept::Kept;
use super::serve::runtime;
use crate::output::{Output, TextFormat};

#[derive(Debug, Subcommand)]
pub(crate) enum VerifyCommand {
    /// Send people with data that occurs nowhere else through every route, page and error; then
    /// search the answers, the log, the database's files and a backup for that data, for agent ids
    /// and for destroyed keys. Exits 0 (nothing came out), 1 (something did) or 2 (cannot tell).
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
    let random = Arc::new(SystemRandomness);
    let settings = Settings::default();
    let platform = Platform::new(store, clock, Arc::clone(&keys), random, settings)?;
    let document = serde_json::to_value(spots_web::openapi())?;

    let walk = Walk::begin(spots_web::router(platform), &SystemRandomness).await?;
    let wrapped = kept.wrapped_keys().await?;
    if wrapped.is_empty() {
        bail!("nothing that was shared has a key; this proves nothing");
    }
    let Walked {
        requests,
        routes,
        mut leaks,
    } = walk.everywhere(&document).await?;
    output.note(&format!("{requests} requests to {} routes", routes.len()))?;

    let text = log.take();
    if text.is_empty() {
        bail!("nothing was logged; this proves nothing");
    }
    output.note(&format!("{} bytes of log at trace level", text.len()))?;
    leaks.extend(Hunt::new(&walk.secrets())?.search("the log", &text));
    // Ids stand in the database; data must not, and a destroyed key must be gone.
    let mut secrets = walk.stored_secrets();
    secrets.extend(wrapped.iter().map(|(_, bytes)| Secret {
        what: "destroyed key",
        bytes: bytes.clone(),
    }));
    let hunt = Hunt::new(&secrets)?;
    let places = kept.settle(folder.path()).await?;
    let searched: Vec<_> = places.iter().chain(&args.search).cloned().collect();
    for place in &searched {
        let found = if place.is_dir() {
            hunt.search_folder(place)
        } else {
            hunt.search_file(place)
        };
        let found = found.with_context(|| format!("failed to search {}", place.display()))?;
        leaks.extend(found);
        output.note(&format!("searched {}", place.display()))?;
    }
    leaks.extend(kept::still_opening(&keys, walk.shares(), &places)?);
    leaks.sort();
    leaks.dedup();
    Ok(Found {
        leaks,
        requests,
        routes: routes.len(),
        log_bytes: text.len(),
        searched,
    })
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
