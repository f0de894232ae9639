//! What reading contracts costs, as ratios to parsing the same files with the grammar on one thread.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml --bin contracts [TREE]`: without a tree, one of
//! 2,500 files and 23 MB, a fifth of them with a service. The contenders are processes that take turns
//! in one run; of each the least time counts. It writes a plan, the frozen contracts and the clock's
//! baseline into the tree, so that `plan check` has all to compare with: give it a copy.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use spots_bench::contender::{Contender, promise, take_turns};
use spots_plan::audit::baseline::{BASELINE_PATH, Baseline};
use spots_plan::audit::check::check as judge;
use spots_plan::audit::config::Config;
use spots_plan::audit::{audit, audit_with};
use spots_plan::cache::Cache as Kept;
use spots_plan::contract::cache::Cache;
use spots_plan::contract::frozen::Frozen;
use spots_plan::contract::{Options, World};
use spots_plan::plan::Plan;
use spots_plan::plan::check::{self as gate, Beside};
use spots_plan::plan::infer::first_plan;
use spots_plan::plan::owed::Tests;
use spots_plan::tree::{Language, Tree};

/// Languages that contracts are read from.
const CONTRACTS: [Language; 4] = [
    Language::Dart,
    Language::Rust,
    Language::TypeScript,
    Language::Tsx,
];
const ROUNDS: usize = 6;
/// What the project promises.
const COLD_MAX: f64 = 0.8;
const WARM_MAX: f64 = 0.08;
const CHECK_MAX: f64 = 2.0;

fn extract(root: &Path, cache: Cache) -> usize {
    let tree = Tree::walk(root, &[Language::Dart]).expect("a tree");
    let world = World::read(tree, Options::default(), &cache);
    let services = world.services().len();
    cache.save();
    services
}

/// What `spots plan check` does on an unchanged tree: contracts, locks, tests and the clock audit.
fn check(root: &Path, kept: &str) -> Result<usize, Box<dyn Error>> {
    let plan = Plan::load(root).map_err(|error| error.to_string())?;
    let options = Options {
        patterns: gate::patterns(&plan),
        ..Options::default()
    };
    let tree = Tree::walk(root, &Language::ALL)?;
    std::thread::scope(|scope| {
        let clock = scope
            .spawn(|| mandate(&tree, &format!("{kept}.clock")).map_err(|error| error.to_string()));
        let cache = Cache::load(PathBuf::from(kept));
        let mut world = World::read(tree.only(&CONTRACTS), options, &cache);
        let tests = Tests::read(tree.only(&CONTRACTS));
        let checked = gate::check(&plan, &mut world, &tests, Beside::default(), &cache);
        cache.save();
        let clock = clock.join().map_err(|_| "the audit panicked")??;
        Ok(checked.findings.len() + clock)
    })
}

/// The clock audit against its baseline.
fn mandate(tree: &Tree, known: &str) -> Result<usize, Box<dyn Error>> {
    let root = tree.root();
    let config = Config::load(root)?;
    let known = Kept::load(PathBuf::from(known));
    let found = audit_with(tree, &config, &known);
    known.save();
    let baseline = Baseline::parse(&std::fs::read_to_string(root.join(BASELINE_PATH))?)?;
    let mandate = judge(&found, &baseline.compare(&found), &config, root);
    Ok(mandate.report.findings().len())
}

/// A first plan, every contract frozen, every read of the clock in the baseline.
fn write_plan(root: &Path) -> Result<(), Box<dyn Error>> {
    let mut world = World::read(
        Tree::walk(root, &[Language::Dart])?,
        Options::default(),
        &Cache::none(),
    );
    std::fs::create_dir_all(root.join("plan/services"))?;
    std::fs::create_dir_all(root.join("plan/contracts"))?;
    for (path, text) in first_plan(&world) {
        std::fs::write(root.join(path), text)?;
    }
    let plan = Plan::load(root).map_err(|error| error.to_string())?;
    let names = world.mentioned();
    let snapshot = world.snapshot(&names, &Cache::none());
    for contract in &snapshot.services {
        let name = &contract.decl.name;
        let version = plan
            .service(name)
            .map_or("1.0.0".to_owned(), |service| service.version.to_string());
        let text = Frozen::new(&version, "dart", contract, &snapshot).render();
        std::fs::write(
            root.join(format!("plan/contracts/{name}-{version}.contract")),
            text,
        )?;
    }
    let config = Config::load(root)?;
    let found = audit(&Tree::walk(root, &Language::ALL)?, &config);
    std::fs::write(root.join(BASELINE_PATH), Baseline::of(&found).render())?;
    Ok(())
}

fn parse_all(root: &Path) -> usize {
    let tree = Tree::walk(root, &[Language::Dart]).expect("a tree");
    let mut parser = tree_sitter::Parser::new();
    let grammar = Language::Dart.grammar().expect("Dart has a grammar");
    parser.set_language(&grammar).expect("the grammar loads");
    for file in tree.files() {
        let text = tree.read(file).expect("a file");
        std::hint::black_box(parser.parse(&text, None));
    }
    tree.files().len()
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [task, root] if task == "parse" => println!("{}", parse_all(Path::new(root))),
        [task, root] if task == "cold" => println!("{}", extract(Path::new(root), Cache::none())),
        [task, root, cache] if task == "warm" => {
            println!(
                "{}",
                extract(Path::new(root), Cache::load(PathBuf::from(cache)))
            );
        }
        [task, root, cache] if task == "check" => {
            println!("{}", check(Path::new(root), cache)?);
        }
        _ => return measure(arguments.first()),
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(tree: Option<&String>) -> Result<ExitCode, Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let root = match tree {
        Some(tree) => tree.clone(),
        None => {
            let made = scratch.path().join("tree");
            spots_bench::tree::write(&made)?;
            made.to_string_lossy().into_owned()
        }
    };
    let own = std::env::current_exe()?;
    let cache = scratch
        .path()
        .join("cache.json")
        .to_string_lossy()
        .into_owned();
    let mut contenders = vec![
        Contender::new("parse, one thread", &own, &["parse", &root]).every(2),
        Contender::new("extract", &own, &["cold", &root]).every(2),
        Contender::new("extract, cached", &own, &["warm", &root, &cache]),
    ];
    write_plan(Path::new(&root))?;
    contenders.push(Contender::new(
        "plan check",
        &own,
        &["check", &root, &cache],
    ));
    take_turns(&mut contenders, ROUNDS)?;
    println!("{:26} {:>9} {:>9}", "", "wall ms", "CPU ms");
    for contender in &contenders {
        println!(
            "{:26} {:9.1} {:9.1}",
            contender.name,
            contender.wall * 1e3,
            contender.cpu * 1e3
        );
    }
    println!(
        "services: {}; findings: {}",
        contenders[1].output.trim(),
        contenders[3].output.trim()
    );
    let (parse, cold, warm) = (&contenders[0], &contenders[1], &contenders[2]);
    let mut holds = promise("extraction / parsing", (cold, parse), COLD_MAX);
    holds &= promise("cached extraction / parsing", (warm, parse), WARM_MAX);
    holds &= promise(
        "plan check / cached extraction",
        (&contenders[3], warm),
        CHECK_MAX,
    );
    Ok(ExitCode::from(u8::from(!holds)))
}
