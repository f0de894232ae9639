//! The clock audit on fixtures that hold every trap.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use spots_plan::audit::baseline::Baseline;
use spots_plan::audit::check::check;
use spots_plan::audit::config::Config;
use spots_plan::audit::scan::Scanner;
use spots_plan::audit::{Audit, Kind, audit, documents, inventory};
use spots_plan::tree::{Language, Tree};

pub(crate) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/clock")
}

pub(crate) fn run(root: &Path) -> Audit {
    let config = Config::load(root).unwrap();
    audit(&Tree::walk(root, &Language::ALL).unwrap(), &config)
}

/// What the marks of a fixture say: kinds by line.
fn marks(text: &str) -> BTreeMap<u32, Vec<&str>> {
    let lines = text.lines().enumerate().filter_map(|(index, line)| {
        let (_, marks) = line.split_once("//~").or_else(|| line.split_once("--~"))?;
        let mut kinds = marks.split_whitespace().collect::<Vec<_>>();
        kinds.sort_unstable();
        Some((u32::try_from(index + 1).unwrap(), kinds))
    });
    lines.collect()
}

fn found<'a>(audit: &'a Audit, path: &str) -> BTreeMap<u32, Vec<&'a str>> {
    let mut found = BTreeMap::<u32, Vec<&str>>::new();
    for read in audit.reads.iter().filter(|read| read.path == path) {
        found.entry(read.line).or_default().push(read.kind.as_str());
    }
    for kinds in found.values_mut() {
        kinds.sort_unstable();
    }
    found
}

#[test]
fn every_trap_is_told_from_every_read() {
    for folder in [
        "dart", "own", "shadow", "rust", "script", "sql", "swift", "jvm",
    ] {
        let root = fixtures().join(folder);
        let audit = run(&root);
        let tree = Tree::walk(&root, &Language::ALL).unwrap();
        assert!(!tree.files().is_empty());
        for file in tree.files() {
            let text = tree.read(file).unwrap();
            assert_eq!(
                found(&audit, &file.path),
                marks(&text),
                "{folder}/{}",
                file.path
            );
        }
    }
}

#[test]
fn the_fast_inventory_counts_what_the_audit_counts() {
    for folder in ["dart", "own", "rust", "script", "sql", "swift", "jvm"] {
        let root = fixtures().join(folder);
        let config = Config::load(&root).unwrap();
        let tree = Tree::walk(&root, &Language::ALL).unwrap();
        let found = inventory(&tree, &Scanner::new(&config.patterns), &config);
        let count = found
            .items
            .iter()
            .map(|(_, hits)| hits.len())
            .sum::<usize>();
        assert_eq!(count, audit(&tree, &config).summary().total, "{folder}");
    }
}

#[test]
fn places_name_class_member_use_and_whether_one_may_await() {
    let audit = run(&fixtures().join("dart"));
    let at = |line| {
        audit
            .reads
            .iter()
            .find(|r| r.path == "traps.dart" && r.line == line)
            .unwrap()
    };
    let lines = std::fs::read_to_string(fixtures().join("dart/traps.dart")).unwrap();
    let line_of = |text: &str| {
        u32::try_from(lines.lines().position(|line| line.contains(text)).unwrap() + 1).unwrap()
    };
    let start = at(line_of("final start = "));
    assert_eq!(start.scope(), "Traps.measure");
    assert!(start.place.is_async);
    let created = at(line_of("final created = "));
    assert_eq!(
        (created.place.class.as_str(), created.place.member.as_str()),
        ("Traps", "created")
    );
    assert!(!created.place.is_async);
    let split = at(line_of("final split = "));
    assert_eq!(split.place.text, "split=DateTime.now()");
    let indirect = at(line_of("schedule("));
    assert_eq!(indirect.via.as_deref(), Some("Traps.tomorrow"));
    let top = at(line_of("stampNow() =>"));
    assert_eq!(
        (top.place.class.as_str(), top.place.usage.as_str()),
        ("", "returned")
    );
}

#[test]
fn columns_count_characters_and_paths_are_relative() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("lib")).unwrap();
    std::fs::write(
        dir.path().join("lib/a.dart"),
        "final é = 'ü${DateTime.now()}';\n",
    )
    .unwrap();
    let audit = run(dir.path());
    let read = &audit.reads[0];
    assert_eq!(
        (read.path.as_str(), read.line, read.column),
        ("lib/a.dart", 1, 15)
    );
}

#[test]
fn sums_equal_the_total_and_the_first_priority_wins() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let read = "final at = DateTime.now();\n";
    write("lib/services/payment_service.dart", read);
    write("lib/services/reservation_service.dart", read);
    write("lib/services/admin/payment_admin.dart", read);
    write("lib/ai2ai/connection.dart", read);
    write("lib/admin/users.dart", read);
    write("lib/analytics/events.dart", read);
    write("lib/tracking/live_tracker.dart", read);
    write("main.dart", read);
    let audit = run(root);
    let summary = audit.summary();
    assert_eq!(summary.total, 8);
    for sum in [
        summary.by_priority.values().sum::<usize>(),
        summary.by_category.values().sum(),
        summary.by_directory.values().sum(),
        summary.by_service.values().sum(),
    ] {
        assert_eq!(sum, summary.total);
    }
    let ranks = audit
        .reads
        .iter()
        .map(|read| (read.path.as_str(), read.priority));
    let ranks = ranks.collect::<BTreeMap<_, _>>();
    assert_eq!(ranks["lib/services/payment_service.dart"], 1);
    assert_eq!(ranks["lib/services/reservation_service.dart"], 1);
    assert_eq!(ranks["lib/services/admin/payment_admin.dart"], 1);
    assert_eq!(ranks["lib/ai2ai/connection.dart"], 2);
    assert_eq!(ranks["lib/admin/users.dart"], 3);
    assert_eq!(ranks["lib/analytics/events.dart"], 4);
    assert_eq!(ranks["lib/tracking/live_tracker.dart"], 5);
    assert_eq!(ranks["main.dart"], 5);
    assert_eq!(summary.by_category["live-tracker"], 1);
}

fn pattern(id: &str, language: &str, read: &str) -> String {
    format!("[[pattern]]\nid = \"{id}\"\nlanguage = \"{language}\"\nread = \"{read}\"\n")
}

#[test]
fn data_that_can_mean_nothing_is_refused() {
    let load = |text: &str| Config::parse(text, Path::new("plan/clock.toml"));
    for (text, says) in [
        (
            pattern("x", "dart", "DateTime::now()"),
            "dart joins names with \".\"",
        ),
        (
            pattern("x", "rust", "SystemTime.now()"),
            "rust joins names with \"::\"",
        ),
        (pattern("x", "rust", "new Date()"), "rust has no \"new\""),
        (pattern("x", "cobol", "NOW"), "is no language"),
        (pattern("x", "dart", "DateTime.now("), "is no name"),
        (
            pattern("x", "dart", "DateTime.now()") + "kind = 3\n",
            "unknown field",
        ),
        (
            pattern("x", "dart", "a()") + &pattern("x", "dart", "b()"),
            "two patterns",
        ),
        (
            "[[priority]]\nrank = 9\ncategory = \"a\"\nwords = [\"b\"]".to_owned(),
            "not 1 to 5",
        ),
        (
            "[[exception]]\npaths = [\"a\"]\nreason = \" \"".to_owned(),
            "gives no reason",
        ),
        (
            "[[exception]]\npaths = [\"a[\"]\nreason = \"b\"".to_owned(),
            "is not valid",
        ),
    ] {
        let error = load(&text).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn patterns_are_data_and_one_that_can_match_nothing_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    std::fs::create_dir(root.join("plan")).unwrap();
    std::fs::write(root.join("a.dart"), "final a = TZDateTime.now(local);\n").unwrap();
    let good = pattern("tz", "dart", "TZDateTime.now(…)")
        + &pattern("typo", "dart", "DateTme.now()")
        + &pattern("nowhere", "swift", "Moment()");
    std::fs::write(root.join("plan/clock.toml"), good).unwrap();
    let audit = run(root);
    assert_eq!(audit.summary().total, 1);
    assert_eq!(audit.reads[0].rule, "tz");
    let silent = audit
        .silent_patterns
        .iter()
        .map(|p| (p.id.as_str(), p.reason.as_str()));
    assert_eq!(
        silent.collect::<Vec<_>>(),
        [
            (
                "typo",
                "\"DateTme.now()\" occurs in none of 1 files; did you mean \"DateTime.now()\"?"
            ),
            ("nowhere", "the tree holds no swift file"),
        ]
    );
}

#[test]
fn what_cannot_be_read_is_named_and_nothing_hangs() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    std::fs::write(root.join("bad.dart"), b"final a = DateTime.now(); // \xff").unwrap();
    std::fs::write(root.join("huge.dart"), vec![b'('; 9 * 1024 * 1024]).unwrap();
    let wide = format!("final a = [{}];", "DateTime.now(), ".repeat(500));
    std::fs::write(root.join("wide.dart"), wide).unwrap();
    std::fs::write(root.join("open.dart"), "final a = '${'${'${DateTime.now()").unwrap();
    std::fs::write(root.join("many.dart"), "DateTime.now();\n".repeat(5_001)).unwrap();
    std::fs::create_dir(root.join("x.dart")).unwrap();
    let audit = run(root);
    let named = audit
        .unreadable
        .iter()
        .map(|unreadable| unreadable.path.as_str());
    assert_eq!(
        named.collect::<Vec<_>>(),
        ["bad.dart", "huge.dart", "many.dart"]
    );
    assert_eq!(audit.summary().unreadable, 3);
    assert_eq!(audit.summary().by_kind[&Kind::Call], 501);
}

#[test]
fn the_documents_come_from_the_data() {
    let root = fixtures().join("dart");
    let data = pattern("tz", "dart", "TZDateTime.now(…)")
        + "[[integration]]\nname = \"Door\"\ncategory = \"door\"\nstamps = \"check-ins\"\nprecision = \"second\"\n"
        + "[[exception]]\npaths = [\"lib/clock.dart\"]\nreason = \"the one file\"\n";
    let config = Config::parse(&data, Path::new("plan/clock.toml")).unwrap();
    let audit = audit(&Tree::walk(&root, &Language::ALL).unwrap(), &config);
    let baseline = Baseline::of(&audit);
    let gate = check(&audit, &baseline.compare(&audit), &config, &root);
    let documents = documents(&audit, &config, &gate.mandatory);
    let text = |name: &str| {
        documents
            .iter()
            .find(|document| document.name == name)
            .unwrap()
            .text
            .as_str()
    };
    for (name, says) in [
        ("clock-mandate.md", "MUST use AtomicClockService"),
        ("clock-mandate.md", "| `tz` | `TZDateTime.now(…)` | dart |"),
        ("clock-mandate.md", "| `lib/clock.dart` | the one file |"),
        (
            "clock-checklist.md",
            "**No direct read of the wall clock in new code**",
        ),
        ("clock-checklist.md", "Now: owed (nothing new;"),
        ("clock-migration.md", "| 1 | payments, reservations | 0 |"),
        ("clock-integration.md", "## Door: check-ins"),
        (
            "clock-integration.md",
            "## Live Tracker: location timestamps",
        ),
        (
            "clock-integration.md",
            "- **When to sync with the server**: Before a sale opens",
        ),
        (
            "clock-integration.md",
            "- **Test of the queue's order**: owed",
        ),
        (
            "clock-inventory.md",
            "| `traps.dart:26:19` | `Traps.created` | call |",
        ),
    ] {
        assert!(text(name).contains(says), "{name}: {says}\n{}", text(name));
    }
    assert_eq!(documents.len(), 5);
}
