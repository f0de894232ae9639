//! What reading contracts costs, as ratios to parsing the same files with the grammar on one thread.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml --bin contracts [TREE]`: without a tree, one of
//! 2,500 files is made from the golden one, a fifth of them with a service. The measured things take
//! turns; of each the least time counts.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use spots_plan::contract::cache::Cache;
use spots_plan::contract::{Options, World};
use spots_plan::tree::{Language, Tree};

const FILES: usize = 2_500;
const BYTES: usize = 23_000_000;
const ROUNDS: usize = 3;
/// What the project promises.
const COLD_MAX: f64 = 0.8;
const WARM_MAX: f64 = 0.08;

fn main() -> ExitCode {
    let made = tempfile::tempdir().expect("a temporary folder");
    let root = std::env::args().nth(1).map_or_else(
        || {
            make(made.path());
            made.path().to_owned()
        },
        PathBuf::from,
    );
    let cache = made.path().join("cache.json");
    let (mut floor, mut cold, mut warm) = (Duration::MAX, Duration::MAX, Duration::MAX);
    let mut services = 0;
    for _ in 0..ROUNDS {
        floor = floor.min(timed(|| parse_all(&root)));
        cold = cold.min(timed(|| services = extract(&root, Cache::none())));
        extract(&root, Cache::load(cache.clone()));
        warm = warm.min(timed(|| services = extract(&root, Cache::load(cache.clone()))));
    }
    let ratio = |time: Duration| time.as_secs_f64() / floor.as_secs_f64();
    println!("services          {services}");
    println!("parse, one thread {floor:?}");
    println!("extract           {cold:?}  {:.3} of parsing (promised {COLD_MAX})", ratio(cold));
    println!("extract, cached   {warm:?}  {:.3} of parsing (promised {WARM_MAX})", ratio(warm));
    ExitCode::from(u8::from(ratio(cold) > COLD_MAX || ratio(warm) > WARM_MAX))
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = std::time::Instant::now();
    work();
    start.elapsed()
}

fn extract(root: &Path, cache: Cache) -> usize {
    let tree = Tree::walk(root, &[Language::Dart]).expect("a tree");
    let world = World::read(tree, Options::default(), &cache);
    let services = world.services().len();
    cache.save();
    services
}

fn parse_all(root: &Path) {
    let tree = Tree::walk(root, &[Language::Dart]).expect("a tree");
    let mut parser = tree_sitter::Parser::new();
    let grammar = Language::Dart.grammar().expect("Dart has a grammar");
    parser.set_language(&grammar).expect("the grammar loads");
    for file in tree.files() {
        let text = tree.read(file).expect("a file");
        std::hint::black_box(parser.parse(&text, None));
    }
}

/// Files of the golden tree again and again, each name made its own, up to the promised size.
fn make(root: &Path) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/spots-plan/tests/golden/v1/lib");
    let tree = Tree::walk(&golden, &[Language::Dart]).expect("the golden tree");
    let texts: Vec<String> = tree.files().iter().map(|file| tree.read(file).expect("a file")).collect();
    for number in 0..FILES {
        let text = &texts[number % texts.len()];
        let mut out = text.replace("Service", &format!("{number}Service"));
        if number % 5 != 0 {
            out = out.replace("Service", "Widget");
        }
        let mut copy = 0;
        while out.len() < BYTES / FILES {
            out.push_str(&text.replace("Service", &format!("{number}Part{copy}")));
            copy += 1;
        }
        let folder = root.join(format!("lib/part{}", number % 50));
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(format!("file{number}.dart")), out).expect("a file");
    }
}
