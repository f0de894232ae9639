//! `spots serve`.

mod keeper;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use spots_clock::AtomicClock;
use spots_migrate::{Event, Progress};
use spots_privacy::{MasterKeys, SystemRandomness};
use spots_store::{PostgresAddress, PostgresOptions, PostgresStore, SqliteStore, Store};
use spots_web::service::{self, Ctx, Operators};
use spots_web::tls::Certificate;
use spots_web::{Carrier, Mail, Platform, Settings};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use self::keeper::{EpochSettings, Keeper};
use super::transport::Transport;
use super::{keys, ledger, operator};
use crate::config::{LogFormat, ServerSettings};
use crate::keyring::{EpochFile, KeyPlace};
use crate::output::{Output, takes_colour};

/// How long an epoch lasts on PostgreSQL.
const EPOCH_HOURS: u16 = 24;

pub(crate) fn run(settings: &ServerSettings, output: &mut Output) -> anyhow::Result<ExitCode> {
    let transport = Transport::of(settings)?;
    let mail = mail(settings)?;
    start_log(&settings.log, settings.log_format)?;
    runtime()?.block_on(async {
        let database = Database::parse(&settings.database_url)?;
        let logins = Logins::of(settings, &database)?;
        let operators = operator::read(&settings.operator_file)?;
        let keys = Arc::new(load_keys(&settings.keys, database.exists(), output)?);
        let clock = AtomicClock::open(&settings.clock_state).with_context(|| {
            format!(
                "failed to open the clock's state in {}",
                settings.clock_state.display()
            )
        })?;
        let clock = Arc::new(clock);
        let certificate = transport.certificate(settings, &clock, output)?;
        let store = database
            .open_behind(logins, Arc::clone(&clock), output)
            .await?;
        keys::check(store.as_ref(), &keys).await?;
        if let Some(directory) = &settings.ledger_dir {
            ledger::check_standing(store.as_ref(), &keys, directory).await?;
        }
        let node = store.join_order().await?;
        tracing::info!(
            node = node.node(),
            incarnation = node.incarnation(),
            "takes its place in the order"
        );
        let keeper = Keeper {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            keys: Arc::clone(&keys),
            random: Arc::new(SystemRandomness),
            reread: settings.keys.is_file(),
            epochs: epochs(settings, &database),
        };
        let platform = Platform::new(
            Arc::clone(&store),
            clock,
            keys,
            Arc::new(SystemRandomness),
            web_settings(settings, transport, (operators, mail)),
        )?;
        let keeping = tokio::spawn(keeper.keep());
        let served = serve_until_stopped(settings, certificate.as_ref(), platform, output).await;
        keeping.abort();
        served?;
        store.leave_order().await?;
        output.note("stopped")?;
        Ok(ExitCode::SUCCESS)
    })
}

fn web_settings(
    settings: &ServerSettings,
    transport: Transport,
    (operators, mail): (Operators, Option<Mail>),
) -> Settings {
    Settings {
        mail,
        https: transport.is_https(),
        password_workers: usize::from(settings.password_workers),
        request_timeout: Duration::from_secs(u64::from(settings.request_seconds)),
        scale: settings.time_scale.into(),
        operators,
        ledger_dir: settings.ledger_dir.clone(),
        metrics_at_home: settings.metrics_listen.is_none()
            && transport != Transport::Proxy
            && settings.listen.ip().is_loopback(),
    }
}

/// How letters go out, if they do.
fn mail(settings: &ServerSettings) -> anyhow::Result<Option<Mail>> {
    let carrier = match (&settings.mail_command, &settings.mail_folder) {
        (Some(command), _) => Carrier::Command(command.clone()),
        (None, Some(folder)) => Carrier::Folder(folder.clone()),
        (None, None) => return Ok(None),
    };
    let (Some(from), Some(site)) = (&settings.mail_from, &settings.public_url) else {
        bail!(
            "letters need a sender and a link to this server; say --mail-from ADDRESS and \
             --public-url https://…"
        );
    };
    if let Carrier::Folder(folder) = &carrier
        && !folder.is_dir()
    {
        bail!("{} is no folder; make it first", folder.display());
    }
    let mail = Mail::new(carrier, from, site);
    Ok(Some(mail.context("failed to set up mail")?))
}

async fn serve_until_stopped(
    settings: &ServerSettings,
    certificate: Option<&Certificate>,
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
    let scheme = if certificate.is_some() {
        "https"
    } else {
        "http"
    };
    output.line(&format!(
        "SPOTS listens on {scheme}://{}",
        listener.local_addr()?
    ))?;
    spots_web::serve(listener, certificate, platform.clone(), stop_signal()?).await?;
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
        // Colours are for people, not for a file or a journal.
        .with_ansi(takes_colour(&std::io::stderr()))
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
        if PostgresAddress::is_url(url) {
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

    /// Opens it with the logins of hosts' and of attendees' reads, where there are some.
    async fn open_behind(
        &self,
        logins: Logins<'_>,
        clock: Arc<AtomicClock>,
        output: &mut Output,
    ) -> anyhow::Result<Arc<dyn Store>> {
        let Self::Postgres(url) = self else {
            return self.open(Some(clock), output).await;
        };
        let mut progress = Migrations { output };
        let store = PostgresStore::connect(url, PostgresOptions::default(), &mut progress).await?;
        let mut store = store.with_clock(clock);
        for (role, url) in [("host", logins.host), ("attendee", logins.attendee)] {
            if url.is_none() {
                tracing::warn!(
                    "the {role}s' reads log in as the platform: the wall between them is this \
                     program's alone; run `spots migrate roles` and say --{role}-database-url"
                );
            }
        }
        if let Some(url) = logins.host {
            store = store.with_host_role(url).await?;
        }
        if let Some(url) = logins.attendee {
            store = store.with_attendee_role(url).await?;
        }
        Ok(Arc::new(store))
    }
}

/// The URLs of roles besides the platform's.
#[derive(Clone, Copy)]
struct Logins<'a> {
    host: Option<&'a str>,
    attendee: Option<&'a str>,
}

impl<'a> Logins<'a> {
    fn of(settings: &'a ServerSettings, database: &Database) -> anyhow::Result<Self> {
        let logins = Self {
            host: settings.host_database_url.as_deref(),
            attendee: settings.attendee_database_url.as_deref(),
        };
        let named = logins.host.or(logins.attendee).is_some();
        if named && matches!(database, Database::Sqlite(_)) {
            bail!(
                "--host-database-url and --attendee-database-url are for PostgreSQL; on SQLite \
                 hosts' reads have a connection of their own anyway"
            );
        }
        Ok(logins)
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

/// How epochs turn: by themselves on PostgreSQL, where a destroyed key stays readable for a while in
/// dead rows, logs and replicas; on SQLite if the operator wants them.
fn epochs(settings: &ServerSettings, database: &Database) -> Option<EpochSettings> {
    let hours = settings.epoch_hours.unwrap_or(match database {
        Database::Sqlite(_) => 0,
        Database::Postgres(_) => EPOCH_HOURS,
    });
    (hours > 0).then(|| EpochSettings {
        file: EpochFile(settings.keys.epoch_file.clone()),
        hours,
        kept: settings.epochs_kept,
    })
}

/// Reads the master keys. At the first start, before there is a database, it makes them.
fn load_keys(place: &KeyPlace, database: bool, output: &mut Output) -> anyhow::Result<MasterKeys> {
    if place.is_file() && !place.key_file.exists() && !database {
        keys::make(&place.key_file, output)?;
    }
    place.read()
}
