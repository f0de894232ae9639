//! `spots serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use spots_clock::AtomicClock;
use spots_migrate::{Event, Progress};
use spots_privacy::{MasterKeys, SystemRandomness};
use spots_store::{PostgresOptions, PostgresStore, SqliteStore, Store};
use spots_web::service::{self, Ctx, Operators};
use spots_web::{Platform, Settings};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{keys, operator};
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
        let operators = operator::read(&settings.operator_file)?;
        let keys = load_keys(&settings.key_file, database.exists(), output)?;
        let clock = AtomicClock::open(&settings.clock_state).with_context(|| {
            format!(
                "failed to open the clock's state in {}",
                settings.clock_state.display()
            )
        })?;
        let clock = Arc::new(clock);
        let store = database.open(Some(Arc::clone(&clock)), output).await?;
        let node = store.join_order().await?;
        tracing::info!(
            node = node.node(),
            incarnation = node.incarnation(),
            "takes its place in the order"
        );
        let platform = Platform::new(
            Arc::clone(&store),
            clock,
            Arc::new(keys),
            Arc::new(SystemRandomness),
            web_settings(settings, operators),
        )?;
        serve_until_stopped(settings, platform, output).await?;
        store.leave_order().await?;
        output.note("stopped")?;
        Ok(ExitCode::SUCCESS)
    })
}

fn web_settings(settings: &ServerSettings, operators: Operators) -> Settings {
    Settings {
        https: settings.https_proxy,
        password_workers: usize::from(settings.password_workers),
        request_timeout: Duration::from_secs(u64::from(settings.request_seconds)),
        scale: settings.time_scale.into(),
        operators,
        metrics_at_home: settings.metrics_listen.is_none() && !settings.https_proxy,
    }
}

async fn serve_until_stopped(
    settings: &ServerSettings,
    platform: Platform,
    output: &mut Output,
) -> anyhow::Result<()> {
    let listener = listen(settings.listen).await?;
    if let Some(address) = settings.metrics_listen {
        let metrics = listen(address).await?;
        output.note(&format!(
            "metrics on http://{}/metrics",
            metrics.local_addr()?
        ))?;
        let served = spots_web::serve_metrics(metrics, platform.clone(), stop_signal()?);
        // It ends with the process; what breaks there does not end the service.
        drop(tokio::spawn(served));
    }
    service::note_operation(&Ctx::begin(&platform)?, "spots-serve", "server-started").await?;
    output.line(&format!(
        "SPOTS listens on http://{}",
        listener.local_addr()?
    ))?;
    spots_web::serve(listener, platform.clone(), stop_signal()?).await?;
    service::note_operation(&Ctx::begin(&platform)?, "spots-serve", "server-stopped").await?;
    Ok(())
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("failed to listen on {address}"))
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
    /// Without a clock, what is stamped in its own transactions is stamped by one of the store's.
    pub(crate) async fn open(
        &self,
        clock: Option<Arc<AtomicClock>>,
        output: &mut Output,
    ) -> anyhow::Result<Arc<dyn Store>> {
        let mut progress = Migrations { output };
        Ok(match self {
            Self::Sqlite(path) => {
                let store = SqliteStore::open(path, &mut progress)?;
                Arc::new(match clock {
                    Some(clock) => store.with_clock(clock),
                    None => store,
                })
            }
            Self::Postgres(url) => {
                let options = PostgresOptions::default();
                let store = PostgresStore::connect(url, options, &mut progress).await?;
                Arc::new(match clock {
                    Some(clock) => store.with_clock(clock),
                    None => store,
                })
            }
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
