//! The programs of PostgreSQL, run as somebody who may run them.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::text;

/// Where Debian keeps them: `/usr/lib/postgresql/15/bin`.
const INSTALLED: &str = "/usr/lib/postgresql";
/// The first version that the platform supports.
const VERSION_MIN: u32 = 15;
/// PostgreSQL refuses to run as root; then it runs as nobody.
const NOBODY: u32 = 65_534;
/// How long a start may take, in polls.
const POLLS_MAX: u32 = 3000;
/// Between two looks at whether it has started.
const POLL: Duration = Duration::from_millis(20);

/// Where the programs are and as whom they run.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    bin: PathBuf,
    root: bool,
}

impl Programs {
    /// Finds the newest installation.
    pub(super) fn find() -> Result<Self> {
        let installed = fs::read_dir(INSTALLED).into_iter().flatten().flatten();
        let newest = installed
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
            .filter(|version| *version >= VERSION_MIN)
            .max();
        let Some(version) = newest else {
            bail!(
                "no PostgreSQL {VERSION_MIN} or later under {INSTALLED}; install Debian's package \
                 postgresql"
            );
        };
        let root = fs::metadata("/proc/self")
            .context("failed to ask who runs this")?
            .uid()
            == 0;
        Ok(Self {
            bin: PathBuf::from(format!("{INSTALLED}/{version}/bin")),
            root,
        })
    }

    /// Gives a directory to the user that PostgreSQL runs as.
    pub(super) fn hand_over(&self, directory: &Path) -> Result<()> {
        if self.root {
            std::os::unix::fs::chown(directory, Some(NOBODY), Some(NOBODY))
                .context("failed to hand a directory over to PostgreSQL")?;
        }
        Ok(())
    }

    /// Runs a program to its end.
    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let Output { status, stderr, .. } = self
            .command(program)
            .args(arguments)
            .output()
            .with_context(|| format!("failed to run {program}"))?;
        if !status.success() {
            bail!("{program} failed: {}", String::from_utf8_lossy(&stderr));
        }
        Ok(())
    }

    /// A program that is told to stop when the thread that started it is gone, however that ends.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests run PostgreSQL's own programs"
    )]
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig=INT");
        if self.root {
            let user = format!("--reuid={NOBODY}");
            let group = format!("--regid={NOBODY}");
            command.args([user.as_str(), group.as_str(), "--clear-groups"]);
        }
        command.arg(self.bin.join(program)).current_dir("/");
        command
    }
}

/// A running postmaster, held by a thread of its own: it dies with the thread that started it, and
/// a test's thread may end before the next test does.
#[derive(Debug)]
pub(super) struct Server {
    stop: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts it on the data in `directory` and waits until it answers.
    pub(super) fn start(
        programs: &Programs,
        directory: &Path,
        durable: bool,
        more: &[String],
    ) -> Result<Self> {
        let log = File::create(directory.join("log")).context("failed to make a log")?;
        let fsync = if durable { "fsync=on" } else { "fsync=off" };
        let data = directory.join("data");
        let mut command = programs.command("postgres");
        command
            .args(["-D", text(&data)?, "-k", text(directory)?, "-h", ""])
            .args(["-c", fsync, "-c", "shared_buffers=32MB"])
            .args(["-c", "max_connections=200", "-c", "jit=off"])
            .args(more)
            .stdout(log.try_clone().context("failed to share a log")?)
            .stderr(log);
        let (stop, stopped) = channel();
        let (started, start) = channel();
        let programs = programs.clone();
        let pid_file = data.join("postmaster.pid");
        let keeper = thread::spawn(move || match command.spawn() {
            Ok(child) => {
                let ready = wait_until_ready(&pid_file);
                // Whoever waits for the start gave up if this fails; then it is stopped below.
                let told = started.send(ready).is_ok();
                keep(&programs, child, &data, told.then_some(&stopped));
            }
            Err(error) => drop(started.send(Err(error.into()))),
        });
        let server = Self {
            stop: Some(stop),
            keeper: Some(keeper),
        };
        start
            .recv()
            .context("PostgreSQL's keeper is gone")?
            .with_context(|| {
                let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
                format!("PostgreSQL did not start: {log}")
            })?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(keeper) = self.keeper.take() {
            // A keeper that panicked took its server with it.
            drop(keeper.join());
        }
    }
}

/// Waits for the other end to go, then stops the server without ceremony: its data goes too.
fn keep(programs: &Programs, mut child: Child, data: &Path, stopped: Option<&Receiver<()>>) {
    if let Some(stopped) = stopped {
        // Nothing is ever sent: an error means that the other end is gone.
        stopped.recv().unwrap_or_default();
    }
    let asked = text(data)
        .and_then(|data| programs.run("pg_ctl", &["stop", "-m", "immediate", "-D", data]));
    if asked.is_err() {
        drop(child.kill());
    }
    drop(child.wait());
}

/// The last line of `postmaster.pid` says when connections are taken.
fn wait_until_ready(pid_file: &Path) -> Result<()> {
    for _ in 0..POLLS_MAX {
        let ready = fs::read_to_string(pid_file)
            .is_ok_and(|lines| lines.lines().any(|line| line.trim() == "ready"));
        if ready {
            return Ok(());
        }
        pause();
    }
    bail!("it does not take connections")
}

#[expect(
    clippy::disallowed_methods,
    reason = "waits for another process, not for time"
)]
fn pause() {
    thread::sleep(POLL);
}
