//! Processes that take turns; of each the least over the rounds counts.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Timeval {
    seconds: i64,
    micros: i64,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Rusage {
    user: Timeval,
    system: Timeval,
    rest: [i64; 14],
}

unsafe extern "C" {
    fn getrusage(who: i32, usage: *mut Rusage) -> i32;
}

/// CPU seconds of all children that have ended.
fn children_cpu() -> f64 {
    const RUSAGE_CHILDREN: i32 = -1;
    let mut usage = Rusage::default();
    // SAFETY: the pointer is to a live value of the right layout on 64-bit Linux.
    let failed = unsafe { getrusage(RUSAGE_CHILDREN, &mut usage) };
    assert_eq!(failed, 0, "getrusage knows this argument");
    [usage.user, usage.system]
        .iter()
        .map(|time| time.seconds as f64 + time.micros as f64 / 1e6)
        .sum()
}

/// A command that is measured.
pub struct Contender {
    pub name: &'static str,
    command: Command,
    /// How many rounds it sits out between two runs.
    every: usize,
    /// The least wall time, in seconds.
    pub wall: f64,
    /// The least CPU time of the process with all its threads, in seconds.
    pub cpu: f64,
    /// What it wrote to standard output the last time.
    pub output: String,
}

impl Contender {
    pub fn new(name: &'static str, program: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        Self {
            name,
            command,
            every: 1,
            wall: f64::MAX,
            cpu: f64::MAX,
            output: String::new(),
        }
    }

    /// Runs only in every so many rounds: for the slow ones.
    #[must_use]
    pub fn every(mut self, rounds: usize) -> Self {
        self.every = rounds;
        self
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: &Path) -> Self {
        self.command.env(name, value);
        self
    }

    fn run(&mut self) -> io::Result<()> {
        let (cpu, start) = (children_cpu(), std::time::Instant::now());
        let output = self.command.output()?;
        self.wall = self.wall.min(start.elapsed().as_secs_f64());
        self.cpu = self.cpu.min(children_cpu() - cpu);
        self.output = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(())
    }
}

/// Lets the contenders take turns.
pub fn take_turns(contenders: &mut [Contender], rounds: usize) -> io::Result<()> {
    for round in 0..rounds {
        for contender in contenders.iter_mut().filter(|one| round % one.every == 0) {
            contender.run()?;
        }
    }
    Ok(())
}

/// One ratio that is promised; whether it holds, in wall time.
pub fn promise(what: &str, (cost, floor): (&Contender, &Contender), at_most: f64) -> bool {
    let (wall, cpu) = (cost.wall / floor.wall, cost.cpu / floor.cpu);
    let holds = wall <= at_most;
    let verdict = if holds { "holds" } else { "MISSED" };
    println!("{what}: {wall:.3} in wall time, {cpu:.3} in CPU time; at most {at_most}: {verdict}");
    holds
}
