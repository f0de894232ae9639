//! What a timestamp costs, as ratios to reading the system's clock in the same process.
//!
//! All operations take turns, round by round; the figure is thread CPU time, which a busy machine does
//! not change, and of each operation the least over the rounds. With `--kills N` it kills a process that
//! issues timestamps N times instead, and checks all that it ever issued.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use spots_bench::clocks::{MONOTONIC, THREAD, read};
use spots_clock::sync::Interval;
use spots_clock::{AtomicClock, ClockSettings, CounterSource, MemoryWindow};

const ROUNDS: usize = 41;
const OPERATIONS: u64 = 50_000;

/// Counts allocations, to show that issuing makes none.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: hands everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// An operation, and how many timestamps one call gives.
struct Subject<'a> {
    name: &'static str,
    run: Box<dyn Fn() + Sync + 'a>,
    calls: u64,
    stamps: u64,
    threads: usize,
}

/// CPU nanoseconds per timestamp, over all threads.
fn cost(subject: &Subject<'_>) -> f64 {
    let work = || {
        let before = read(THREAD);
        (subject.run)();
        read(THREAD) - before
    };
    let spent: u64 = if subject.threads == 1 {
        work()
    } else {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..subject.threads).map(|_| scope.spawn(work)).collect();
            let joined = threads.into_iter().map(|thread| thread.join());
            joined
                .map(|spent| spent.expect("the work does not panic"))
                .sum()
        })
    };
    let stamps = subject.calls * subject.stamps * subject.threads as u64;
    spent as f64 / stamps as f64
}

fn repeat<'a>(calls: u64, one: impl Fn() + Sync + 'a) -> Box<dyn Fn() + Sync + 'a> {
    Box::new(move || {
        for _ in 0..calls {
            one();
        }
    })
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        [] => figures(),
        ["--issue", directory] => issue(Path::new(directory)),
        ["--kills", count] => count.parse().map_err(Into::into).and_then(kills),
        _ => Err("usage: clock [--kills N]".into()),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

type Outcome = Result<bool, Box<dyn std::error::Error>>;

fn figures() -> Outcome {
    let directory = tempfile::tempdir()?;
    let clock = AtomicClock::open(directory.path())?;
    // Synchronised, so that the error bound is worked out, too.
    clock.learn(clock.device_time(), Interval::around(0, 1_000_000), true);
    assert!(clock.now()?.is_synchronized());
    let fast = counter_clock()?;
    let theirs = uhlc::HLC::default();
    let stamp = || {
        // By reference: moving the value would measure the move.
        black_box(&clock.now());
    };
    let counted = || {
        black_box(&fast.now());
    };
    let peer = || {
        black_box(&theirs.new_timestamp());
    };
    let subject = |name, calls, stamps, threads, run| Subject {
        name,
        run,
        calls,
        stamps,
        threads,
    };
    let floor = repeat(OPERATIONS, || {
        black_box(read(MONOTONIC));
    });
    let batch = repeat(OPERATIONS / 8, || {
        for stamp in clock.reserve(64).expect("the disk is writable") {
            black_box(&stamp);
        }
    });
    let subjects = [
        subject("clock_gettime", OPERATIONS, 1, 1, floor),
        subject(
            "AtomicClock::now",
            OPERATIONS,
            1,
            1,
            repeat(OPERATIONS, stamp),
        ),
        subject(
            "AtomicClock::now, 2 threads",
            OPERATIONS,
            1,
            2,
            repeat(OPERATIONS, stamp),
        ),
        subject(
            "AtomicClock::reserve(64), each",
            OPERATIONS / 8,
            64,
            1,
            batch,
        ),
        subject(
            "uhlc::HLC::new_timestamp",
            OPERATIONS,
            1,
            1,
            repeat(OPERATIONS, peer),
        ),
        subject(
            "AtomicClock::now, by counter",
            OPERATIONS,
            1,
            1,
            repeat(OPERATIONS, counted),
        ),
        subject(
            "uhlc, 2 threads",
            OPERATIONS,
            1,
            2,
            repeat(OPERATIONS, peer),
        ),
    ];
    let mut best = [f64::INFINITY; 7];
    for _ in 0..ROUNDS {
        for (best, subject) in best.iter_mut().zip(&subjects) {
            *best = best.min(cost(subject));
        }
    }
    for (best_cost, subject) in best.iter().zip(&subjects) {
        println!(
            "{:32} {best_cost:7.2} ns CPU  {:5.2} x clock_gettime",
            subject.name,
            best_cost / best[0]
        );
    }
    let [floor, one, two, batch, peer, counted, _] = best;
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    (subjects[1].run)();
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    Ok([
        promise("a timestamp", one / floor, 1.35),
        promise("a timestamp, 2 threads", two / floor, 2.0),
        promise("of a reservation of 64", batch / floor, 0.1),
        promise("by the counter", counted / floor, 0.6),
        // It takes more than one reading of the system's clock, so it cannot be much below uhlc.
        promise("a timestamp, against uhlc", one / peer, 1.0),
        promise("by the counter, against uhlc", counted / peer, 1.0 / 1.45),
        promise("allocations", allocations as f64, 0.0),
        promise("bytes of a clock", AtomicClock::SHARED_BYTES as f64, 512.0),
    ]
    .iter()
    .all(|kept| *kept))
}

/// A synchronised clock on the processor's own counter.
fn counter_clock() -> Result<AtomicClock, Box<dyn std::error::Error>> {
    let source = CounterSource::new().ok_or("the processor's counter is not steady")?;
    let window = MemoryWindow::new();
    let clock = AtomicClock::start(Box::new(source), Box::new(window), ClockSettings::default())?;
    clock.learn(clock.device_time(), Interval::around(0, 1_000_000), true);
    Ok(clock)
}

fn promise(what: &str, found: f64, at_most: f64) -> bool {
    let kept = found <= at_most;
    let word = if kept { "kept" } else { "MISSED" };
    println!("{word:6} {what:28} {found:8.3} of at most {at_most:.3}");
    kept
}

/// Issues timestamps until it is killed.
fn issue(directory: &Path) -> Outcome {
    let clock = AtomicClock::open(directory)?;
    let mut out = std::io::stdout().lock();
    loop {
        writeln!(out, "{}", clock.now()?.id())?;
    }
}

fn kills(count: u64) -> Outcome {
    let directory = tempfile::tempdir()?;
    let (mut last, mut seen) = (String::new(), 0_u64);
    for round in 0..count {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--issue")
            .arg(directory.path())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stdout.take().ok_or("no pipe")?).lines();
        let mut left = round * round % 97;
        if left < 20 {
            for _ in 0..left * 20_000 {
                std::hint::spin_loop();
            }
            left = 0;
        }
        let mut killed = false;
        loop {
            if !killed && left == 0 {
                child.kill()?;
                killed = true;
            }
            let Some(line) = lines.next() else { break };
            let line = line?;
            left = left.saturating_sub(1);
            // The last line may be cut.
            if line.len() == 36 {
                if line <= last {
                    println!("MISSED in round {round}: {line} after {last}");
                    return Ok(false);
                }
                last = line;
                seen += 1;
            }
        }
        if let Some(status) = child.wait()?.code() {
            println!("MISSED in round {round}: it ended by itself with status {status}");
            return Ok(false);
        }
    }
    println!("kept   {count} kills, {seen} timestamps, none twice, none backwards");
    Ok(true)
}
