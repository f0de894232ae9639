//! Fixtures, broken in ways that a keyboard, a merge or an attacker breaks them: the same ways in
//! every run. `fuzz/` looks for more, guided by coverage.

use std::collections::BTreeSet;
use std::path::Path;

use spots_plan::audit::baseline::Baseline;
use spots_plan::audit::config::Config;
use spots_plan::audit::fix::{rewrite, unified};
use spots_plan::audit::lexer::{region_at, spans};
use spots_plan::audit::report::{Mentions, html, json, markdown, sarif, table};
use spots_plan::audit::{audit, inventory, scan::Scanner};
use spots_plan::contract::cache::Cache;
use spots_plan::contract::frozen::Frozen;
use spots_plan::contract::graph::Dependencies;
use spots_plan::contract::{Options, World, dart, rust, show, typescript};
use spots_plan::plan::{Plan, matrix};
use spots_plan::tree::{Language, Tree};

use crate::clock_counters::{Dice, SHARDS};

/// Mutants of each kind of text. A debug build makes and reads them in a few seconds.
const MUTANTS: usize = 150;
/// Changes made to one text.
const CHANGES_MAX: usize = 6;

/// One more change, always on character boundaries: our input is text, or it is refused before.
fn change(text: &mut String, dice: &mut Dice) {
    let boundary = |text: &str, dice: &mut Dice| {
        let mut at = dice.roll(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (a, b) = (boundary(text, dice), boundary(text, dice));
    let (from, to) = (a.min(b), a.max(b));
    // Mostly small stretches, so that most of the text stays as it was.
    let near = text
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= from + dice.roll(60));
    let to = if dice.roll(8) == 0 {
        to
    } else {
        near.map_or(to, |near| near.min(to))
    };
    match dice.roll(16) {
        0 => text.truncate(to),
        1..=4 => text.replace_range(from..to, ""),
        5..=7 => {
            let copy = text.get(from..to).unwrap_or_default().to_owned();
            text.insert_str(to, &copy);
        }
        8..=11 => text.replace_range(from..to, SHARDS[dice.roll(SHARDS.len())]),
        _ => text.insert_str(from, SHARDS[dice.roll(SHARDS.len())]),
    }
}

fn mutant(text: &str, dice: &mut Dice) -> String {
    let changes = 1 + dice.roll(CHANGES_MAX);
    changed(text, changes, dice)
}

fn changed(text: &str, changes: usize, dice: &mut Dice) -> String {
    let mut text = text.to_owned();
    for _ in 0..changes {
        change(&mut text, dice);
    }
    text
}

/// Sources of the tests, with their languages.
fn sources() -> Vec<(Language, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let tree = Tree::walk(&root, &Language::ALL).unwrap();
    let files = tree
        .files()
        .iter()
        .map(|file| (file.language, tree.read(file).unwrap()));
    files.filter(|(_, text)| text.len() < 20_000).collect()
}

#[test]
fn mutants_of_sources_are_lexed_on_character_boundaries() {
    let mut dice = Dice(0x1e_7e5);
    let sources = sources();
    let config = Config::parse("", Path::new("plan/clock.toml")).unwrap();
    let scanner = Scanner::new(&config.patterns);
    for round in 0..MUTANTS * 4 {
        let (language, text) = &sources[dice.roll(sources.len())];
        let text = mutant(text, &mut dice);
        let mut last = 0;
        let found = spans(*language, &text, text.len());
        for span in &found {
            assert!(
                span.start >= last && span.end > span.start,
                "{round} {text}"
            );
            assert!(text.get(span.start..span.end).is_some(), "{round} {text}");
            assert_eq!(region_at(&found, span.start), Some(span.region));
            last = span.end;
        }
        for hit in scanner.scan(*language, &text).hits {
            assert!(text.get(hit.start..hit.end).is_some(), "{round} {text}");
        }
    }
}

#[test]
fn mutants_of_sources_are_extracted() {
    let mut dice = Dice(0x00e8_7ac7);
    let sources = sources();
    let mut members = 0;
    for _ in 0..MUTANTS {
        let (language, text) = &sources[dice.roll(sources.len())];
        let text = mutant(text, &mut dice);
        let unit = match language {
            Language::Dart => dart::extract(&text),
            Language::Rust => rust::extract(&text),
            Language::TypeScript | Language::Tsx => typescript::extract(*language, &text),
            _ => continue,
        };
        let lines = u32::try_from(text.lines().count()).unwrap().max(1);
        for decl in &unit.types {
            assert!(
                (1..=lines).contains(&decl.line),
                "{} of {lines}: {text}",
                decl.line
            );
            for member in &decl.members {
                assert!(show::signature(member).contains(&member.name), "{text}");
                members += 1;
            }
        }
        if let Some(line) = unit.broken {
            assert!((1..=lines + 1).contains(&line), "{line} of {lines}: {text}");
        }
    }
    assert!(members > MUTANTS / 3, "{members}");
}

/// A tree of mutants, as a folder in the middle of a merge is.
#[test]
fn trees_of_mutants_are_audited_compared_rewritten_and_drawn() {
    let mut dice = Dice(0xa_0d17);
    let sources = sources();
    for _ in 0..6 {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..MUTANTS / 6 {
            let (language, text) = &sources[dice.roll(sources.len())];
            let end = extension(*language);
            let text = mutant(text, &mut dice);
            std::fs::write(dir.path().join(format!("f{number}.{end}")), text).unwrap();
        }
        let config = Config::load(dir.path()).unwrap();
        let tree = Tree::walk(dir.path(), &Language::ALL).unwrap();
        let found = audit(&tree, &config);
        for read in &found.reads {
            let file = tree
                .files()
                .iter()
                .find(|file| file.path == read.path)
                .unwrap();
            let text = tree.read(file).unwrap();
            let line = text.split('\n').nth(read.line as usize - 1).unwrap();
            assert!(read.column as usize <= line.chars().count(), "{read:?}");
            assert!(text.get(read.start..read.end).is_some(), "{read:?}");
        }
        let counted = inventory(&tree, &Scanner::new(&config.patterns), &config);
        assert!(counted.unreadable.is_empty());
        for form in [table, markdown, html] {
            assert!(!form(&found, Mentions::Listed).is_empty());
        }
        assert_eq!(
            json(&found, Mentions::Listed)["summary"]["total"],
            found.summary().total
        );
        assert!(sarif(&found, Mentions::Listed)["runs"][0]["results"].is_array());
        let baseline = Baseline::of(&found);
        assert!(baseline.compare(&found).new.is_empty());
        assert_eq!(Baseline::parse(&baseline.render()).unwrap(), baseline);
        // It proves itself or is not offered; either way it says so.
        if let Ok(rewritten) = rewrite(&tree, &found, &config) {
            for file in &rewritten.files {
                assert!(unified(file).starts_with("--- a/"));
            }
        }
        contracts_hold(dir.path());
    }
}

fn extension(language: Language) -> &'static str {
    match language {
        Language::Dart => "dart",
        Language::Rust => "rs",
        Language::TypeScript => "ts",
        Language::Tsx => "tsx",
        Language::JavaScript => "js",
        Language::Sql => "sql",
        Language::Swift => "swift",
        Language::Kotlin => "kt",
        Language::Java => "java",
        Language::OpenApi => "yaml",
    }
}

/// What can be read of a folder is drawn, and frozen as it reads back.
fn contracts_hold(folder: &Path) {
    let languages = [Language::Dart, Language::Rust, Language::TypeScript];
    let options = Options {
        everything: true,
        ..Options::default()
    };
    let world = World::read(
        Tree::walk(folder, &languages).unwrap(),
        options,
        &Cache::none(),
    );
    let graph = Dependencies::of(&world);
    assert!(graph.edges.len() < 10_000);
    for service in world.services() {
        let names = BTreeSet::from([service.decl.name.clone()]);
        let mut world = World::read(world.tree().clone(), Options::default(), &Cache::none());
        let snapshot = world.snapshot(&names, &Cache::none());
        let frozen = Frozen::new("1.0.0", "dart", &service, &snapshot);
        let again = Frozen::parse(&frozen.render());
        // What could not be read whole is not frozen; it may hold names that are none.
        if world
            .unreadable()
            .iter()
            .all(|one| one.path != service.file)
        {
            assert_eq!(again.unwrap().render(), frozen.render());
        }
    }
}

#[test]
fn mutants_of_plans_are_read_or_refused_with_the_line() {
    let mut dice = Dice(0x9_1a4);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/plan");
    let plan = std::fs::read_to_string(golden.join("plan.toml")).unwrap();
    let service = std::fs::read_to_string(golden.join("services/PaymentService.toml")).unwrap();
    let (mut read, mut refused) = (0, 0);
    for round in 0..MUTANTS {
        let dir = tempfile::tempdir().unwrap();
        let services = dir.path().join("plan/services");
        std::fs::create_dir_all(&services).unwrap();
        for entry in std::fs::read_dir(golden.join("services")).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), services.join(entry.file_name())).unwrap();
        }
        let broken = |which, text: &str, dice: &mut Dice| {
            if round % 3 == which {
                text.to_owned()
            } else {
                changed(text, 1, dice)
            }
        };
        std::fs::write(
            dir.path().join("plan/plan.toml"),
            broken(0, &plan, &mut dice),
        )
        .unwrap();
        let path = services.join("PaymentService.toml");
        std::fs::write(path, broken(1, &service, &mut dice)).unwrap();
        match Plan::load(dir.path()) {
            Ok(plan) => {
                read += 1;
                assert!(!matrix::text(&plan).is_empty());
                assert!(matrix::svg(&plan).contains("<svg"));
            }
            Err(error) => {
                refused += 1;
                for problem in error.problems {
                    let place = problem.place.unwrap();
                    assert!(
                        place.path.starts_with("plan/") && place.line >= 1,
                        "{place:?}"
                    );
                }
            }
        }
    }
    assert!(read > 3 && refused > MUTANTS / 3, "{read} {refused}");
}

#[test]
fn mutants_of_data_files_are_read_or_refused() {
    let mut dice = Dice(0xda_7a);
    let data = "[[pattern]]\nid = \"tz\"\nlanguage = [\"dart\", \"rust\"]\nread = \"TZDateTime.now(…)\"\n\
                [[priority]]\nrank = 2\ncategory = \"a\"\nwords = [\"b\"]\n[[exception]]\npaths = [\"a/**\"]\n\
                reason = \"because\"\n[[integration]]\nname = \"Door\"\ncategory = \"door\"\nstamps = \"check-ins\"\n\
                precision = \"second\"\nqueue = true\nordering_test = \"a.dart::b\"\n";
    let baseline = "# head\nA.b\tsave(DateTime.now())\t2\nC.d\tx=DateTime.now()\t1\twhy\n";
    for _ in 0..MUTANTS * 4 {
        let text = mutant(data, &mut dice);
        if let Err(error) = Config::parse(&text, Path::new("plan/clock.toml")) {
            assert!(error.to_string().contains("plan/clock.toml"), "{error}");
        }
        if let Ok(read) = Baseline::parse(&mutant(baseline, &mut dice)) {
            assert_eq!(
                Baseline::parse(&read.render()).as_ref(),
                Ok(&read),
                "{}",
                read.render()
            );
        }
    }
}
