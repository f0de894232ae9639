//! What the clock audit costs, against `ripgrep` and a contract extraction on the same tree.
//!
//! Every contender is a process of its own, they take turns in one run, and of each the least over
//! the rounds counts: wall time, and CPU time of the process with all its threads. Without a path it
//! writes a tree of 2,500 Dart files, 23 MB. `ast-grep` takes part where it is installed.

use std::path::Path;
use std::process::{Command, ExitCode};

use spots_bench::contender::{Contender, promise, take_turns};
use spots_plan::audit::config::Config;
use spots_plan::audit::scan::Scanner;
use spots_plan::audit::{audit, inventory};
use spots_plan::contract::cache::Cache;
use spots_plan::contract::{Options, World};
use spots_plan::tree::{Language, Tree};

const ROUNDS: usize = 15;
/// The inventory may take this many times as long as `ripgrep`.
const INVENTORY_MAX: f64 = 3.0;
/// The full audit may take this many times as long as the extraction of all services.
const AUDIT_MAX: f64 = 1.0;

/// What a child does.
fn work(task: &str, root: &Path) -> Result<usize, Box<dyn std::error::Error>> {
    let config = Config::load(root)?;
    let tree = Tree::walk(root, &[Language::Dart])?;
    Ok(match task {
        "inventory" => {
            let found = inventory(&tree, &Scanner::new(&config.patterns), &config);
            found.items.iter().map(|(_, hits)| hits.len()).sum()
        }
        "audit" => audit(&tree, &config).summary().total,
        _ => World::read(tree, Options::default(), &Cache::none())
            .services()
            .len(),
    })
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    if let [task, root] = arguments.as_slice() {
        println!("{}", work(task, Path::new(root))?);
        return Ok(ExitCode::SUCCESS);
    }
    let scratch = tempfile::tempdir()?;
    let root = match arguments.first() {
        Some(root) => root.clone(),
        None => {
            spots_bench::tree::write(scratch.path())?;
            scratch.path().to_string_lossy().into_owned()
        }
    };
    let own = std::env::current_exe()?;
    let rg = [
        "--count-matches",
        "--no-filename",
        "--fixed-strings",
        "--type",
        "dart",
        "DateTime.now(",
        &root,
    ];
    let rule = "id: read\nlanguage: dart\nrule:\n  pattern:\n    context: void f() { DateTime.now(); }\n    \
                selector: call_expression\n";
    let structural = ["scan", "--inline-rules", rule, "--json=stream", &root];
    let mut contenders = vec![
        Contender::new("ripgrep", Path::new("rg"), &rg),
        Contender::new("inventory", &own, &["inventory", &root]),
        Contender::new("full audit", &own, &["audit", &root]).every(3),
        Contender::new("extraction of all services", &own, &["contracts", &root]).every(3),
    ];
    if Command::new("ast-grep").arg("--version").output().is_ok() {
        contenders.push(Contender::new("ast-grep", Path::new("ast-grep"), &structural).every(5));
    }
    take_turns(&mut contenders, ROUNDS)?;
    println!(
        "{:26} {:>9} {:>9} {:>8}  found",
        "", "wall ms", "CPU ms", "wall ×"
    );
    let floor = contenders[0].wall;
    for contender in &contenders {
        let found = match contender.name {
            "ripgrep" => contender
                .output
                .lines()
                .filter_map(|n| n.parse::<u64>().ok())
                .sum(),
            "ast-grep" => contender.output.lines().count() as u64,
            _ => contender.output.trim().parse().unwrap_or(0),
        };
        let (wall, cpu) = (contender.wall * 1e3, contender.cpu * 1e3);
        println!(
            "{:26} {wall:9.1} {cpu:9.1} {:8.2}  {found}",
            contender.name,
            contender.wall / floor
        );
    }
    let fast = promise(
        "inventory / ripgrep",
        (&contenders[1], &contenders[0]),
        INVENTORY_MAX,
    );
    let cheap = promise(
        "full audit / extraction",
        (&contenders[2], &contenders[3]),
        AUDIT_MAX,
    );
    Ok(ExitCode::from(u8::from(!(fast && cheap))))
}
