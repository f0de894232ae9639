//! What migrations cost, as ratios to a floor that is measured in turns in the same run.
//!
//! `--dir DIR` also measures inference on real files of another project, against the parse alone.
//! `--postgres URL --sqlx PROGRAM` also measures PostgreSQL against sqlx-cli (`cargo install sqlx-cli`);
//! the URL's database is dropped and made again each time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use rusqlite::Connection;
use spots_bench::clocks::thread_seconds;
use spots_migrate::sqlite::{self, Backfills};
use spots_migrate::{CheckOptions, Graph, MigrationSet, Run, Silent, check, postgres, read_folder};

const MIGRATIONS: usize = 1_000;
const ROUNDS: usize = 7;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<ExitCode> {
    let arguments = std::env::args().collect::<Vec<_>>();
    let told = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        arguments.get(at + 1).cloned()
    };
    let mut kept = true;
    kept &= apply_against_shell()?;
    kept &= nothing_to_do()?;
    kept &= growth()?;
    if let Some(dir) = told("--dir") {
        kept &= inference_against_parse(Path::new(&dir))?;
    }
    if let (Some(url), Some(sqlx)) = (told("--postgres"), told("--sqlx")) {
        kept &= apply_against_sqlx(&url, &sqlx)?;
    }
    Ok(ExitCode::from(u8::from(!kept)))
}

/// Seconds of the fastest round of each, taken in turns.
fn least<const N: usize>(each: [&mut dyn FnMut() -> Outcome<()>; N]) -> Outcome<[f64; N]> {
    let start = Instant::now();
    least_by(ROUNDS, &|| start.elapsed().as_secs_f64(), each)
}

/// The same in CPU time of this thread, which a busy machine changes less.
fn least_cpu<const N: usize>(
    rounds: usize,
    each: [&mut dyn FnMut() -> Outcome<()>; N],
) -> Outcome<[f64; N]> {
    least_by(rounds, &thread_seconds, each)
}

fn least_by<const N: usize>(
    rounds: usize,
    now: &dyn Fn() -> f64,
    mut each: [&mut dyn FnMut() -> Outcome<()>; N],
) -> Outcome<[f64; N]> {
    let mut best = [f64::INFINITY; N];
    for _ in 0..rounds {
        for (best, one) in best.iter_mut().zip(&mut each) {
            let start = now();
            one()?;
            *best = best.min(now() - start);
        }
    }
    Ok(best)
}

fn say(what: &str, ratio: f64, most: f64) -> bool {
    let kept = ratio <= most;
    let word = if kept { "kept" } else { "MISSED" };
    println!("{what}: {ratio:.2} (at most {most}) {word}");
    kept
}

fn small_set() -> Outcome<(MigrationSet, String)> {
    let mut files = Vec::new();
    let mut script = String::new();
    for number in 0..MIGRATIONS {
        let up = format!("CREATE TABLE t{number}(id INTEGER PRIMARY KEY, v TEXT);\n");
        script.push_str(&up);
        files.push((format!("{number:04}/migration.toml"), String::new()));
        files.push((format!("{number:04}/up.sql"), up));
    }
    let files = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect::<Vec<_>>();
    Ok((MigrationSet::from_embedded(&files)?, script))
}

fn memory() -> Outcome<tempfile::TempDir> {
    Ok(tempfile::tempdir_in("/dev/shm")?)
}

fn apply(connection: &mut Connection, set: &MigrationSet) -> Outcome<()> {
    let mut silent = Silent;
    sqlite::apply(
        connection,
        set,
        &Backfills::new(),
        &mut Run::by("bench", &mut silent),
    )?;
    Ok(())
}

fn apply_against_shell() -> Outcome<bool> {
    let (set, script) = small_set()?;
    let folder = memory()?;
    let input = folder.path().join("all.sql");
    fs::write(&input, script)?;
    let [ours, shell] = least([
        &mut || {
            let database = memory()?;
            let mut connection = Connection::open(database.path().join("db"))?;
            apply(&mut connection, &set)
        },
        &mut || {
            let database = memory()?;
            let status = Command::new("sqlite3")
                .arg(database.path().join("db"))
                .stdin(Stdio::from(fs::File::open(&input)?))
                .status()?;
            assert!(status.success(), "the sqlite3 shell failed");
            Ok(())
        },
    ])?;
    println!("{MIGRATIONS} migrations: {ours:.3} s, sqlite3 shell {shell:.3} s");
    Ok(say("apply on SQLite / sqlite3 shell", ours / shell, 3.0))
}

fn nothing_to_do() -> Outcome<bool> {
    let (set, _) = small_set()?;
    let folder = memory()?;
    let file = folder.path().join("db");
    apply(&mut Connection::open(&file)?, &set)?;
    let [ours, floor] = least_cpu(
        ROUNDS * 3,
        [
            &mut || apply(&mut Connection::open(&file)?, &set),
            &mut || {
                let connection = Connection::open(&file)?;
                let mut query = connection.prepare("SELECT * FROM spots_migrate_migration")?;
                let mut rows = query.query([])?;
                let mut bytes = 0;
                while let Some(row) = rows.next()? {
                    bytes += row.get::<_, String>("checksum")?.len();
                }
                assert_eq!(bytes, MIGRATIONS * 64);
                Ok(())
            },
        ],
    )?;
    println!(
        "nothing to do: {:.2} ms, reading the version table {:.2} ms",
        ours * 1e3,
        floor * 1e3
    );
    Ok(say(
        "nothing to do / reading the version table",
        ours / floor,
        3.0,
    ))
}

/// Files as people write them: tables that refer to earlier ones, columns, indexes, policies.
fn generated(count: usize) -> BTreeMap<String, Vec<u8>> {
    (0..count)
        .map(|number| {
            let mut up = format!("CREATE TABLE t{number} (id int PRIMARY KEY, v text");
            if number > 0 {
                let parent = number * 7 % number;
                write!(up, ", p int REFERENCES t{parent} (id)").expect("a string takes it");
            }
            let other = number / 2;
            write!(
                up,
                ");\nALTER TABLE t{other} ADD COLUMN c{number} int;\n\
                 CREATE INDEX i{number} ON t{number} (v);\n\
                 CREATE POLICY p ON t{number} USING (EXISTS (SELECT 1 FROM t{other} o WHERE o.id = t{number}.id));\n"
            )
            .expect("a string takes it");
            (format!("{number:06}_m.sql"), up.into_bytes())
        })
        .collect()
}

fn growth() -> Outcome<bool> {
    let (small, large) = (generated(1_000), generated(10_000));
    let judge = |files: &BTreeMap<String, Vec<u8>>| {
        let report = check(files, Vec::new(), &CheckOptions::default());
        assert_eq!(report.count(spots_findings::Level::Error), 0);
        Ok(())
    };
    let [few, many] = least_cpu(3, [&mut || judge(&small), &mut || judge(&large)])?;
    let peak = fs::read_to_string("/proc/self/status")?
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok())
        .unwrap_or(f64::NAN)
        / 1024.0;
    println!("1,000 files {few:.3} s, 10,000 files {many:.3} s, at most {peak:.0} MiB");
    let linear = say(
        "time for 10,000 files / ten times 1,000",
        many / (10.0 * few),
        1.5,
    );
    Ok(say("memory for 10,000 files in MB", peak * 1.048_576, 500.0) && linear)
}

fn inference_against_parse(dir: &Path) -> Outcome<bool> {
    let (files, unread) = read_folder(dir);
    assert!(unread.is_empty(), "{unread:?}");
    let texts = files
        .values()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .collect::<Vec<_>>();
    let set = MigrationSet::from_dir_as(dir, None)?;
    let [plan, parse] = least_cpu(
        ROUNDS * 3,
        [
            &mut || {
                let graph = Graph::of(&set, spots_migrate::Dialect::Postgres);
                assert_eq!(graph.nodes.len(), set.migrations().len());
                Ok(())
            },
            &mut || {
                for text in &texts {
                    std::hint::black_box(squawk_syntax::SourceFile::parse(text));
                }
                Ok(())
            },
        ],
    )?;
    println!(
        "{} files: inference and plan {:.1} ms, parse {:.1} ms",
        texts.len(),
        plan * 1e3,
        parse * 1e3
    );
    Ok(say("inference and plan / parse alone", plan / parse, 4.0))
}

/// One thousand migrations on PostgreSQL, as `spots migrate apply` does it by default, four side by
/// side; and one after the other, as sqlx-cli does.
fn apply_against_sqlx(url: &str, sqlx: &str) -> Outcome<bool> {
    let (set, _) = small_set()?;
    let folder = memory()?;
    for number in 0..MIGRATIONS {
        let up = format!("CREATE TABLE t{number}(id INTEGER PRIMARY KEY, v TEXT);\n");
        fs::write(folder.path().join(format!("{:04}_m.sql", number + 1)), up)?;
    }
    let program = |arguments: &[&str]| -> Outcome<()> {
        let status = Command::new(sqlx)
            .args(arguments)
            .args(["--database-url", url])
            .stdout(Stdio::null())
            .status()?;
        assert!(status.success(), "sqlx {arguments:?} failed");
        Ok(())
    };
    let source = folder.path().display().to_string();
    let mut best = [f64::INFINITY; 3];
    for _ in 0..3 {
        for (way, best) in best.iter_mut().enumerate() {
            program(&["database", "drop", "-y", "-f"])?;
            program(&["database", "create"])?;
            let start = Instant::now();
            match way {
                0 => program(&["migrate", "run", "--source", &source])?,
                1 => on_postgres(url, &set, 1)?,
                _ => on_postgres(url, &set, 4)?,
            }
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    let [theirs, one, four] = best;
    println!(
        "PostgreSQL, {MIGRATIONS} migrations: sqlx-cli {theirs:.3} s, ours {four:.3} s, with --jobs 1 {one:.3} s"
    );
    println!(
        "apply --jobs 1 on PostgreSQL / sqlx-cli: {:.2}",
        one / theirs
    );
    Ok(say("apply on PostgreSQL / sqlx-cli", four / theirs, 0.6))
}

fn on_postgres(url: &str, set: &MigrationSet, jobs: usize) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut clients = Vec::new();
        for _ in 0..jobs {
            let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
            tokio::spawn(async move { drop(connection.await) });
            clients.push(client);
        }
        let Some((first, beside)) = clients.split_first_mut() else {
            return Ok(());
        };
        let (none, mut silent) = (postgres::Backfills::new(), Silent);
        let mut run = Run::by("bench", &mut silent);
        postgres::apply_beside(first, beside, set, &none, &mut run).await?;
        Ok(())
    })
}
