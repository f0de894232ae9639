//! `spots serve`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use spots_clock::AtomicClock;
use spots_migrate::{Event, Progress};
use spots_privacy::{MasterKeys, SystemRandomness};
use spots_store::{PostgresOptions, PostgresStore, SqliteStore, Store};
use spots_web::{Platform, Settings};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{keys, ledger};
use crate::config::{LogFormat, ServerSettings};
use crate::output::Output;

pub(crate) fn run(settings: &ServerSettings, output: &mut Output) -> anyhow::Result<ExitCode> {
    if !settings.listen.ip().is_loopback() && !settings.https_proxy {
        bail!(
            "{} can be reached from other machines, and this server does not speak HTTPS itself; \
             listen on 127.0.0.1, or put a proxy that does in front and say --https-proxy",
            settings.listen
        );
    }
    start_log(&settings.log, settings.log_format)?;
    runtime()?.block_on(async {
        let database = Database::parse(&settings.database_url)?;
        let keys = load_keys(&settings.key_file, database.exists(), output)?;
        let clock = AtomicClock::open(&settings.clock_state).with_context(|| {
            format!(
                "failed to open the clock's state in {}",
                settings.clock_state.display()
            )
        })?;
        let store = database.open(output).await?;
        if let Some(directory) = &settings.ledger_dir {
            ledger::check_standing(store.as_ref(), &keys, directory).await?;
        }
        let web = Settings {
            https: settings.https_proxy,
            password_workers: usize::from(settings.password_workers),
            request_timeout: Duration::from_secs(u64::from(settings.request_seconds)),
            ledger_dir: settings.ledger_dir.clone(),
        };
        let random = Arc::new(SystemRandomness);
        let platform = Platform::new(store, Arc::new(clock), Arc::new(keys), random, web)?;
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("failed to listen on {}", settings.listen))?;
        output.line(&format!(
            "SPOTS listens on http://{}",
            listener.local_addr()?
        ))?;
        spots_web::serve(listener, platform, stop_signal()?).await?;
        output.note("stopped")?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The runtime that a server runs on.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder
        .enable_all()
        .build()
        .context("failed to start the runtime")
}

/// Logs to standard error.
pub(crate) fn start_log(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)
        .with_context(|| format!("`{filter}` is not a log filter; try `info`"))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

/// Ends when the process is asked to stop.
pub(crate) fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Which database a URL names.
#[derive(Debug)]
pub(crate) enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(String),
}

impl Database {
    /// Reads a database URL.
    pub(crate) fn parse(url: &str) -> anyhow::Result<Self> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            if path.is_empty() {
                bail!("the database URL names no file; try sqlite://spots.db");
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        bail!("the database URL begins with sqlite:// or postgres://")
    }

    /// Whether there is something that keys may have sealed: then lost keys are not replaced.
    fn exists(&self) -> bool {
        match self {
            Self::Sqlite(path) => path.exists(),
            Self::Postgres(_) => true,
        }
    }

    /// Opens it and brings its schema up to date, with progress.
    pub(crate) async fn open(&self, output: &mut Output) -> anyhow::Result<Arc<dyn Store>> {
        let mut progress = Migrations { output };
        Ok(match self {
            Self::Sqlite(path) => Arc::new(SqliteStore::open(path, &mut progress)?),
            Self::Postgres(url) => Arc::new(
                PostgresStore::connect(url, PostgresOptions::default(), &mut progress).await?,
            ),
        })
    }
}

/// Tells how the schema comes up to date.
struct Migrations<'a> {
    output: &'a mut Output,
}

impl Progress for Migrations<'_> {
    fn tell(&mut self, event: Event) {
        let text = match event {
            Event::Started { id, number, total } => format!("migration {number} of {total}: {id}"),
            Event::Waiting { holder, .. } => format!("waiting for {holder}"),
            Event::Batch { id, done, total } => format!("{id}: {done} of {total} rows"),
            _ => return,
        };
        // Progress that cannot be shown is no reason to stop.
        drop(self.output.note(&text));
    }
}

/// Reads the master keys. At the first start, before there is a database, it makes them.
fn load_keys(path: &Path, database: bool, output: &mut Output) -> anyhow::Result<MasterKeys> {
    if !path.exists() && !database {
        return keys::make(path, output);
    }
    keys::read(path)
}
