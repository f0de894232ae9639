//! What each command writes.

use super::Repository;

#[test]
fn questions_to_the_plan() {
    let repository = Repository::planned();
    let file = repository.path().join("plan/services/PaymentService.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let deprecation = "[[deprecation]]\nmember = \"refund\"\nannounced_in = \"7\"\nreplacement = \"RefundService\"\n";
    std::fs::write(file, format!("{text}\n{deprecation}")).unwrap();
    repository.edit(
        "plan/services/BusinessService.toml",
        "uses = [\"7\", \"9\"]",
        "modifies = [\"7\"]\nuses = [\"9\"]",
    );
    insta::assert_snapshot!(repository.transcript(&[
        "plan matrix",
        "plan matrix --format markdown",
        "plan matrix --format json",
        "plan can-i-change PaymentService --break --in 9",
        "plan can-i-change PaymentService --break --in 9 --json",
        "plan can-i-change PersonalityProfile --in 7.3",
        "plan can-i-change Nobody --in 7.3",
        "plan can-i-change PaymentService --in 7.30",
        "plan can-i-change PaymentService",
        "plan deprecations",
        "plan deprecations --json",
        "plan owed",
        "plan owed --json",
        "plan owed --junit nothing.xml",
        "plan matrix nowhere",
    ]));
}

#[test]
fn the_graph_in_each_form() {
    let repository = Repository::code();
    insta::assert_snapshot!(repository.transcript(&[
        "plan graph",
        "plan graph lib --language dart --format json",
        "plan graph --format mermaid",
        "plan graph --format dot",
        "plan graph nowhere",
        "plan graph --format tea",
    ]));
}

#[test]
fn a_first_verdict_and_a_first_plan() {
    let repository = Repository::code();
    insta::assert_snapshot!(repository.transcript(&[
        "plan check",
        "plan check --format markdown",
        "plan init",
        "plan init",
        "contract freeze",
        "plan check --strict",
        "plan ci",
        "plan ci gitlab",
        "plan ci abacus",
    ]));
}

#[test]
fn the_gate_clean_with_findings_and_when_it_cannot_tell() {
    let repository = Repository::planned();
    let clean = repository.transcript(&["plan check"]);
    repository.second_version();
    let findings = repository.transcript(&[
        "plan check",
        "plan check --format json",
        "plan check --format sarif",
        "plan check --format markdown",
    ]);
    repository.git(&["reset", "--quiet", "--hard"]);
    repository.git(&["clean", "--quiet", "--force", "-d"]);
    repository.write(
        "lib/core/services/torn_service.dart",
        "class TornService { void (",
    );
    let torn = repository.transcript(&[
        "plan check",
        "plan check --format json",
        "plan check --format sarif",
        "plan check --base nothing",
        "plan check --base -x",
        "plan check --junit nothing.xml",
        "plan check nowhere",
        "plan check --format tea",
    ]);
    insta::assert_snapshot!(format!("{clean}{findings}{torn}"));
}

#[test]
fn contracts_shown_frozen_and_compared() {
    let repository = Repository::code();
    super::copy(&super::golden("v2"), &repository.path().join("v2"));
    super::copy(&super::golden("v1"), &repository.path().join("v1"));
    insta::assert_snapshot!(repository.transcript(&[
        "contract extract lib/core/services/payment_service.dart",
        "contract extract lib/core/services/payment_service.dart --format json",
        "contract extract nowhere",
        "contract extract --language cobol",
        "contract show PaymentService lib",
        "contract show PersonalityProfile lib --format json",
        "contract show PaymentService lib --frozen",
        "contract show Nobody lib",
        "contract diff v1 v1",
        "contract diff v1 v2",
        "contract diff v1 v2 --format markdown",
        "contract diff v1",
        "contract diff v1 nowhere",
        "contract diff --repo . HEAD",
        "contract explain",
        "contract explain identity-parameter-renamed",
        "contract explain tea",
    ]));
}

#[test]
fn a_diff_as_json_and_sarif() {
    let repository = Repository::code();
    super::copy(&super::golden("v2"), &repository.path().join("v2"));
    let (said, status) =
        repository.spots(&["contract", "diff", "lib", "v2/lib", "--format", "json"]);
    assert_eq!(status, 1, "{said}");
    super::schema::assert_valid(&serde_json::from_str(&said).unwrap());
    insta::assert_snapshot!(repository.transcript(&[
        "contract diff lib/core/services/payment_service.dart v2/lib/core/services/payment_service.dart --format json",
        "contract diff lib/core/services/payment_service.dart v2/lib/core/services/payment_service.dart --format sarif",
    ]));
}

#[test]
fn an_api_from_its_document() {
    let repository = Repository::empty();
    let shop = "openapi: 3.1.0\ninfo: {title: Shop}\npaths:\n  /orders/{orderId}:\n    get:\n      \
        parameters:\n        - {name: orderId, in: path, required: true, schema: {type: string}}\n      \
        responses:\n        '200':\n          content:\n            application/json:\n              \
        schema: {type: object, required: [id], properties: {id: {type: string}, total: {type: number}}}\n";
    repository.write("openapi.yaml", shop);
    let shown = repository.transcript(&[
        "contract extract",
        "contract extract openapi.yaml --format json",
        "contract freeze",
        "contract diff plan/contracts .",
    ]);
    let frozen = repository.path().join("plan/contracts/Shop-1.0.0.contract");
    let frozen = std::fs::read_to_string(frozen).unwrap();
    repository.write("openapi.yaml", shop.replace(", total: {type: number}", ""));
    repository.write("api/other.json", "{\"openapi\": \"3.1.0\"");
    repository.write("notes.json", "{}");
    let compared = repository.transcript(&[
        "contract diff plan/contracts .",
        "contract diff plan/contracts . --document api/other.json",
        "contract extract notes.json",
        "plan init",
    ]);
    let planned = repository.path().join("plan/services/Shop.toml");
    let planned = std::fs::read_to_string(planned).unwrap();
    insta::assert_snapshot!(format!("{shown}{frozen}\n{compared}{planned}"));
}

#[test]
fn documents_are_written_once_and_then_checked() {
    let repository = Repository::planned();
    repository.write("migrations/1_a.sql", "CREATE TABLE reservations (id int);");
    let said = repository.transcript(&[
        "plan docs --check",
        "plan docs",
        "plan docs --check",
        "plan docs --html --into pages",
    ]);
    let read = |name: &str| std::fs::read_to_string(repository.path().join(name)).unwrap();
    let master = read("docs/plan/master-plan.md");
    assert!(
        master.contains("| 9 | Reservations | planned | 7, 7.3 |"),
        "{master}"
    );
    assert!(master.contains("user and agent logic"), "{master}");
    for (name, words) in [
        ("docs/plan/locking-matrix.md", "PaymentService"),
        ("docs/plan/contracts.md", "PaymentService"),
        ("docs/plan/versioning.md", "MAJOR.MINOR.PATCH"),
        ("docs/plan/deprecation.md", "stays for 2 phases"),
        ("docs/plan/dependencies.md", "mermaid"),
        ("docs/plan/integration-tests.md", "owes a test"),
        ("docs/plan/clock-mandate.md", "MUST use AtomicClockService"),
        ("docs/plan/clock-inventory.md", "ClockService.now"),
        ("docs/plan/clock-migration.md", "Priorities"),
        ("docs/plan/clock-checklist.md", "- [ ]"),
        ("docs/plan/clock-integration.md", "Integration points"),
        ("docs/plan/migration-inventory.md", "reservations"),
        ("docs/plan/migration-graph.md", "mermaid"),
        ("docs/plan/migration-sequence.md", "stage 1"),
        ("docs/plan/migration-rollback.md", "spots migrate down"),
        ("docs/plan/migration-testing.md", "rehearse"),
        ("docs/plan/migration-locking.md", "lock"),
        ("pages/locking-matrix.html", "<table>"),
        ("pages/master-plan.html", "aria-current"),
    ] {
        assert!(read(name).contains(words), "{name}: {}", read(name));
    }
    insta::assert_snapshot!(said);
}
