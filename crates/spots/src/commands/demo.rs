//! `spots demo`.

mod seed;

use std::fs;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use spots_clock::AtomicClock;
use spots_migrate::Silent;
use spots_privacy::{MasterKeys, SystemRandomness};
use spots_store::SqliteStore;
use spots_web::{Carrier, Mail, Platform, Settings};
use tokio::net::TcpListener;

use super::serve::{runtime, start_log, stop_signal};
use crate::config::LogFormat;
use crate::output::Output;

/// How to try it.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The address to listen on; port 0 takes any that is free.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,

    /// What to log.
    #[arg(long, default_value = "warn", value_name = "FILTER")]
    log: String,
}

pub(crate) fn run(args: &DemoArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    start_log(&args.log, LogFormat::Text)?;
    let folder = tempfile::tempdir().context("failed to make a temporary folder")?;
    runtime()?.block_on(async {
        let listener = listen(args.listen, output).await?;
        output.note("making a temporary database with hosts, events and people …")?;
        let clock = Arc::new(AtomicClock::open(&folder.path().join("clock"))?);
        let store = SqliteStore::open(&folder.path().join("demo.db"), &mut Silent)?;
        let store = store.with_clock(Arc::clone(&clock));
        let address = listener.local_addr()?;
        let letters = folder.path().join("letters");
        fs::create_dir(&letters).context("failed to make a folder for letters")?;
        let carrier = Carrier::Folder(letters.clone());
        let mail = Mail::new(carrier, "spots@demo.example", &format!("http://{address}"))?;
        let settings = Settings {
            mail: Some(mail),
            ..Settings::default()
        };
        let platform = Platform::new(
            Arc::new(store),
            clock,
            Arc::new(MasterKeys::generate(&SystemRandomness)),
            Arc::new(SystemRandomness),
            settings,
        )?;
        let people = seed::plant(&platform).await?;
        output.line(&format!("\nSPOTS listens on http://{address}\n"))?;
        output.line(&format!(
            "Sign in with any of these; the password is {}\n",
            seed::PASSWORD
        ))?;
        for person in people {
            output.line(&format!("  {:<28}{}", person.email, person.role))?;
        }
        output.line(&format!(
            "\nThe API: http://{address}/docs/api\nLetters: {}\nStop with Ctrl-C; everything is \
             deleted then.\n",
            letters.display()
        ))?;
        spots_web::serve(listener, None, platform, stop_signal()?).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Listens where it was asked to, or on a free port where that one is taken.
async fn listen(address: SocketAddr, output: &mut Output) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(cause) if cause.kind() == std::io::ErrorKind::AddrInUse => {
            output.note(&format!(
                "{address} is taken by another program; taking a free port"
            ))?;
            let free = SocketAddr::new(address.ip(), 0);
            TcpListener::bind(free)
                .await
                .with_context(|| format!("failed to listen on {free}"))
        }
        Err(cause) => Err(cause).with_context(|| format!("failed to listen on {address}")),
    }
}
