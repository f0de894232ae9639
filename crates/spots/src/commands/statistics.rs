//! `spots statistics`: counts in which nobody can be recognised.

use std::process::ExitCode;

use clap::Args;
use jiff::civil::Date;
use spots_web::service::{COUNTED_PEOPLE_MIN, bookings_by_day};

use super::serve::{Database, runtime};
use crate::output::Output;

/// Bookings by event type and day.
#[derive(Debug, Args)]
pub(crate) struct StatisticsArgs {
    /// The database, as for `spots serve`.
    #[arg(
        long,
        env = "SPOTS_DATABASE_URL",
        default_value = "sqlite://spots.db",
        value_name = "URL"
    )]
    database_url: String,
    /// The first day, in UTC.
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Date,
    /// How many days.
    #[arg(long, default_value_t = 30, value_name = "DAYS",
          value_parser = clap::value_parser!(u32).range(1..=400))]
    days: u32,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &StatisticsArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let counts = runtime()?.block_on(async {
        let store = Database::parse(&args.database_url)?
            .open(None, output)
            .await?;
        anyhow::Ok(bookings_by_day(store.as_ref(), args.from, args.days).await?)
    })?;
    if args.json {
        let counts: Vec<_> = counts
            .iter()
            .map(|count| {
                serde_json::json!({
                    "day": count.day.to_string(),
                    "eventType": count.event_type.as_str(),
                    "bookings": count.bookings,
                })
            })
            .collect();
        let body = serde_json::json!({
            "countedPeopleMin": COUNTED_PEOPLE_MIN,
            "counts": counts,
        });
        output.line(&serde_json::to_string_pretty(&body)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    for count in &counts {
        let bookings = count.bookings.map_or_else(
            || format!("fewer than {COUNTED_PEOPLE_MIN} people"),
            |bookings| bookings.to_string(),
        );
        let (day, event_type) = (count.day, count.event_type.as_str());
        output.line(&format!("{day}  {event_type:<16} {bookings}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
