//! The clock in real processes: killed, restarted, and under a system clock that is set.

use std::error::Error;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

type Outcome = Result<(), Box<dyn Error>>;

const KILLS: u64 = 300;

#[expect(
    clippy::disallowed_methods,
    reason = "the test runs the binary it tests"
)]
fn spots(arguments: &[&str], state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spots"));
    command.arg("clock").args(arguments);
    command.arg("--state").arg(state);
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A process that issues timestamps until it is killed, and its lines.
fn issuer(command: &mut Command) -> Result<(Child, BufReader<ChildStdout>), Box<dyn Error>> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let lines = BufReader::new(child.stdout.take().ok_or("no pipe")?);
    Ok((child, lines))
}

fn endless(state: &Path) -> Command {
    spots(&["now", "--count", "1000000", "--format", "json"], state)
}

/// Takes complete lines: at most `count`, or all until the end.
fn ids(lines: &mut BufReader<ChildStdout>, count: usize) -> Result<Vec<String>, Box<dyn Error>> {
    let mut found = Vec::new();
    let mut line = String::new();
    while found.len() < count && lines.read_line(&mut line)? > 0 && line.ends_with('\n') {
        let stamp: Value = serde_json::from_str(&line)?;
        found.push(stamp["timestampId"].as_str().ok_or("no id")?.to_owned());
        line.clear();
    }
    Ok(found)
}

fn assert_increasing(ids: &[String]) {
    let wrong = ids.windows(2).find(|pair| pair[0] >= pair[1]);
    assert_eq!(wrong, None, "the second is not after the first");
}

fn json(output: &Output) -> Result<Value, Box<dyn Error>> {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[test]
fn killed_at_any_point_it_never_repeats_nor_goes_back() -> Outcome {
    let directory = tempfile::tempdir()?;
    let mut all = Vec::new();
    for round in 0..KILLS {
        let (mut child, mut lines) = issuer(&mut endless(directory.path()))?;
        if round % 3 == 0 {
            // Before it could say anything: somewhere between its first and its last write.
            for _ in 0..round * 3_000 {
                std::hint::spin_loop();
            }
        } else {
            let wanted = usize::try_from(round * round % 97)?;
            let found = ids(&mut lines, wanted)?;
            assert_eq!(
                found.len(),
                wanted,
                "round {round}: the clock did not start"
            );
            all.extend(found);
        }
        child.kill()?;
        all.extend(ids(&mut lines, usize::MAX)?);
        assert_eq!(
            child.wait()?.code(),
            None,
            "round {round}: it ended before it was killed"
        );
    }
    assert!(all.len() > 1_000, "only {} timestamps were seen", all.len());
    assert_increasing(&all);
    let status = spots(&["status", "--format", "json"], directory.path()).output()?;
    assert!(json(&status)?["incarnation"].as_u64() > Some(KILLS / 2));
    Ok(())
}

#[test]
fn a_second_process_is_refused_and_named() -> Outcome {
    let directory = tempfile::tempdir()?;
    let (mut child, mut lines) = issuer(&mut endless(directory.path()))?;
    ids(&mut lines, 1)?;
    let second = spots(&["now"], directory.path()).output()?;
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another process"));
    let status = spots(&["status", "--format", "json"], directory.path()).output()?;
    assert_eq!(json(&status)?["inUse"], true);
    child.kill()?;
    child.wait()?;
    Ok(())
}

fn library() -> Result<PathBuf, Box<dyn Error>> {
    fs::read_dir("/usr/lib")?
        .filter_map(|entry| Some(entry.ok()?.path().join("faketime/libfaketime.so.1")))
        .find(|path| path.exists())
        .ok_or_else(|| "libfaketime is missing: install Debian's package faketime".into())
}

/// The system clock is what the file says; the counter is left alone, as a real step leaves it.
fn under_faketime(command: &mut Command, step: &Path) -> Outcome {
    command
        .env("LD_PRELOAD", library()?)
        .env("FAKETIME_TIMESTAMP_FILE", step)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
        .env("NO_FAKE_STAT", "1");
    Ok(())
}

#[test]
fn steps_of_ten_years_while_it_runs_and_between_runs_do_not_show() -> Outcome {
    let directory = tempfile::tempdir()?;
    let state = directory.path().join("state");
    let step = directory.path().join("step");
    let mut all = Vec::new();
    let mut years = Vec::new();
    let mut noted = 0;
    for (before, after) in [("+0", "+10y"), ("+10y", "-10y"), ("-10y", "+0")] {
        fs::write(&step, before)?;
        let mut command = endless(&state);
        under_faketime(&mut command, &step)?;
        let (mut child, mut lines) = issuer(&mut command)?;
        all.extend(ids(&mut lines, 2_000)?);
        fs::write(&step, after)?;
        all.extend(ids(&mut lines, 2_000)?);
        child.kill()?;
        all.extend(ids(&mut lines, usize::MAX)?);
        child.wait()?;

        // The step is real: the status, which reads the system clock, sees it.
        let mut status = spots(&["status", "--format", "json"], &state);
        under_faketime(&mut status, &step)?;
        let shown = json(&status.output()?)?;
        let year = shown["systemClock"].as_str().and_then(|time| time.get(..4));
        years.push(year.ok_or("no time")?.parse::<i32>()?);
        noted = shown["disruptions"].as_array().map_or(0, Vec::len);
    }
    assert!(noted >= 2, "the status names the steps");
    assert_eq!(years[0] - years[2], 10, "{years:?}");
    assert_eq!(years[1] - years[2], -10, "{years:?}");
    assert!(all.len() >= 12_000);
    assert_increasing(&all);
    // All within a few minutes: the steps have moved nothing.
    let millis = |id: &String| u64::from_str_radix(&id.replace('-', "")[..12], 16);
    assert!(millis(&all[all.len() - 1])? - millis(&all[0])? < 300_000);
    Ok(())
}

#[test]
fn without_a_state_it_says_what_the_machine_knows() -> Outcome {
    let directory = tempfile::tempdir()?;
    let missing = directory.path().join("none");
    let text = spots(&["status"], &missing).output()?;
    assert!(String::from_utf8_lossy(&text.stdout).contains("no clock ran here"));
    assert!(!missing.exists(), "a look creates nothing");
    let repair = spots(&["repair"], &directory.path().join("new")).output()?;
    assert!(String::from_utf8_lossy(&repair.stdout).contains("nothing to repair"));
    Ok(())
}
