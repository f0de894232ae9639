//! Settings of the server: declared once as flags, read from flags, the environment and a file.
//!
//! A flag beats the environment, the environment beats the file, the file beats the default. The
//! file's keys are the flags' names, so there is no second list to keep.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser as _, ValueEnum};
use spots_clock::sync::TimeScale;

use zeroize::Zeroizing;

use crate::commands::{Cli, Command};
use crate::keyring::KeyPlace;

/// The largest configuration file, in bytes.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// How `spots serve` is set up.
#[derive(Clone, Debug, Args)]
pub(crate) struct ServerSettings {
    /// A TOML file with any of these settings, by the names of the flags.
    #[arg(long, env = "SPOTS_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// The database: `sqlite://FILE`, or `postgres://USER@HOST/NAME` for several servers.
    #[arg(
        long,
        env = "SPOTS_DATABASE_URL",
        default_value = "sqlite://spots.db",
        value_name = "URL"
    )]
    pub(crate) database_url: String,

    /// The address to listen on.
    #[arg(
        long,
        env = "SPOTS_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS"
    )]
    pub(crate) listen: SocketAddr,

    #[command(flatten)]
    pub(crate) keys: KeyPlace,

    /// Hours that an epoch lasts; 0 for none. What was taken back becomes unreadable in old copies
    /// of the database when the epochs of its time are destroyed. 24 on PostgreSQL, 0 on SQLite.
    #[arg(long, env = "SPOTS_EPOCH_HOURS", value_name = "HOURS",
          value_parser = clap::value_parser!(u16).range(0..=8_784))]
    pub(crate) epoch_hours: Option<u16>,

    /// Epochs kept after they are over. Backups of their time can be restored, and opened.
    #[arg(long, env = "SPOTS_EPOCHS_KEPT", default_value_t = 7, value_name = "COUNT",
          value_parser = clap::value_parser!(u16).range(0..=400))]
    pub(crate) epochs_kept: u16,

    /// Where the atomic clock keeps its forward window; one directory a server.
    #[arg(
        long,
        env = "SPOTS_CLOCK_STATE",
        default_value = "spots-clock",
        value_name = "DIR"
    )]
    pub(crate) clock_state: PathBuf,

    /// A copy of the consent ledger outside the database: after an old backup is restored it tells
    /// what people took back since. Keep it apart from the database's backups.
    #[arg(long, env = "SPOTS_LEDGER_DIR", value_name = "DIR")]
    pub(crate) ledger_dir: Option<PathBuf>,

    /// PostgreSQL: what hosts' and visitors' reads log in as; `spots migrate roles` makes the role.
    #[arg(
        long,
        env = "SPOTS_HOST_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub(crate) host_database_url: Option<String>,

    /// PostgreSQL: what people's reads of their own log in as.
    #[arg(
        long,
        env = "SPOTS_ATTENDEE_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    pub(crate) attendee_database_url: Option<String>,

    /// Speak HTTPS with this certificate, PEM, the server's own first. SIGHUP reads it again.
    #[arg(long, env = "SPOTS_TLS_CERTIFICATE", value_name = "FILE", requires = "tls_key",
          conflicts_with_all = ["tls_self_signed", "https_proxy"])]
    pub(crate) tls_certificate: Option<PathBuf>,

    /// The certificate's private key, PEM, in a file that only its owner can read.
    #[arg(
        long,
        env = "SPOTS_TLS_KEY",
        value_name = "FILE",
        requires = "tls_certificate"
    )]
    pub(crate) tls_key: Option<PathBuf>,

    /// Speak HTTPS with a new certificate that nobody vouches for, to try it out.
    #[arg(long, env = "SPOTS_TLS_SELF_SIGNED", conflicts_with = "https_proxy")]
    pub(crate) tls_self_signed: bool,

    /// A command that sends one letter, which it gets on its standard input, to whoever stands in its
    /// `To:` line; run by `sh -c`. With it people can confirm their e-mail addresses.
    #[arg(
        long,
        env = "SPOTS_MAIL_COMMAND",
        value_name = "COMMAND",
        conflicts_with = "mail_folder"
    )]
    pub(crate) mail_command: Option<String>,

    /// In place of the command, a folder that gets one `.eml` file a letter, to try it out.
    #[arg(long, env = "SPOTS_MAIL_FOLDER", value_name = "DIR")]
    pub(crate) mail_folder: Option<PathBuf>,

    /// Whom letters come from.
    #[arg(long, env = "SPOTS_MAIL_FROM", value_name = "ADDRESS")]
    pub(crate) mail_from: Option<String>,

    /// Where people reach this server, for links in letters: `https://spots.example.org`.
    #[arg(long, env = "SPOTS_PUBLIC_URL", value_name = "URL")]
    pub(crate) public_url: Option<String>,

    /// Who may read the journal, as `spots operator add` writes it; nobody if there is no such file.
    #[arg(
        long,
        env = "SPOTS_OPERATOR_FILE",
        default_value = "spots.operators",
        value_name = "FILE"
    )]
    pub(crate) operator_file: PathBuf,

    /// An address of its own for `/metrics`. Without it, `/metrics` answers programs on this machine
    /// at the address above, and nobody where a proxy is in front.
    #[arg(long, env = "SPOTS_METRICS_LISTEN", value_name = "ADDRESS")]
    pub(crate) metrics_listen: Option<SocketAddr>,

    /// How the system clock counts leap seconds; clients never mix the two.
    #[arg(long, env = "SPOTS_TIME_SCALE", default_value = "posix", value_enum)]
    pub(crate) time_scale: Scale,

    /// A proxy in front speaks HTTPS: cookies are bound to it, and addresses beyond this machine
    /// may be listened on.
    #[arg(long, env = "SPOTS_HTTPS_PROXY")]
    pub(crate) https_proxy: bool,

    /// Passwords hashed side by side; each takes 19 MiB and some 20 ms of one core.
    #[arg(long, env = "SPOTS_PASSWORD_WORKERS", default_value_t = 2, value_name = "COUNT",
          value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) password_workers: u16,

    /// Seconds after which a request is given up.
    #[arg(long, env = "SPOTS_REQUEST_SECONDS", default_value_t = 30, value_name = "SECONDS",
          value_parser = clap::value_parser!(u16).range(1..=600))]
    pub(crate) request_seconds: u16,

    /// What to log: `error`, `warn`, `info`, `debug`, `trace`, or a list like `info,spots_web=debug`.
    #[arg(long, env = "SPOTS_LOG", default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,

    /// How to log.
    #[arg(long, env = "SPOTS_LOG_FORMAT", default_value = "text", value_enum)]
    pub(crate) log_format: LogFormat,
}

/// How leap seconds are counted.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Scale {
    /// A leap second is a second that happens twice.
    Posix,
    /// A leap second is spread over the hours around it, as some providers' time servers do.
    Smeared,
}

impl From<Scale> for TimeScale {
    fn from(scale: Scale) -> Self {
        match scale {
            Scale::Posix => Self::Posix,
            Scale::Smeared => Self::Smeared,
        }
    }
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why the command line could not be read.
pub(crate) enum Unread {
    /// Clap says so, or was asked for help.
    CommandLine(clap::Error),
    /// The configuration file is at fault.
    File(anyhow::Error),
}

/// Reads the command line, and the configuration file that it or the environment names.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Cli, Unread> {
    let first = Cli::try_parse_from(arguments).map_err(Unread::CommandLine)?;
    let Command::Serve(settings) = &first.command else {
        return Ok(first);
    };
    let Some(path) = &settings.config else {
        return Ok(first);
    };
    let file = read(path)
        .with_context(|| format!("failed to read the configuration file {}", path.display()))
        .map_err(Unread::File)?;
    let command = Cli::command().mut_subcommand("serve", |serve| {
        file.into_iter().fold(serve, |serve, (id, value)| {
            serve.mut_arg(id, |argument| argument.default_value(value))
        })
    });
    let matches = command
        .try_get_matches_from(arguments)
        .map_err(Unread::CommandLine)?;
    Cli::from_arg_matches(&matches).map_err(Unread::CommandLine)
}

/// The text of a key file, where the environment holds it.
pub(crate) fn key_text_from_environment() -> Option<Zeroizing<String>> {
    #[expect(clippy::disallowed_methods, reason = "configuration is read here")]
    std::env::var("SPOTS_KEYS").ok().map(Zeroizing::new)
}

/// The settings of a file: argument ids with their values as text.
fn read(path: &Path) -> anyhow::Result<Vec<(String, String)>> {
    if fs::metadata(path)?.len() > FILE_BYTES_MAX {
        bail!("it is larger than {FILE_BYTES_MAX} bytes");
    }
    let table: toml::Table = fs::read_to_string(path)?.parse()?;
    let serve = Cli::command();
    let serve = serve
        .find_subcommand("serve")
        .context("there is a command `serve`")?;
    let known: Vec<_> = serve
        .get_arguments()
        .filter_map(|argument| argument.get_long())
        .collect();
    table
        .into_iter()
        .map(|(key, value)| {
            if key == "config" || !known.contains(&key.as_str()) {
                let known: Vec<_> = known
                    .iter()
                    .filter(|name| **name != "config")
                    .copied()
                    .collect();
                bail!(
                    "`{key}` is not a setting; the settings are: {}",
                    known.join(", ")
                );
            }
            let text = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(truth) => truth.to_string(),
                _ => bail!("`{key}` takes a text, a number, or true or false"),
            };
            Ok((key.replace('-', "_"), text))
        })
        .collect()
}
