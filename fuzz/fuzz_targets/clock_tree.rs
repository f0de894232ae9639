//! A folder with one source in it, audited, counted, rewritten and read for its contracts.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use spots_plan::audit::config::Config;
use spots_plan::audit::fix::{rewrite, unified};
use spots_plan::audit::{audit, inventory, scan::Scanner};
use spots_plan::contract::cache::Cache;
use spots_plan::contract::{Options, World};
use spots_plan::tree::{Language, Tree};

const ENDINGS: [&str; 9] = ["dart", "rs", "ts", "tsx", "js", "sql", "swift", "kt", "java"];

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    Config::parse("", std::path::Path::new("plan/clock.toml")).expect("defaults hold")
});

fuzz_target!(|input: (u8, &str)| {
    let (choice, text) = input;
    let folder = std::env::temp_dir().join(format!("spots-fuzz-{}", std::process::id()));
    let file = folder.join(format!("a.{}", ENDINGS[usize::from(choice) % ENDINGS.len()]));
    std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
    std::fs::write(&file, text).expect("the temporary folder is writable");
    let tree = Tree::walk(&folder, &Language::ALL).expect("the folder is there");
    let found = audit(&tree, &CONFIG);
    for read in &found.reads {
        assert!(text.get(read.start..read.end).is_some());
        let line = text.split('\n').nth(read.line as usize - 1).expect("the line is there");
        assert!(read.column >= 1 && read.column as usize <= line.chars().count());
    }
    inventory(&tree, &Scanner::new(&CONFIG.patterns), &CONFIG);
    if let Ok(rewritten) = rewrite(&tree, &found, &CONFIG) {
        for file in &rewritten.files {
            assert!(unified(file).starts_with("--- a/"));
        }
    }
    drop(World::read(tree, Options::default(), &Cache::none()).services());
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
});
