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

use super::keys;
use super::transport::Transport;
use crate::config::{LogFormat, ServerSettings};
use crate::output::Output;

pub(crate) fn run(settings: &ServerSettings, output: &mut Output) -> anyhow::Result<ExitCode> {
    let transport = Transport::of(settings)?;
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
        let certificate = transport.certificate(settings, &clock, output)?;
        let roles = (
            settings.host_database_url.as_deref(),
            settings.attendee_database_url.as_deref(),
        );
        let store = database.open_behind(roles, output).await?;
        let web = Settings {
            https: transport.is_https(),
            password_workers: usize::from(settings.password_workers),
            request_timeout: Duration::from_secs(u64::from(settings.request_seconds)),
        };
        let random = Arc::new(SystemRandomness);
        let platform = Platform::new(store, Arc::new(clock), Arc::new(keys), random, web)?;
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("failed to listen on {}", settings.listen))?;
        let scheme = if certificate.is_some() {
            "https"
        } else {
            "http"
        };
        output.line(&format!(
            "SPOTS listens on {scheme}://{}",
            listener.local_addr()?
        ))?;
        spots_web::serve(listener, certificate.as_ref(), platform, stop_signal()?).await?;
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

    /// Opens it with the logins of hosts' and of attendees' reads, where there are some.
    async fn open_behind(
        &self,
        (host, attendee): (Option<&str>, Option<&str>),
        output: &mut Output,
    ) -> anyhow::Result<Arc<dyn Store>> {
        let Self::Postgres(url) = self else {
            if host.or(attendee).is_some() {
                bail!(
                    "--host-database-url and --attendee-database-url are for PostgreSQL; on SQLite \
                     hosts' reads have a connection of their own anyway"
                );
            }
            return self.open(output).await;
        };
        let mut progress = Migrations { output };
        let mut store =
            PostgresStore::connect(url, PostgresOptions::default(), &mut progress).await?;
        for (role, missing) in [("host", host.is_none()), ("attendee", attendee.is_none())] {
            if missing {
                tracing::warn!(
                    "the {role}s' reads log in as the platform: the wall between them is this \
                     program's alone; run `spots migrate roles` and say --{role}-database-url"
                );
            }
        }
        if let Some(url) = host {
            store = store.with_host_role(url).await?;
        }
        if let Some(url) = attendee {
            store = store.with_attendee_role(url).await?;
        }
        Ok(Arc::new(store))
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
