//! `spots import`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;
use spots_booking::calendar::{self, Import, Options};
use spots_booking::{EventId, EventType, HostId, Stream};
use spots_clock::AtomicClock;
use spots_privacy::consent::sha256;
use spots_privacy::{SystemRandomness, random};
use spots_store::journal::{Append, Evidence, NewEntry};
use spots_store::model::EventToAdd;
use spots_store::{Stamp, Store};

use super::serve::{Database, runtime};
use crate::output::Output;

/// What to import, and for whom.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The calendar, an iCalendar file.
    file: PathBuf,

    /// The host whose events they become.
    #[arg(long, value_name = "HOST_ID")]
    host: HostId,

    /// What kind of events they become, for example `community_event`.
    #[arg(long, value_name = "TYPE")]
    event_type: EventType,

    /// The zone of times that name none, as an IANA name.
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: String,

    /// How many days ahead recurrences are expanded.
    #[arg(long, default_value_t = 365, value_name = "DAYS",
          value_parser = clap::value_parser!(u16).range(1..=1830))]
    days: u16,

    /// Places per date; none for no limit.
    #[arg(long, value_name = "PLACES")]
    capacity: Option<u32>,

    /// The largest party of one booking.
    #[arg(long, default_value_t = 10, value_name = "PEOPLE")]
    party_max: u32,

    /// Show what would be imported and store nothing.
    #[arg(long)]
    dry_run: bool,

    /// The database, as for `spots serve`.
    #[arg(
        long,
        env = "SPOTS_DATABASE_URL",
        default_value = "sqlite://spots.db",
        value_name = "URL"
    )]
    database_url: String,
}

pub(crate) fn run(args: &ImportArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let bytes = fs::read(&args.file)
        .with_context(|| format!("failed to read the calendar {}", args.file.display()))?;
    let now = AtomicClock::volatile()?.now()?;
    let import = read(args, &bytes, Stamp::from(now).timestamp())?;
    show(&import, output)?;
    if args.dry_run || import.events.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let events = import
        .events
        .into_iter()
        .map(|event| EventToAdd {
            id: EventId::from_random(random::bytes(&SystemRandomness)),
            offer: event.offer,
            source_uid: event.uid,
        })
        .collect();
    let added = runtime()?.block_on(async {
        let store = Database::parse(&args.database_url)?
            .open(None, output)
            .await?;
        if store.lookup_host(args.host).await?.is_none() {
            bail!(
                "there is no host {}; `GET /api/v1/me/hosts` lists yours",
                args.host
            );
        }
        let added = store.add_events(args.host, events).await?;
        note(store.as_ref(), added.len()).await?;
        store.leave_order().await?;
        Ok(added)
    })?;
    let new = added.iter().filter(|(_, new)| *new).count();
    output.line(&format!(
        "{new} events added, {} updated",
        added.len() - new
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Enters the import among the operations of operators.
async fn note(store: &dyn Store, events: usize) -> anyhow::Result<()> {
    let now = Stamp::from(AtomicClock::volatile()?.now()?);
    let body = json!({ "entries": events, "operation": "events-imported" }).to_string();
    let entry = NewEntry {
        key: format!("events-imported-{}", now.at_ns),
        digest: sha256(body.as_bytes()),
        kind: "performed".to_owned(),
        subject: None,
        body,
        evidence: Evidence {
            latest_ns: now.at_ns,
            ..Evidence::default()
        },
    };
    let append = Append {
        stream: Stream::Admin,
        actor: "server:spots-import".to_owned(),
        entries: vec![entry],
    };
    store.append_journal(append).await?;
    Ok(())
}

fn read(args: &ImportArgs, bytes: &[u8], now: Timestamp) -> anyhow::Result<Import> {
    let ahead = (i64::from(args.days) * 24).hours();
    let options = Options {
        event_type: args.event_type,
        time_zone: args.time_zone.clone(),
        from: now,
        until: now
            .checked_add(ahead)
            .context("failed to count the days ahead")?,
        minutes_default: Some(60),
        capacity: args.capacity,
        party_max: args.party_max,
    };
    calendar::read(bytes, &options)
        .with_context(|| format!("failed to import {}", args.file.display()))
}

fn show(import: &Import, output: &mut Output) -> anyhow::Result<()> {
    for event in &import.events {
        let dates = event
            .offer
            .slots_from(Timestamp::MIN, Timestamp::MIN, usize::MAX)
            .len();
        output.line(&format!(
            "line {}: {} ({dates} dates)",
            event.line, event.offer.title
        ))?;
    }
    for skipped in &import.skipped {
        output.line(&format!(
            "line {}: skipped {}: {}",
            skipped.line, skipped.what, skipped.why
        ))?;
    }
    Ok(())
}
