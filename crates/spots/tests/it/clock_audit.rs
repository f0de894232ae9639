//! The clock mandate as people run it: audit, ratchet, gate.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const ONE: &str =
    "class PaymentService {\n  void charge() {\n    save(createdAt: DateTime.now());\n  }\n}\n";

#[expect(
    clippy::disallowed_methods,
    reason = "the test runs the binary it tests"
)]
fn spots(arguments: &[&str], root: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spots"));
    command
        .arg("clock")
        .args(arguments)
        .arg(root)
        .output()
        .unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test makes a repository with git itself"
)]
fn git(root: &Path, arguments: &[&str]) -> String {
    let identity = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@localhost",
        "-c",
        "init.defaultBranch=m",
    ];
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(identity)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Exit status and all output.
fn run(arguments: &[&str], root: &Path) -> (i32, String) {
    let output = spots(arguments, root);
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap(),
        String::from_utf8(text).unwrap(),
    )
}

/// A repository with a baseline for `text` in one file.
fn with_baseline(text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "lib/payment_service.dart", text);
    let (status, said) = run(&["baseline"], dir.path());
    assert_eq!(status, 0, "{said}");
    let (status, said) = run(&["check"], dir.path());
    assert_eq!(status, 0, "{said}");
    dir
}

fn assert_check(root: &Path, wanted: i32) -> String {
    let (status, said) = run(&["check"], root);
    assert_eq!(status, wanted, "{said}");
    said
}

#[test]
fn the_ratchet_fails_on_a_new_read_a_swap_and_a_third_twin() {
    let dir = with_baseline(ONE);
    let two = ONE.replace("  }\n}", "    log(at: DateTime.now());\n  }\n}");
    write(dir.path(), "lib/payment_service.dart", &two);
    let said = assert_check(dir.path(), 1);
    assert!(
        said.contains("lib/payment_service.dart:4:13: error"),
        "{said}"
    );

    let dir = with_baseline(&two);
    let swapped = two.replace("log(at", "send(at");
    write(dir.path(), "lib/payment_service.dart", &swapped);
    let said = assert_check(dir.path(), 1);
    assert!(
        said.contains("clock-read-new") && said.contains("clock-baseline-stale"),
        "{said}"
    );

    let twice = ONE.replace("  }\n}", "    save(createdAt: DateTime.now());\n  }\n}");
    let dir = with_baseline(&twice);
    let thrice = twice.replace("  }\n}", "    save(createdAt: DateTime.now());\n  }\n}");
    write(dir.path(), "lib/payment_service.dart", &thrice);
    let said = assert_check(dir.path(), 1);
    assert!(
        said.contains("There are 3 like it where the baseline has 2."),
        "{said}"
    );
}

#[test]
fn the_ratchet_passes_moves_shifts_and_formatting() {
    let dir = with_baseline(ONE);
    let root = dir.path();
    fs::create_dir_all(root.join("packages/pay/lib/src")).unwrap();
    fs::rename(
        root.join("lib/payment_service.dart"),
        root.join("packages/pay/lib/src/service.dart"),
    )
    .unwrap();
    assert_check(root, 0);
    fs::rename(root.join("packages/pay"), root.join("packages/payments")).unwrap();
    assert_check(root, 0);
    let shifted = format!("// A comment above.\n\nimport 'a.dart';\n{}", ONE.replace(
        "save(createdAt: DateTime.now());",
        "save(\n      // why\n      createdAt: DateTime\n          .now(),\n      amount: 3,\n    );",
    ));
    write(root, "packages/payments/lib/src/service.dart", &shifted);
    assert_check(root, 0);
}

#[test]
fn the_baseline_only_shrinks_unless_it_is_told_why() {
    let dir = with_baseline(ONE);
    let root = dir.path();
    let file = root.join("plan/clock.baseline");
    let before = fs::read_to_string(&file).unwrap();
    write(root, "lib/other.dart", "final at = DateTime.now();\n");
    let (status, said) = run(&["baseline"], root);
    assert_eq!(status, 1, "{said}");
    assert!(
        said.contains("lib/other.dart:1:12: new read in at"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
    assert_eq!(run(&["baseline", "--accept", " "], root).0, 2);
    assert_eq!(
        run(&["baseline", "--accept", "the vendor's sample"], root).0,
        0
    );
    let accepted = fs::read_to_string(&file).unwrap();
    assert!(
        accepted.contains("at\tfinal at=DateTime.now();\t1\tthe vendor's sample\n"),
        "{accepted}"
    );
    assert_check(root, 0);

    fs::remove_file(root.join("lib/payment_service.dart")).unwrap();
    let said = assert_check(root, 0);
    assert!(said.contains("[clock-baseline-stale]"), "{said}");
    let (status, _) = run(&["check", "--strict"], root);
    assert_eq!(status, 1);
    assert_eq!(run(&["baseline"], root).0, 0);
    let shrunk = fs::read_to_string(&file).unwrap();
    assert!(
        !shrunk.contains("PaymentService") && shrunk.contains("the vendor's sample"),
        "{shrunk}"
    );
}

#[test]
fn two_branches_that_remove_neighbours_merge_without_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    git(root, &["init", "-q"]);
    for name in ["a", "b", "c", "d"] {
        write(
            root,
            &format!("lib/{name}.dart"),
            &format!("final {name} = DateTime.now();\n"),
        );
    }
    assert_eq!(run(&["baseline"], root).0, 0);
    git(root, &["add", "."]);
    git(root, &["commit", "-qm", "base"]);
    for (branch, gone) in [("one", "b"), ("two", "c")] {
        git(root, &["checkout", "-qb", branch, "m"]);
        fs::remove_file(root.join(format!("lib/{gone}.dart"))).unwrap();
        assert_eq!(run(&["baseline"], root).0, 0);
        git(root, &["add", "-A"]);
        git(root, &["commit", "-qm", branch]);
    }
    git(root, &["merge", "-q", "-m", "merge", "one"]);
    assert_check(root, 0);
    assert_eq!(run(&["baseline"], root).0, 0);
    let merged = fs::read_to_string(root.join("plan/clock.baseline")).unwrap();
    let entries = merged.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(entries, 2, "{merged}");
}

#[test]
fn a_merge_request_is_judged_by_its_change_alone() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    git(root, &["init", "-q"]);
    write(root, "lib/a.dart", ONE);
    git(root, &["add", "."]);
    git(root, &["commit", "-qm", "base"]);
    assert_eq!(
        run(&["check"], root).0,
        1,
        "without a baseline everything is new"
    );
    assert_eq!(run(&["check", "--base", "HEAD"], root).0, 0);
    fs::rename(root.join("lib/a.dart"), root.join("lib/b.dart")).unwrap();
    assert_eq!(run(&["check", "--base", "HEAD"], root).0, 0);
    write(root, "lib/c.dart", "final at = DateTime.now();\n");
    let (status, said) = run(&["check", "--base", "HEAD"], root);
    assert_eq!(status, 1);
    assert!(
        said.contains("lib/c.dart:1:12") && !said.contains("b.dart"),
        "{said}"
    );
    let (status, said) = run(&["check", "--base", "nowhere"], root);
    assert_eq!(status, 2, "{said}");
}

#[test]
fn a_conflicted_or_broken_baseline_is_named_by_line() {
    let dir = with_baseline(ONE);
    for (text, says) in [
        (
            "<<<<<<< ours\na\tb\t1\n",
            "plan/clock.baseline:1: an unresolved merge",
        ),
        ("# head\nno tabs\n", "plan/clock.baseline:2: not an entry"),
        (
            "a\tb\tmany\n",
            "plan/clock.baseline:1: the count is not a number",
        ),
    ] {
        write(dir.path(), "plan/clock.baseline", text);
        let (status, said) = run(&["check"], dir.path());
        assert_eq!(status, 2, "{said}");
        assert!(said.contains(says), "{said}");
    }
}

/// The verdicts on the mandate's four checks.
fn verdicts(root: &Path) -> Vec<String> {
    let output = spots(&["check", "--format", "json"], root);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let states = value["mandatory"].as_array().unwrap().iter();
    states
        .map(|state| state["verdict"].as_str().unwrap().to_owned())
        .collect()
}

fn integration_point(category: &str, more: &str) -> String {
    format!(
        "[[integration]]\nname = \"{category}\"\ncategory = \"{category}\"\nstamps = \"s\"\n{more}\n"
    )
}

#[test]
fn each_of_the_four_checks_has_a_verdict() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    assert_eq!(
        verdicts(root),
        ["holds", "holds", "undeclared", "undeclared"]
    );
    write(root, "lib/payment_service.dart", ONE);
    assert_eq!(
        verdicts(root),
        ["fails", "fails", "undeclared", "undeclared"]
    );
    assert_eq!(run(&["baseline"], root).0, 0);
    assert_eq!(verdicts(root), ["owed", "owed", "undeclared", "undeclared"]);

    let fine = ["payments", "ai2ai", "live-tracker", "admin", "analytics"]
        .map(|category| integration_point(category, "precision = \"microsecond\""))
        .concat();
    let queue = "precision = \"millisecond\"\nqueue = true\nordering_test = \"test/queue_test.dart::the first is first\"";
    write(
        root,
        "plan/clock.toml",
        &(fine.clone() + &integration_point("reservations", queue)),
    );
    assert_eq!(verdicts(root), ["owed", "owed", "holds", "fails"]);
    write(
        root,
        "test/queue_test.dart",
        "// the first is first\nvoid main() {}\n",
    );
    assert_eq!(
        verdicts(root),
        ["owed", "owed", "holds", "fails"],
        "a comment is no test"
    );
    write(
        root,
        "test/queue_test.dart",
        "void main() { test('the first is first', () {}); }\n",
    );
    assert_eq!(verdicts(root), ["owed", "owed", "holds", "holds"]);

    let coarse = ONE.replace("DateTime.now()", "DateTime.now().millisecondsSinceEpoch");
    write(root, "lib/payment_service.dart", &coarse);
    let (_, said) = run(&["check"], root);
    assert!(
        said.contains("payments needs a microsecond, this keeps a millisecond."),
        "{said}"
    );
    let coarse_clock = fine + "[clock]\nprecision = \"millisecond\"\n";
    write(root, "plan/clock.toml", &coarse_clock);
    let (_, said) = run(&["check"], root);
    assert!(
        said.contains("admin needs a microsecond, the clock gives a millisecond."),
        "{said}"
    );
}

#[test]
fn a_claim_beside_a_direct_read_is_a_finding() {
    let dir = with_baseline(ONE);
    write(
        dir.path(),
        "docs/status.md",
        "- ✅ `lib/payment_service.dart` uses AtomicClockService\n",
    );
    let (status, said) = run(&["check", "--claims"], dir.path());
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("docs/status.md:1:1: error"), "{said}");
    assert_eq!(run(&["audit", "--claims"], dir.path()).0, 1);
    let migrated = ONE.replace("class", "// through AtomicClockService\nclass");
    write(dir.path(), "lib/payment_service.dart", &migrated);
    assert_eq!(run(&["check", "--claims"], dir.path()).0, 0);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test runs the binary it tests"
)]
fn the_documents_that_findings_point_to_are_rendered_and_kept_from_going_stale() {
    let dir = with_baseline(ONE);
    let root = dir.path();
    let docs = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spots"));
        command.args(["plan", "docs"]).args(arguments).arg(root);
        command.output().unwrap().status.code()
    };
    assert_eq!(docs(&["--check"]), Some(1));
    assert_eq!(docs(&[]), Some(0));
    assert_eq!(docs(&["--check"]), Some(0));
    let output = spots(&["audit", "--format", "sarif"], root);
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    let help = sarif["runs"][0]["tool"]["driver"]["rules"][0]["help"]["text"].as_str();
    let links = help
        .unwrap()
        .split([' ', ','])
        .map(|word| word.trim_end_matches('.'));
    let links = links
        .filter(|word| word.contains(".md"))
        .collect::<Vec<_>>();
    assert_eq!(links.len(), 4, "{links:?}");
    for link in links {
        assert!(root.join(link).is_file(), "{link}");
    }
    let inventory = fs::read_to_string(root.join("docs/plan/clock-inventory.md")).unwrap();
    assert!(
        inventory.contains("| `lib/payment_service.dart:3:21` |"),
        "{inventory}"
    );
    write(root, "lib/payment_service.dart", &format!("\n{ONE}"));
    assert_eq!(docs(&["--check"]), Some(1));
}

#[test]
fn every_report_comes_from_the_same_audit() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    write(
        root,
        "lib/payment_service.dart",
        &format!("// DateTime.now()\n{ONE}"),
    );
    assert_eq!(
        run(&["audit", "--format", "count"], root),
        (0, "1\n".to_owned())
    );
    let (_, table) = run(&["audit"], root);
    assert!(
        table.contains("lib/payment_service.dart:4:21  1     payments"),
        "{table}"
    );
    let (_, markdown) = run(&["audit", "--format", "markdown"], root);
    assert!(markdown.contains("| `lib/payment_service.dart:4:21` | `PaymentService.charge` |"));
    let (_, html) = run(&["audit", "--format", "html"], root);
    assert!(
        html.contains("<svg") && html.contains("<td data-is=\"in\">PaymentService.charge</td>")
    );
    assert!(
        !html.contains("<script") && !html.contains("http"),
        "{html}"
    );
    let output = spots(&["audit", "--format", "sarif"], root);
    let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "clock-call");
    assert!(
        result["partialFingerprints"]
            .as_object()
            .is_some_and(|prints| !prints.is_empty())
    );
    let help = sarif["runs"][0]["tool"]["driver"]["rules"][0]["help"]["text"]
        .as_str()
        .unwrap();
    assert!(help.contains("docs/plan/clock-mandate.md"), "{help}");

    let output = spots(&["audit", "--format", "json"], root);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["summary"]["total"], 1);
    assert_eq!(json["summary"]["byKind"]["comment"], 1);
    assert_eq!(json["findings"].as_array().unwrap().len(), 1);
    let schema: Value =
        serde_json::from_str(include_str!("../../../../docs/clock-audit.schema.json")).unwrap();
    assert_matches(&json, &schema, "");
    let output = spots(&["audit", "--mentions", "--format", "json"], root);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["findings"].as_array().unwrap().len(), 2);
    assert_matches(&json, &schema, "");
}

/// The part of JSON Schema that ours uses.
fn assert_matches(value: &Value, schema: &Value, at: &str) {
    if let Some(constant) = schema.get("const") {
        assert_eq!(value, constant, "{at}");
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        assert!(choices.contains(value), "{at}: {value}");
    }
    match schema["type"].as_str() {
        Some("object") => {
            let object = value
                .as_object()
                .unwrap_or_else(|| panic!("{at} is no object"));
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(
                    object.contains_key(name.as_str().unwrap()),
                    "{at} lacks {name}"
                );
            }
            for (key, inner) in object {
                let known = schema.get("properties").and_then(|known| known.get(key));
                let other = schema.get("additionalProperties");
                let inner_schema = known.or(other).unwrap_or(&Value::Null);
                assert_ne!(
                    inner_schema,
                    &Value::Bool(false),
                    "{at}.{key} is not described"
                );
                assert_matches(inner, inner_schema, &format!("{at}.{key}"));
            }
        }
        Some("array") => {
            for item in value
                .as_array()
                .unwrap_or_else(|| panic!("{at} is no array"))
            {
                assert_matches(item, &schema["items"], &format!("{at}[]"));
            }
        }
        Some("string") => assert!(value.is_string(), "{at}"),
        Some("integer") => assert!(value.is_u64(), "{at}"),
        Some("boolean") => assert!(value.is_boolean(), "{at}"),
        _ => {}
    }
}

#[test]
fn unreadable_files_and_bad_data_have_their_own_status() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::write(root.join("bad.dart"), b"\xff DateTime.now()").unwrap();
    for format in ["table", "json", "count", "html", "markdown", "sarif"] {
        let (status, said) = run(&["audit", "--format", format], root);
        assert_eq!(status, 2, "{said}");
        assert!(said.contains("bad.dart"), "{format}: {said}");
    }
    assert_eq!(run(&["baseline"], root).0, 2);
    assert!(!root.join("plan/clock.baseline").exists());
    assert_eq!(run(&["check"], root).0, 2);
    fs::remove_file(root.join("bad.dart")).unwrap();
    write(
        root,
        "plan/clock.toml",
        "[[pattern]]\nid = \"x\"\nlanguage = \"dart\"\nread = \"DateTime::now()\"\n",
    );
    let (status, said) = run(&["audit"], root);
    assert_eq!(status, 2);
    assert!(
        said.contains("can match nothing") && said.contains("plan/clock.toml"),
        "{said}"
    );
    assert_eq!(run(&["audit"], &root.join("nowhere")).0, 2);
}

#[test]
fn this_repository_passes_with_an_empty_baseline() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (status, said) = run(&["check", "--strict"], &root);
    assert_eq!(status, 0, "{said}");
    assert!(
        said.contains("holds       No direct read of the wall clock in new code"),
        "{said}"
    );
    let baseline = fs::read_to_string(root.join("plan/clock.baseline")).unwrap();
    assert!(
        baseline.lines().all(|line| line.starts_with('#')),
        "{baseline}"
    );
    let output = spots(&["audit", "--format", "json"], &root);
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let paths = json["findings"].as_array().unwrap().iter();
    let paths = paths.filter_map(|finding| finding["path"].as_str());
    // Fixtures are what the audit must find; a client's clock is read in its own language;
    // benchmarks measure with the machine's own clocks.
    let elsewhere = ["crates/spots-plan/tests/", "clients/", "bench/"];
    let outside = paths.filter(|path| !elsewhere.iter().any(|start| path.starts_with(start)));
    let mut outside = outside.collect::<Vec<_>>();
    outside.dedup();
    assert_eq!(outside, ["crates/spots-clock/src/system.rs"]);
}

const SERVICE: &str = "\
import 'dart:async';

class PaymentService {
  final Ledger ledger;
  final createdAt = DateTime.now();

  PaymentService(this.ledger, {this.currency = 'EUR'}) : startedAt = DateTime.now();

  Future<void> charge() async {
    await ledger.save(createdAt: DateTime.now());
    print('charged at ${DateTime.now().millisecondsSinceEpoch}');
    list.map((e) => new DateTime.now());
  }

  bool isLate(DateTime due) => DateTime.now().isAfter(due);

  static DateTime at() => DateTime.now();

  void timed() {
    final start = DateTime.now();
    print(DateTime.now().difference(start));
  }
}

class Plain {
  DateTime stamp() => DateTime.timestamp();
}

class Wiring {
  Wiring(this.clock);
  final AtomicClockService clock;
  PaymentService make() => PaymentService(Ledger(), currency: 'USD');
  DateTime at() => DateTime.now();
}

DateTime top(AtomicClockService clock) => DateTime.now();
final global = DateTime.now();
";

const SERVICE_TEST: &str = "\
import 'package:app/payment_service.dart';

void main() {
  test('charges', () async {
    final service = PaymentService(
      Ledger(),
    );
    expect(service.isLate(DateTime.now()), isFalse);
  });
}
";

const RUST: &str = "\
pub trait Clock {
    fn now(&self) -> SystemTime;
}
fn given(clock: &dyn Clock) -> SystemTime {
    std::time::SystemTime::now()
}
struct Held { clock: Arc<dyn Clock> }
impl Held {
    fn at(&self) -> SystemTime { SystemTime::now() }
    fn nowhere() -> SystemTime { SystemTime::now() }
    fn other(&self) -> Instant { let at = Instant::now(); at }
}
";

/// Lines of the service after its rewrite.
const REWRITTEN: &[&str] = &[
    "import 'package:spots_clock/spots_clock.dart';",
    "  final AtomicClockService _atomicClock;",
    "  final DateTime createdAt;",
    "{this.currency = 'EUR', required AtomicClockService atomicClock}) : \
         _atomicClock = atomicClock, createdAt = atomicClock.now().toDateTime().toLocal(), \
         startedAt = atomicClock.now().toDateTime().toLocal();",
    "save(createdAt: (await _atomicClock.getAtomicTimestamp()).toDateTime().toLocal());",
    "at ${(await _atomicClock.getAtomicTimestamp()).toDateTime().millisecondsSinceEpoch}');",
    "list.map((e) => _atomicClock.now().toDateTime().toLocal());",
    "isLate(DateTime due) => _atomicClock.now().toDateTime().isAfter(due);",
    "  Plain({required AtomicClockService atomicClock}) : _atomicClock = atomicClock;",
    "  DateTime stamp() => _atomicClock.now().toDateTime();",
    "make() => PaymentService(Ledger(), currency: 'USD', atomicClock: clock);",
    "  DateTime at() => clock.now().toDateTime().toLocal();",
    "top(AtomicClockService clock) => clock.now().toDateTime().toLocal();",
    "  static DateTime at() => DateTime.now();",
    "final global = DateTime.now();",
];

const REASONS: &[&str] = &[
    "refused: a static member has no instance",
    "refused: it measures a duration",
    "refused: no clock can be injected at the top level",
    "refused: no Clock is in scope",
    "the Clock in scope gives SystemTime, the read Instant",
    "replaced: the constructor's new parameter, synchronously: an initialiser cannot await",
    "replaced: the class's new clock, synchronously: the function around it is not async",
];

fn with_service() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "lib/payment_service.dart", SERVICE);
    write(dir.path(), "test/payment_service_test.dart", SERVICE_TEST);
    write(dir.path(), "src/lib.rs", RUST);
    dir
}

#[test]
fn the_rewrite_injects_the_clock_where_it_provably_can() {
    let dir = with_service();
    let root = dir.path();
    let before = run(&["audit", "--format", "count"], root)
        .1
        .trim()
        .parse::<usize>()
        .unwrap();
    let (status, said) = run(&["fix", "--write"], root);
    assert_eq!(status, 0, "{said}");
    let after = run(&["audit", "--format", "count"], root)
        .1
        .trim()
        .parse::<usize>()
        .unwrap();
    assert_eq!((before, after), (18, 6), "{said}");
    assert!(
        said.contains("18 direct reads before, 6 now, 12 replaced"),
        "{said}"
    );

    let dart = fs::read_to_string(root.join("lib/payment_service.dart")).unwrap();
    for line in REWRITTEN {
        assert!(dart.contains(line), "{line}\n{dart}");
    }
    let test = fs::read_to_string(root.join("test/payment_service_test.dart")).unwrap();
    for line in [
        "import 'package:spots_clock/spots_clock.dart';",
        "final fakeClock = FakeAtomicClockService();",
        "      Ledger(), atomicClock: fakeClock,",
        "expect(service.isLate(fakeClock.now().toDateTime().toLocal()), isFalse);",
    ] {
        assert!(test.contains(line), "{line}\n{test}");
    }
    let rust = fs::read_to_string(root.join("src/lib.rs")).unwrap();
    assert!(
        rust.contains("-> SystemTime {\n    clock.now()\n}"),
        "{rust}"
    );
    assert!(
        rust.contains("fn at(&self) -> SystemTime { self.clock.now() }"),
        "{rust}"
    );
    for why in REASONS {
        assert!(said.contains(why), "{why}\n{said}");
    }
    let (_, again) = run(&["fix"], root);
    assert!(
        again.contains("0 of 6 direct reads can be replaced"),
        "{again}"
    );
}

#[test]
fn the_diff_that_is_shown_is_what_is_written() {
    let (shown, written) = (with_service(), with_service());
    let diff = spots(&["fix"], shown.path()).stdout;
    let unchanged = fs::read_to_string(shown.path().join("lib/payment_service.dart")).unwrap();
    assert_eq!(unchanged, SERVICE);
    git(shown.path(), &["init", "-q"]);
    fs::write(shown.path().join("fix.diff"), diff).unwrap();
    git(shown.path(), &["apply", "fix.diff"]);
    assert_eq!(run(&["fix", "--write"], written.path()).0, 0);
    for file in [
        "lib/payment_service.dart",
        "test/payment_service_test.dart",
        "src/lib.rs",
    ] {
        let read = |root: &Path| fs::read_to_string(root.join(file)).unwrap();
        assert_eq!(read(shown.path()), read(written.path()), "{file}");
    }
}

#[test]
fn what_a_clock_cannot_reach_is_refused_with_the_next_step() {
    for (text, why) in [
        (
            "class A { const A(); DateTime a() => DateTime.now(); }",
            "const constructor",
        ),
        (
            "class A { A(); A.b(); DateTime a() => DateTime.now(); }",
            "several constructors",
        ),
        (
            "class A { factory A() => B(); DateTime a() => DateTime.now(); }",
            "has a factory",
        ),
        (
            "class A { DateTime a() => DateTime.now(); }\nclass B extends A {}",
            "inherits from A",
        ),
        (
            "class A { DateTime a() => DateTime.now(); }\nfinal a = A();",
            "is constructed at lib/a.dart:2",
        ),
        (
            "class A { DateTime a() => DateTime.now(); }\nfinal a = A.new;",
            "as a function",
        ),
        (
            "class A { A([this.b]); DateTime a() => DateTime.now(); }",
            "optional positional",
        ),
        (
            "class A { A() : this.b(); DateTime a() => DateTime.now(); }",
            "redirects",
        ),
        (
            "class A { int _atomicClock; DateTime a() => DateTime.now(); }",
            "uses the name _atomicClock",
        ),
        (
            "mixin A { DateTime a() => DateTime.now(); }",
            "outside a class",
        ),
        (
            "part of 'b.dart';\nclass A { DateTime a() => DateTime.now(); }",
            "part of a library",
        ),
    ] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "lib/a.dart", text);
        let (status, said) = run(&["fix", "--write"], dir.path());
        assert_eq!(status, 0, "{said}");
        assert!(
            said.contains(why) && said.contains("0 replaced"),
            "{text}\n{said}"
        );
        assert_eq!(
            fs::read_to_string(dir.path().join("lib/a.dart")).unwrap(),
            text
        );
    }
}
