//! `spots clock now`, `status`, `repair`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;
use spots_clock::{
    AtomicClock, AtomicTimestamp, Inspection, KernelClock, RepairError, SystemSource, WindowRecord,
    inspect, rfc3339,
};

use crate::output::{Output, TextFormat};

/// How many timestamps one call issues at most.
const COUNT_MAX: u64 = 1_000_000;

#[derive(Debug, Args)]
pub(crate) struct NowArgs {
    /// How many timestamps.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=COUNT_MAX))]
    count: u64,
    /// Where the clock remembers how far it got; without it, nothing orders two calls.
    #[arg(long, value_name = "DIR", env = "SPOTS_CLOCK_STATE")]
    state: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = TextFormat::Text)]
    format: TextFormat,
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Where the clock remembers how far it got.
    #[arg(long, value_name = "DIR", env = "SPOTS_CLOCK_STATE")]
    state: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = TextFormat::Text)]
    format: TextFormat,
}

#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    /// Where the clock remembers how far it got.
    #[arg(long, value_name = "DIR", env = "SPOTS_CLOCK_STATE")]
    state: PathBuf,
    /// You have checked that the system clock is right.
    #[arg(long)]
    trust_system_clock: bool,
}

pub(crate) fn now(args: &NowArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let clock = match &args.state {
        Some(directory) => AtomicClock::open(directory)?,
        None => AtomicClock::volatile()?,
    };
    if args.format == TextFormat::Text {
        output.line(&format!(
            "{:36}  {:30}  error bound",
            "timestamp id", "time"
        ))?;
    }
    // One by one: a range would run ahead of time, and the last one has to be written anyway.
    for _ in 0..args.count {
        let stamp = clock.now()?;
        output.line(&match args.format {
            TextFormat::Json => stamp.to_json(),
            TextFormat::Text => row(&stamp),
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(stamp: &AtomicTimestamp) -> String {
    format!(
        "{}  {}  {}",
        stamp.id(),
        rfc3339(stamp.nanoseconds()),
        bound(stamp.error_bound())
    )
}

fn bound(nanos: Option<u64>) -> String {
    match nanos {
        None => String::from("unknown"),
        Some(nanos) => format!("± {}.{:06} ms", nanos / 1_000_000, nanos % 1_000_000),
    }
}

pub(crate) fn status(args: &StatusArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let source = SystemSource::new();
    let Some(directory) = &args.state else {
        return machine_status(args.format, output);
    };
    let found = inspect(directory, &source)?;
    if args.format == TextFormat::Json {
        output.line(&inspection_json(&found).to_string())?;
    } else {
        for (name, value) in inspection_rows(&found) {
            output.line(&format!("{name:14}{value}"))?;
        }
    }
    Ok(if found.problem.is_some() {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

fn machine_status(format: TextFormat, output: &mut Output) -> anyhow::Result<ExitCode> {
    let clock = AtomicClock::volatile()?;
    let status = clock.status();
    if format == TextFormat::Json {
        let value = json!({
            "systemClock": rfc3339(status.device_time),
            "isSynchronized": status.error_bound.is_some(),
            "errorBound": status.error_bound.map(|nanos| nanos.to_string()),
            "resolution": status.resolution.to_string(),
            "precision": status.precision.as_str(),
        });
        output.line(&value.to_string())?;
    } else {
        output.line(&format!(
            "{:14}{}",
            "system clock",
            rfc3339(status.device_time)
        ))?;
        output.line(&format!(
            "{:14}{}",
            "error bound",
            bound(status.error_bound)
        ))?;
        output.line(&format!("{:14}{} ns", "resolution", status.resolution))?;
        output.note("hint: --state DIR shows the clock that remembers there")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn inspection_json(found: &Inspection) -> serde_json::Value {
    json!({
        "node": found.record.map(|record| record.identity.node()),
        "incarnation": found.record.map(|record| record.identity.incarnation()),
        "mark": found.record.map(|record| rfc3339(record.mark)),
        "inUse": found.in_use,
        "systemClock": rfc3339(found.system_clock),
        "isSynchronized": kernel_bound(found.kernel).is_some(),
        "errorBound": kernel_bound(found.kernel).map(|nanos| nanos.to_string()),
        "offset": found.offset.map(|offset| offset.to_string()),
        "disruptions": found.disruptions,
        "problem": found.problem.as_ref().map(ToString::to_string),
    })
}

fn inspection_rows(found: &Inspection) -> Vec<(&'static str, String)> {
    let mut rows = record_rows(found.record.as_ref());
    rows.push(("system clock", rfc3339(found.system_clock)));
    rows.push(("error bound", bound(kernel_bound(found.kernel))));
    rows.push((
        "offset",
        found.offset.map_or_else(
            || String::from("unknown: the machine was started since"),
            |offset| format!("{offset} ns against the system clock"),
        ),
    ));
    let disruptions = found.disruptions.iter();
    rows.extend(disruptions.map(|line| ("disruption", line.clone())));
    rows.push((
        "state",
        match &found.problem {
            Some(problem) => format!("refused: {problem}"),
            None if found.in_use => String::from("in use by a running process"),
            None => String::from("ready"),
        },
    ));
    rows
}

fn record_rows(record: Option<&WindowRecord>) -> Vec<(&'static str, String)> {
    let Some(record) = record else {
        return vec![("node", String::from("none yet: no clock ran here"))];
    };
    vec![
        ("node", record.identity.node().to_string()),
        ("incarnation", record.identity.incarnation().to_string()),
        (
            "window",
            format!("issued at most up to {}", rfc3339(record.mark)),
        ),
    ]
}

fn kernel_bound(kernel: KernelClock) -> Option<u64> {
    match kernel {
        KernelClock::Synchronized { max_error } => Some(max_error),
        KernelClock::Unsynchronized => None,
    }
}

pub(crate) fn repair(args: &RepairArgs, output: &mut Output) -> anyhow::Result<ExitCode> {
    let source = SystemSource::new();
    let repaired = match spots_clock::repair(&args.state, &source, args.trust_system_clock) {
        Ok(repaired) => repaired,
        Err(RepairError::NothingToRepair) => {
            output.line(&RepairError::NothingToRepair.to_string())?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => return Err(error.into()),
    };
    let after = repaired.after;
    output.line(&format!(
        "repaired ({}): node {} goes on after {}; recorded in {}",
        repaired.problem,
        after.identity.node(),
        rfc3339(after.mark),
        args.state.join("clock.audit").display()
    ))?;
    Ok(ExitCode::SUCCESS)
}
